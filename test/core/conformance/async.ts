import { expect, it } from 'vitest';
import { AEAD_OVERHEAD_BYTES } from '../../../src/core/crypto-core.ts';
import { CoreError, type CoreStatusName } from '../../../src/core/status.ts';
import { sharedPair } from './pairs.ts';
import { flipBit, sampleBytes, suite } from './support.ts';

const aad = sampleBytes(7);

export async function expectRejection(promise: Promise<unknown>, status: CoreStatusName): Promise<void> {
  const reason: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(reason).toBeInstanceOf(CoreError);
  expect((reason as CoreError).status).toBe(status);
}

export const asyncConformance = [
  suite('asynchronous operations', (core) => {
    it('do what their namesakes do', async () => {
      const key = await core.generateKeyPairAsync('p256');
      const signature = await core.signAsync(key, 'ECDSA_SHA_256', 'RAW', aad);
      expect(core.verify(key, 'ECDSA_SHA_256', 'RAW', aad, signature)).toBe(true);
      expect(await core.verifyAsync(key, 'ECDSA_SHA_256', 'RAW', aad, signature)).toBe(true);
      expect(await core.verifyAsync(key, 'ECDSA_SHA_256', 'RAW', sampleBytes(8), signature)).toBe(false);
      expect(await core.verifyAsync(key, 'ECDSA_SHA_256', 'RAW', aad, Buffer.alloc(9000, signature))).toBe(false);
      const other = sharedPair(core, 'p256');
      expect(await core.ecdhAsync(key, core.exportPublicKey(other))).toEqual(
        core.ecdh(other, core.exportPublicKey(key)),
      );
      const rsa = sharedPair(core, 'rsa2048');
      const sealed = await core.publicEncryptAsync(rsa, 'RSAES_OAEP_SHA_1', aad);
      expect(core.privateDecrypt(rsa, 'RSAES_OAEP_SHA_1', sealed)).toEqual(aad);
      const ciphertext = core.publicEncrypt(rsa, 'RSAES_OAEP_SHA_256', aad);
      expect(await core.privateDecryptAsync(rsa, 'RSAES_OAEP_SHA_256', ciphertext)).toEqual(aad);
      const wrapped = core.publicEncrypt(rsa, 'RSAES_OAEP_SHA_1', sampleBytes(32));
      const imported = await core.unwrapImportedAsync(rsa, 'RSAES_OAEP_SHA_1', wrapped, 'hmac', 32);
      expect(core.hmac(imported, 'SHA-256', aad)).toEqual(
        core.hmac(core.importKey('hmac', sampleBytes(32)), 'SHA-256', aad),
      );
      const kem = sharedPair(core, 'mlKem768');
      const sent = await core.encapsulateAsync(kem);
      expect(await core.decapsulateAsync(kem, sent.ciphertext)).toEqual(sent.sharedSecret);
      const backing = core.generateKey('backing');
      const pair = await core.generateDataKeyPairAsync(backing, aad, aad, 'rsa2048');
      expect(core.decryptMessage(backing, aad.length, pair.blob, aad)).toEqual(pair.privateKey);
      expect(core.exportPublicKey(core.importPrivateKey('rsa2048', pair.privateKey))).toEqual(pair.publicKey);
    });

    it('encrypt and decrypt large buffers in place of the caller', async () => {
      const key = core.generateKey('aesGcm');
      const plaintext = core.randomBytes(2 ** 20);
      const sealed = Buffer.alloc(plaintext.length + AEAD_OVERHEAD_BYTES + 5);
      expect(await core.encryptIntoAsync(key, plaintext, aad, sealed, 5)).toBe(plaintext.length + 28);
      const opened = Buffer.alloc(plaintext.length);
      expect(core.decryptInto(key, sealed.subarray(5), aad, opened)).toBe(plaintext.length);
      expect(opened.equals(plaintext)).toBe(true);
      opened.fill(0);
      expect(await core.decryptIntoAsync(key, sealed.subarray(5), aad, opened)).toBe(plaintext.length);
      expect(opened.equals(plaintext)).toBe(true);
      await expectRejection(
        core.decryptIntoAsync(key, flipBit(sealed.subarray(5), 999), aad, opened),
        'authenticationFailed',
      );
      expect(opened.equals(Buffer.alloc(plaintext.length))).toBe(true);
      await expectRejection(core.encryptIntoAsync(key, plaintext, aad, opened), 'bufferTooSmall');
      await expectRejection(core.encryptIntoAsync(key, opened, aad, opened.subarray(100)), 'bufferTooSmall');
    });

    it('may run many at a time, and outlive their key', async () => {
      const key = await core.generateKeyPairAsync('rsa2048');
      const verifier = core.importPublicKey('rsa2048', core.exportPublicKey(key));
      const pending = Array.from({ length: 30 }, async (_, index) => {
        const message = sampleBytes(40, index);
        const signature = await core.signAsync(key, 'RSASSA_PSS_SHA_256', 'RAW', message);
        return core.verify(verifier, 'RSASSA_PSS_SHA_256', 'RAW', message, signature);
      });
      key.destroy();
      expect(new Set(await Promise.all(pending))).toEqual(new Set([true]));
    });

    it('give each of many short ones its own result', async () => {
      const keys = Array.from({ length: 8 }, () => core.generateKeyPair('ed25519'));
      const pending = Array.from({ length: 400 }, async (_, index) => {
        const key = keys[index % keys.length]!;
        const message = sampleBytes(1 + (index % 100), index);
        const signature = await core.signAsync(key, 'ED25519_SHA_512', 'RAW', message);
        // Others get in between, some of which fail.
        const refused = expectRejection(core.decapsulateAsync(key, message), 'wrongKeyType');
        const isValid = await core.verifyAsync(key, 'ED25519_SHA_512', 'RAW', message, signature);
        const isValidElsewhere = await core.verifyAsync(
          keys[(index + 1) % keys.length]!,
          'ED25519_SHA_512',
          'RAW',
          message,
          signature,
        );
        await refused;
        return [isValid, isValidElsewhere];
      });
      for (const result of await Promise.all(pending)) expect(result).toEqual([true, false]);
    });

    it('read their input before they return', async () => {
      const key = sharedPair(core, 'p256');
      const message = sampleBytes(32);
      const pending = core.signAsync(key, 'ECDSA_SHA_256', 'RAW', message);
      message.fill(0);
      expect(core.verify(key, 'ECDSA_SHA_256', 'RAW', sampleBytes(32), await pending)).toBe(true);
    });

    it('reject by the same statuses', async () => {
      const key = sharedPair(core, 'p256');
      const rsa = sharedPair(core, 'rsa2048');
      const gone = core.generateKeyPair('p256');
      gone.destroy();
      await expectRejection(core.signAsync(gone, 'ECDSA_SHA_256', 'RAW', aad), 'destroyedKey');
      await expectRejection(core.signAsync(key, 'ECDSA_SHA_384', 'RAW', aad), 'wrongKeyType');
      await expectRejection(core.signAsync(key, 'ECDSA_SHA_256', 'DIGEST', aad), 'invalidLength');
      await expectRejection(core.signAsync(key, 'none' as 'SM2DSA', 'RAW', aad), 'invalidArgument');
      await expectRejection(core.signAsync(key, 'ECDSA_SHA_256', 'RAW', 'text' as never), 'invalidArgument');
      await expectRejection(core.verifyAsync(gone, 'ECDSA_SHA_256', 'RAW', aad, aad), 'destroyedKey');
      await expectRejection(core.verifyAsync(key, 'ECDSA_SHA_256', 'DIGEST', aad, aad), 'invalidLength');
      await expectRejection(core.verifyAsync(key, 'ECDSA_SHA_256', 'RAW', aad, 'x' as never), 'invalidArgument');
      await expectRejection(core.publicEncryptAsync(key, 'RSAES_OAEP_SHA_1', aad), 'wrongKeyType');
      await expectRejection(core.publicEncryptAsync(rsa, 'RSAES_OAEP_SHA_1', Buffer.alloc(300)), 'invalidArgument');
      await expectRejection(core.ecdhAsync(key, aad), 'invalidKey');
      await expectRejection(core.ecdhAsync(rsa, core.exportPublicKey(key)), 'wrongKeyType');
      await expectRejection(core.privateDecryptAsync(rsa, 'RSAES_OAEP_SHA_1', aad), 'authenticationFailed');
      await expectRejection(core.encapsulateAsync(key), 'wrongKeyType');
      await expectRejection(core.decapsulateAsync(sharedPair(core, 'mlKem512'), aad), 'invalidArgument');
      await expectRejection(core.generateKeyPairAsync('hmac' as 'p256'), 'invalidArgument');
      await expectRejection(core.generateDataKeyPairAsync(key, aad, aad, 'p256'), 'wrongKeyType');
      await expectRejection(core.unwrapImportedAsync(key, 'SM2PKE', aad, 'hmac'), 'wrongKeyType');
    });
  }),
] as const;
