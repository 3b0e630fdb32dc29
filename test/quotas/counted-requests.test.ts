/** What counts as a request against which quota. The bursts are so large and slow to fill that time plays no part. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../src/base/caller.ts';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CALLER = rootOf('111122223333');
const STRANGER = rootOf('444455556666');
const REGION = 'eu-central-1';
const OTHER_REGION = 'us-east-1';

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;

/** Every quota named has `requests` to begin with, and gains one a day. */
async function open(quotas: readonly string[], requests: number): Promise<void> {
  folder = temporaryFolder();
  const perSecond = 1 / 86_400;
  engine = await Engine.open({
    dataDirectory: folder.path,
    regions: [REGION, OTHER_REGION],
    requestQuotas: { rates: new Map(quotas.map((name) => [name, perSecond])), burstSeconds: 1, minBurst: requests },
  });
}

afterEach(async () => {
  await engine.close();
  folder.remove();
});

/** The name of the error, or "ok". */
async function call(operation: string, input: object, caller: Caller = CALLER, region = REGION): Promise<string> {
  try {
    await engine.call(operation as 'ListKeys', input, { caller, region });
    return 'ok';
  } catch (error) {
    return (error as Error).name;
  }
}

async function createKey(input: object = {}): Promise<string> {
  const { KeyMetadata } = await engine.call('CreateKey', input, { caller: CALLER, region: REGION });
  return KeyMetadata.Arn;
}

describe('a request that is counted', () => {
  it('is refused in the words of AWS when nothing is left', async () => {
    await open(['ListKeys'], 1);
    expect(await call('ListKeys', {})).toBe('ok');
    await expect(engine.call('ListKeys', {}, { caller: CALLER, region: REGION })).rejects.toMatchObject({
      name: 'ThrottlingException',
      httpStatus: 400,
      isRetryable: true,
      message: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
    });
    expect(await call('ListKeys', {}, CALLER, OTHER_REGION)).toBe('ok');
    expect(await call('ListKeys', {}, STRANGER)).toBe('ok');
  });

  it.each<[string, object, string]>([
    ['names no key', { KeyId: 'alias/nothing' }, 'NotFoundException'],
    ['is malformed', { KeyId: 5 }, 'SerializationException'],
    ['breaks a constraint', { KeyId: '' }, 'ValidationException'],
  ])('counts also when it %s', async (_what, input, name) => {
    await open(['DescribeKey'], 2);
    expect(await call('DescribeKey', input)).toBe(name);
    expect(await call('DescribeKey', input)).toBe(name);
    expect(await call('DescribeKey', input)).toBe('ThrottlingException');
  });

  it('counts also when it is denied, charged to who asked', async () => {
    await open(['DescribeKey'], 2);
    const KeyId = await createKey();
    expect(await call('DescribeKey', { KeyId }, STRANGER)).toBe('AccessDeniedException');
    expect(await call('DescribeKey', { KeyId }, STRANGER)).toBe('AccessDeniedException');
    expect(await call('DescribeKey', { KeyId }, STRANGER)).toBe('ThrottlingException');
    expect(await call('DescribeKey', { KeyId })).toBe('ok');
  });

  it('counts also as a dry run', async () => {
    await open(['CryptographicOperationsSymmetric'], 2);
    const input = { KeyId: await createKey(), Plaintext: Buffer.from('x'), DryRun: true };
    expect(await call('Encrypt', input)).toBe('DryRunOperationException');
    expect(await call('Encrypt', input)).toBe('DryRunOperationException');
    expect(await call('Encrypt', input)).toBe('ThrottlingException');
  });

  it('draws from the quota of the kind of its key, which operations share', async () => {
    await open(['CryptographicOperationsSymmetric', 'CryptographicOperationsEcc'], 3);
    const symmetric = await createKey();
    const hmac = await createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const ecc = await createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const sign = { KeyId: ecc, Message: Buffer.from('x'), SigningAlgorithm: 'ECDSA_SHA_256' };
    expect(await call('Encrypt', { KeyId: symmetric, Plaintext: Buffer.from('x') })).toBe('ok');
    expect(await call('GenerateMac', { KeyId: hmac, Message: Buffer.from('x'), MacAlgorithm: 'HMAC_SHA_256' })).toBe(
      'ok',
    );
    expect(await call('GenerateRandom', { NumberOfBytes: 8 })).toBe('ok');
    expect(await call('GenerateDataKey', { KeyId: symmetric, KeySpec: 'AES_256' })).toBe('ThrottlingException');
    for (let count = 0; count < 3; count++) {
      expect(await call('Sign', sign)).toBe('ok');
    }
    expect(await call('Sign', sign)).toBe('ThrottlingException');
  });

  it('has a quota for each spec of data key pairs', async () => {
    await open(['GenerateDataKeyPair.ECC_NIST_P256'], 1);
    const KeyId = await createKey();
    expect(await call('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' })).toBe('ok');
    const again = { KeyId, KeyPairSpec: 'ECC_NIST_P256' };
    expect(await call('GenerateDataKeyPairWithoutPlaintext', again)).toBe('ThrottlingException');
    expect(await call('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P384' })).toBe('ok');
  });

  it('counts a replication as two keys made in the Region of the replica', async () => {
    await open(['CreateKey'], 3);
    const KeyId = await createKey({ MultiRegion: true });
    expect(await call('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION })).toBe('ok');
    expect(await call('CreateKey', {}, CALLER, OTHER_REGION)).toBe('ok');
    expect(await call('CreateKey', {}, CALLER, OTHER_REGION)).toBe('ThrottlingException');
    expect(await call('CreateKey', {})).toBe('ok');
  });

  it('counts a change of the primary Region in both Regions', async () => {
    await open(['UpdatePrimaryRegion'], 1);
    const KeyId = await createKey({ MultiRegion: true });
    expect(await call('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION })).toBe('ok');
    expect(await call('UpdatePrimaryRegion', { KeyId, PrimaryRegion: OTHER_REGION })).toBe('ok');
    const back = { KeyId: KeyId.replace(REGION, OTHER_REGION), PrimaryRegion: REGION };
    expect(await call('UpdatePrimaryRegion', back, CALLER, OTHER_REGION)).toBe('ThrottlingException');
  });
});
