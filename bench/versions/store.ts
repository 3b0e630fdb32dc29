import { Engine, rootOf, type CallContext } from 'keywright';

const MS_PER_DAY = 86_400_000;
/** The shortest period of automatic rotation, which has no limit on how often it happens. */
const PERIOD_DAYS = 90;

export const PLAINTEXT = Buffer.alloc(32, 7);
export const CONTEXT: CallContext = { caller: rootOf('111122223333'), region: 'us-east-1' };

/** Makes a key with each number of versions: what its first material encrypted, by that number. */
export async function makeBlobs(dataDirectory: string, counts: readonly number[]): Promise<Map<number, Uint8Array>> {
  let nowMs = Date.now();
  const engine = await Engine.open({ dataDirectory, regions: [CONTEXT.region], clock: { nowMs: () => nowMs } });
  const blobs = new Map<number, Uint8Array>();
  for (const count of counts) {
    const { KeyId } = (await engine.call('CreateKey', {}, CONTEXT)).KeyMetadata;
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT }, CONTEXT);
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: PERIOD_DAYS }, CONTEXT);
    for (let version = 1; version < count; version++) {
      nowMs += PERIOD_DAYS * MS_PER_DAY;
      const { rotatedKeys } = await engine.runMaintenance();
      if (rotatedKeys !== 1) throw new Error(`${rotatedKeys} keys were rotated instead of one`);
    }
    await engine.call('DisableKeyRotation', { KeyId }, CONTEXT);
    blobs.set(count, CiphertextBlob);
  }
  await engine.close();
  return blobs;
}
