import { createHmac } from 'node:crypto';
import {
  DisableKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
  VerifyMacCommand,
  type KeySpec,
  type MacAlgorithmSpec,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const SPECS: readonly (readonly [KeySpec, MacAlgorithmSpec, number])[] = [
  ['HMAC_224', 'HMAC_SHA_224', 28],
  ['HMAC_256', 'HMAC_SHA_256', 32],
  ['HMAC_384', 'HMAC_SHA_384', 48],
  ['HMAC_512', 'HMAC_SHA_512', 64],
];

describeKms('MACs', (suite) => {
  const Message = Buffer.from('a message');

  it.each(SPECS)('a key of spec %s makes MACs that it verifies', async (KeySpec, MacAlgorithm, length) => {
    const metadata = await suite.createKey({ KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC' });
    expect(metadata).toMatchObject({ KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC', MacAlgorithms: [MacAlgorithm] });
    expect(metadata).not.toHaveProperty('EncryptionAlgorithms');
    expect(metadata).not.toHaveProperty('CurrentKeyMaterialId');
    const { KeyId, Arn } = metadata;
    const made = await suite.kms.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm }));
    expect(made).toMatchObject({ KeyId: Arn, MacAlgorithm });
    expect(made.Mac?.length).toBe(length);
    const again = await suite.kms.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm }));
    expect(Buffer.from(again.Mac ?? [])).toEqual(Buffer.from(made.Mac ?? []));
    const verified = await suite.kms.send(new VerifyMacCommand({ KeyId, Message, MacAlgorithm, Mac: made.Mac }));
    expect(verified).toMatchObject({ KeyId: Arn, MacValid: true, MacAlgorithm });
    expect(Buffer.from(made.Mac ?? [])).not.toEqual(createHmac('sha256', '').update(Message).digest());
  });

  it('a wrong MAC is an error', async () => {
    const { KeyId } = await suite.createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const MacAlgorithm = 'HMAC_SHA_256';
    const { Mac = new Uint8Array() } = await suite.kms.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm }));
    const changed = Uint8Array.from(Mac);
    changed[0] = (changed[0] ?? 0) ^ 1;
    for (const wrong of [changed, Mac.subarray(0, 31), Buffer.concat([Mac, Buffer.alloc(1)])]) {
      await expectError(
        suite.kms.send(new VerifyMacCommand({ KeyId, Message, MacAlgorithm, Mac: wrong })),
        'KMSInvalidMacException',
      );
    }
    await expectError(
      suite.kms.send(new VerifyMacCommand({ KeyId, Message: Buffer.from('another'), MacAlgorithm, Mac })),
      'KMSInvalidMacException',
    );
  });

  it('the algorithm must belong to the spec, and the operation to the usage', async () => {
    const mac = await suite.createKey({ KeySpec: 'HMAC_224', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const symmetric = await suite.createKey();
    await expectError(
      suite.kms.send(new GenerateMacCommand({ KeyId: mac.KeyId, Message, MacAlgorithm: 'HMAC_SHA_256' })),
      'InvalidKeyUsageException',
      'Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.',
    );
    await expectError(
      suite.kms.send(new GenerateMacCommand({ KeyId: symmetric.KeyId, Message, MacAlgorithm: 'HMAC_SHA_256' })),
      'InvalidKeyUsageException',
      `${symmetric.Arn} key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac.`,
    );
    await expectError(
      suite.kms.send(new EncryptCommand({ KeyId: mac.KeyId, Plaintext: Message })),
      'InvalidKeyUsageException',
      `${mac.Arn} key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt.`,
    );
  });

  it('an HMAC key never rotates', async () => {
    const { KeyId } = await suite.createKey({ KeySpec: 'HMAC_512', KeyUsage: 'GENERATE_VERIFY_MAC' });
    await expectError(suite.kms.send(new RotateKeyOnDemandCommand({ KeyId })), 'UnsupportedOperationException');
    expect(await suite.kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: false,
    });
    expect((await suite.kms.send(new ListKeyRotationsCommand({ KeyId }))).Rotations).toEqual([]);
  });

  it('a disabled HMAC key refuses use, and a dry run makes nothing', async () => {
    const { KeyId, Arn } = await suite.createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    const make = (DryRun?: boolean): Promise<unknown> =>
      suite.kms.send(new GenerateMacCommand({ KeyId, Message, MacAlgorithm: 'HMAC_SHA_256', DryRun }));
    await expectError(make(true), 'DryRunOperationException');
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    await expectError(make(), 'DisabledException', `${Arn} is disabled.`);
  });
});
