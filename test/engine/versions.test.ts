/** What a blob costs to decrypt does not depend on how often its key was rotated: its material is looked up by id. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rootOf } from '../../src/iam/identities.ts';
import { ACCOUNT, openEngine, REGION, type OpenEngine } from '../support/doors.ts';

const PERIOD_DAYS = 90;
const PERIOD_MS = PERIOD_DAYS * 86_400_000;
const context = { caller: rootOf(ACCOUNT), region: REGION };

let open: OpenEngine;

beforeEach(async () => {
  open = await openEngine();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await open.engine.close();
  open.remove();
});

/** A key that was rotated on schedule until it had so many versions, and what its first one encrypted. */
async function keyWithVersions(count: number): Promise<{ readonly CiphertextBlob: Uint8Array; readonly id: string }> {
  const { engine, clock } = open;
  const { KeyId, CurrentKeyMaterialId: id = '' } = (await engine.call('CreateKey', {}, context)).KeyMetadata;
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('secret') }, context);
  await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: PERIOD_DAYS }, context);
  for (let version = 1; version < count; version++) {
    clock.advanceMs(PERIOD_MS);
    expect(await engine.runMaintenance()).toMatchObject({ rotatedKeys: 1 });
  }
  // A change of the key, after which nothing of it is cached, whether it was rotated or not.
  await engine.call('DisableKeyRotation', { KeyId }, context);
  return { CiphertextBlob, id };
}

describe.each([1, 2, 25, 100])('a key with %i versions', (count) => {
  it('decrypts what its first material encrypted by one lookup, and by none once the material is there', async () => {
    const { CiphertextBlob, id } = await keyWithVersions(count);
    const { keys, materials } = open.engine.ports;
    const finds = vi.spyOn(keys, 'findMaterial');
    const lists = vi.spyOn(keys, 'listMaterials');
    const opens = vi.spyOn(materials, 'openSymmetric');
    for (let times = 0; times < 2; times++) {
      const { Plaintext, KeyMaterialId } = await open.engine.call('Decrypt', { CiphertextBlob }, context);
      expect([Buffer.from(Plaintext ?? []).toString(), KeyMaterialId]).toEqual(['secret', id]);
      expect(finds.mock.calls.map(([, materialId]) => materialId)).toEqual([id]);
    }
    expect(opens.mock.calls.map(([, materialId]) => materialId)).toEqual([id, id]);
    expect(lists).not.toHaveBeenCalled();
  });
});
