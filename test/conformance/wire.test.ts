/** Operations that are newer than many installed clients, as plain signed JSON; and what an answer is made of. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRawDoor, type RawDoor } from '../support/raw-door.ts';

let door: RawDoor;

beforeAll(async () => {
  door = await openRawDoor();
});

afterAll(async () => {
  await door.close();
});

async function newKey(input: object): Promise<{ readonly KeyId: string; readonly Arn: string }> {
  return (await door.answer('CreateKey', input))['KeyMetadata'] as { KeyId: string; Arn: string };
}

const bytesOf = (value: unknown): Buffer => Buffer.from(String(value), 'base64');

describe('without an SDK', () => {
  it.each([
    ['ML_KEM_512', 768],
    ['ML_KEM_768', 1088],
    ['ML_KEM_1024', 1568],
  ])('what Encapsulate makes under %s, Decapsulate recovers', async (KeySpec, ciphertextBytes) => {
    const { KeyId, Arn } = await newKey({ KeySpec, KeyUsage: 'ENCAPSULATE_DECAPSULATE' });
    const request = { KeyId, EncapsulationAlgorithm: 'ML_KEM' };
    const made = await door.answer('Encapsulate', request);
    const { SharedSecretCiphertextBlob, SharedSecret } = made;
    expect(Object.keys(made).sort()).toEqual([
      'EncapsulationAlgorithm',
      'KeyId',
      'SharedSecret',
      'SharedSecretCiphertextBlob',
    ]);
    expect(bytesOf(SharedSecretCiphertextBlob)).toHaveLength(ciphertextBytes);
    expect(bytesOf(SharedSecret)).toHaveLength(32);
    expect(await door.answer('Decapsulate', { ...request, SharedSecretCiphertextBlob })).toEqual({
      KeyId: Arn,
      SharedSecret,
      EncapsulationAlgorithm: 'ML_KEM',
    });
    const cut = bytesOf(SharedSecretCiphertextBlob).subarray(1).toString('base64');
    const refused = await door.call('Decapsulate', { ...request, SharedSecretCiphertextBlob: cut });
    expect(refused.body).toEqual({ __type: 'InvalidCiphertextException' });
  });

  it.each([
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'RAW', 100],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'DIGEST', 64],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'RAW', 100],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', 64],
  ])('what %s signs with %s of %s, it verifies', async (KeySpec, SigningAlgorithm, MessageType, length) => {
    const { KeyId, Arn } = await newKey({ KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const request = { KeyId, SigningAlgorithm, MessageType, Message: Buffer.alloc(length).toString('base64') };
    const { Signature } = await door.answer('Sign', request);
    expect(await door.answer('Verify', { ...request, Signature })).toEqual({
      KeyId: Arn,
      SignatureValid: true,
      SigningAlgorithm,
    });
  });
});

describe('an answer', () => {
  it('is an empty body where the operation answers nothing', async () => {
    const { KeyId } = await newKey({});
    expect(await door.call('DisableKey', { KeyId })).toEqual({ status: 200, text: '', body: {} });
  });

  it('has seconds for dates, base64 for bytes, and no null', async () => {
    const { text, body } = await door.call('CreateKey', { MultiRegion: true });
    const { CreationDate } = body['KeyMetadata'] as { CreationDate: number };
    expect(CreationDate).toBe(door.clock.nowMs() / 1000);
    expect(text).not.toContain('null');
    const random = await door.answer('GenerateRandom', { NumberOfBytes: 5 });
    expect(random['Plaintext']).toMatch(/^[A-Za-z0-9+/]{7}=$/);
  });
});
