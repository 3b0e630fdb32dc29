import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  MESSAGE_OVERHEAD_BYTES,
  type CryptoCore,
  type KeyHandle,
  type KeyType,
  type SymmetricKeyType,
} from '../../../src/core/crypto-core.ts';
import { counterModeKdf, openWithNode } from './message.ts';
import { expectStatus, flipBit, holds, octets, sampleBytes, suite } from './support.ts';

const TYPES: readonly SymmetricKeyType[] = ['aesGcm', 'aesKwp', 'backing', 'hmac', 'aesKw', 'aes128Gcm'];
const TYPE_NUMBER: Readonly<Record<SymmetricKeyType, number>> = {
  aesGcm: 1,
  aesKwp: 2,
  backing: 3,
  hmac: 4,
  aesKw: 5,
  aes128Gcm: 6,
};
const keyBytesOf = (type: SymmetricKeyType): number => (type === 'aes128Gcm' ? 16 : 32);

const aad = sampleBytes(7);

/** What the bytes of an `hmac` key do, which tells two of them apart. */
const fingerprint = (core: CryptoCore, key: KeyHandle): string => core.hmac(key, 'SHA-256', aad).toString('hex');

export const keyConformance = [
  suite('keys', (core) => {
    it('have the lengths of their type', () => {
      for (const type of ['aesGcm', 'aesKwp', 'backing', 'aesKw'] as const) {
        expect(core.importKey(type, sampleBytes(32)).type).toBe(type);
        for (const length of [0, 16, 31, 33]) {
          expectStatus(() => core.importKey(type, sampleBytes(length)), 'invalidArgument');
        }
        expectStatus(() => core.generateKey(type, 16), 'invalidArgument');
      }
      expect(core.importKey('aes128Gcm', sampleBytes(16)).type).toBe('aes128Gcm');
      for (const length of [0, 15, 17, 24, 32]) {
        expectStatus(() => core.importKey('aes128Gcm', sampleBytes(length)), 'invalidArgument');
        expectStatus(() => core.generateKey('aes128Gcm', length), 'invalidArgument');
      }
      for (const length of [1, 64, 1024]) expect(core.importKey('hmac', sampleBytes(length)).type).toBe('hmac');
      for (const length of [0, 1025]) {
        expectStatus(() => core.importKey('hmac', sampleBytes(length)), 'invalidArgument');
        expectStatus(() => core.generateKey('hmac', length), 'invalidArgument');
      }
    });

    it('are copies: the caller may wipe the bytes', () => {
      const bytes = sampleBytes(32);
      const key = core.importKey('hmac', bytes);
      const before = fingerprint(core, key);
      bytes.fill(0);
      expect(fingerprint(core, key)).toBe(before);
    });

    it('differ when they are generated', () => {
      expect(new Set(Array.from({ length: 200 }, () => fingerprint(core, core.generateKey('hmac')))).size).toBe(200);
    });

    it('show nothing of themselves', () => {
      const key = core.importKey('hmac', Buffer.from('canary-canary-canary'));
      expect(JSON.stringify(key)).toBe('{"type":"hmac"}');
      expect(Object.keys(key)).toEqual(['type']);
    });

    it('are gone once destroyed, and destroying twice does nothing', () => {
      const live = core.generateKey('hmac');
      const key = core.generateKey('hmac');
      key.destroy();
      key.destroy();
      const other = core.generateKey('hmac');
      expectStatus(() => core.hmac(key, 'SHA-256', aad), 'destroyedKey');
      expect(fingerprint(core, other)).not.toBe(fingerprint(core, live));
    });

    it('of every type raise destroyedKey in every operation once destroyed', () => {
      for (const operation of operationsOf(core)) {
        for (const type of operation.types) {
          const key = core.generateKey(type);
          key.destroy();
          expectStatus(() => operation.run(key), 'destroyedKey');
        }
      }
    });

    it('raise wrongKeyType in every operation for another type', () => {
      for (const operation of operationsOf(core)) {
        for (const type of TYPES.filter((other) => !operation.types.includes(other))) {
          expectStatus(() => operation.run(core.generateKey(type)), 'wrongKeyType');
        }
      }
    });

    it('give their secure memory back', () => {
      const before = core.info().secureHeap.usedBytes;
      for (let round = 0; round < 10_000; round++) core.generateKey('backing').destroy();
      expect(core.info().secureHeap.usedBytes).toBe(before);
    });
  }),
  suite('derivation', (core) => {
    it('is SP 800-108 in counter mode, as node:crypto computes it', () => {
      holds(
        fc.property(
          octets(32, 32),
          octets(40, 1),
          octets(80),
          fc.integer({ min: 1, max: 300 }),
          (key, text, context, n) => {
            const label = Buffer.from(text).map((byte) => byte || 1);
            const derived = core.deriveBytes(core.importKey('backing', key), label, context, n);
            expect(derived).toEqual(counterModeKdf(key, label, context, n));
          },
        ),
      );
    });

    it('gives up to 8160 bytes and no more', () => {
      const key = core.generateKey('backing');
      const label = Buffer.from('test');
      expect(core.deriveBytes(key, label, aad, 8160).length).toBe(8160);
      for (const length of [0, 8161, 0.5, -1]) {
        expectStatus(() => core.deriveBytes(key, label, aad, length), 'invalidArgument');
      }
    });

    it('makes the key whose bytes deriveBytes gives', () => {
      const key = core.generateKey('backing');
      const label = Buffer.from('test');
      const derived = core.deriveKey(key, label, aad, 'hmac');
      expect(fingerprint(core, derived)).toBe(
        fingerprint(core, core.importKey('hmac', core.deriveBytes(key, label, aad, 32))),
      );
    });

    it('makes keys of 16 bytes for AES-128', () => {
      const backing = core.generateKey('backing');
      const label = Buffer.from('test');
      const derived = core.deriveKey(backing, label, aad, 'aes128Gcm');
      const expected = core.importKey('aes128Gcm', core.deriveBytes(backing, label, aad, 16));
      expect(core.decrypt(expected, core.encrypt(derived, sampleBytes(40), aad), aad)).toEqual(sampleBytes(40));
    });

    it('refuses the labels of the core itself, and labels with a zero byte', () => {
      const key = core.generateKey('backing');
      for (const text of [
        'keywright/message/v1',
        'keywright/message',
        'keywright/wrap/v1',
        'keywright/wrap/v2',
        'a\0b',
      ]) {
        expectStatus(() => core.deriveBytes(key, Buffer.from(text), aad, 64), 'invalidArgument');
        expectStatus(() => core.deriveKey(key, Buffer.from(text), aad, 'hmac'), 'invalidArgument');
      }
    });

    it('from a passphrase is Argon2id, as the reference implementation computes it', () => {
      const passphrase = Buffer.from('correct horse battery staple');
      const salt = Buffer.from('0123456789abcdef');
      const key = core.deriveKeyFromPassphrase(passphrase, salt, { memoryKiB: 4096, iterations: 3 });
      expect(key.type).toBe('backing');
      const bytes = Buffer.from('2f8186f7b07132513ebb79a01833cb875faee5432f2c21d0093c70202b339837', 'hex');
      const label = Buffer.from('test');
      expect(core.deriveBytes(key, label, aad, 32)).toEqual(counterModeKdf(bytes, label, aad, 32));
    });

    it('from a passphrase refuses costs and salts out of bounds', () => {
      const derive = (salt: number, memoryKiB: number, iterations: number, secret = 8) => {
        return () => core.deriveKeyFromPassphrase(sampleBytes(secret), sampleBytes(salt), { memoryKiB, iterations });
      };
      for (const [salt, memory, iterations, secret] of [
        [15, 8, 1],
        [65, 8, 1],
        [16, 7, 1],
        [16, 2 ** 32, 1],
        [16, 8, 0],
        [16, 8, 1.5],
        [16, 8, 1, 0],
      ] as const) {
        expectStatus(derive(salt, memory, iterations, secret), 'invalidArgument');
      }
    });
  }),
  suite('wrapKey and unwrapKey', (core) => {
    it('give back the key', () => {
      const kek = core.generateKey('backing');
      holds(
        fc.property(octets(1024, 1), octets(50), (bytes, bound) => {
          const key = core.importKey('hmac', bytes);
          const wrapped = core.wrapKey(kek, key, bound);
          expect(wrapped.length).toBe(bytes.length + MESSAGE_OVERHEAD_BYTES);
          const unwrapped = core.unwrapKey(kek, wrapped, bound, 'hmac');
          expect(fingerprint(core, unwrapped)).toBe(fingerprint(core, key));
          key.destroy();
          unwrapped.destroy();
        }),
      );
    });

    it('are the documented construction, as node:crypto computes it', () => {
      const kek = sampleBytes(32, 9);
      for (const type of TYPES) {
        const bytes = sampleBytes(keyBytesOf(type));
        const wrapped = core.wrapKey(core.importKey('backing', kek), core.importKey(type, bytes), aad);
        const bound = Buffer.concat([Buffer.of(TYPE_NUMBER[type]), aad]);
        expect(openWithNode(kek, 'keywright/wrap/v1', wrapped, bound)).toEqual(bytes);
      }
    });

    it('reject another kek, AAD or type, and a change of any bit', () => {
      const kek = core.generateKey('backing');
      const wrapped = core.wrapKey(kek, core.generateKey('aesGcm'), aad);
      const unwrap = (bytes: Uint8Array, bound: Uint8Array, type: KeyType, by = kek): (() => unknown) => {
        return () => core.unwrapKey(by, bytes, bound, type);
      };
      expectStatus(unwrap(wrapped, aad, 'aesGcm', core.generateKey('backing')), 'authenticationFailed');
      expectStatus(unwrap(wrapped, aad.subarray(1), 'aesGcm'), 'authenticationFailed');
      for (const type of ['aesKwp', 'backing', 'hmac'] as const) {
        expectStatus(unwrap(wrapped, aad, type), 'authenticationFailed');
      }
      for (let bit = 0; bit < wrapped.length * 8; bit++) {
        expectStatus(unwrap(flipBit(wrapped, bit), aad, 'aesGcm'), 'authenticationFailed');
      }
      for (const length of [0, 63, 64, 65, 95, 97, 5000]) {
        expectStatus(unwrap(Buffer.alloc(length), aad, 'aesGcm'), 'authenticationFailed');
      }
    });

    it('do not open messages, and messages do not open wrapped keys', () => {
      const kek = core.generateKey('backing');
      const message = core.encryptMessage(kek, new Uint8Array(0), Buffer.concat([Buffer.of(4), aad]), sampleBytes(32));
      expectStatus(() => core.unwrapKey(kek, message, aad, 'hmac'), 'authenticationFailed');
      const wrapped = core.wrapKey(kek, core.generateKey('hmac'), aad);
      expectStatus(
        () => core.decryptMessage(kek, 0, wrapped, Buffer.concat([Buffer.of(4), aad])),
        'authenticationFailed',
      );
    });
  }),
  suite('kwpWrap and kwpUnwrap', (core) => {
    it('give back the key', () => {
      const kek = core.generateKey('aesKwp');
      for (const length of [1, 7, 8, 9, 16, 31, 32, 33, 1024]) {
        const key = core.generateKey('hmac', length);
        const wrapped = core.kwpWrap(kek, key);
        expect(wrapped.length).toBe(Math.ceil(length / 8) * 8 + 8);
        expect(fingerprint(core, core.kwpUnwrap(kek, wrapped, 'hmac'))).toBe(fingerprint(core, key));
      }
    });

    it('reject another kek, a type without keys of that length, and a change of any bit', () => {
      const kek = core.generateKey('aesKwp');
      const wrapped = core.kwpWrap(kek, core.generateKey('hmac', 24));
      expectStatus(() => core.kwpUnwrap(core.generateKey('aesKwp'), wrapped, 'hmac'), 'authenticationFailed');
      expectStatus(() => core.kwpUnwrap(kek, wrapped, 'aesGcm'), 'authenticationFailed');
      for (let bit = 0; bit < wrapped.length * 8; bit++) {
        expectStatus(() => core.kwpUnwrap(kek, flipBit(wrapped, bit), 'hmac'), 'authenticationFailed');
      }
      for (const length of [0, 8, 15, 17, 2000]) {
        expectStatus(() => core.kwpUnwrap(kek, Buffer.alloc(length), 'hmac'), 'authenticationFailed');
      }
    });
  }),
] as const;

interface Operation {
  readonly types: readonly SymmetricKeyType[];
  readonly run: (key: KeyHandle) => unknown;
}

/** Every operation that takes a key, as one that works for keys of `types`. */
function operationsOf(core: CryptoCore): Operation[] {
  const none = new Uint8Array(0);
  const label = Buffer.from('test');
  const out = Buffer.alloc(300);
  const items = { data: sampleBytes(5), ends: Uint32Array.of(5) };
  const target = core.generateKey('hmac');
  const backing = (run: Operation['run']): Operation => ({ types: ['backing'], run });
  const aesGcm = (run: Operation['run']): Operation => ({ types: ['aesGcm', 'aes128Gcm'], run });
  const aesKwp = (run: Operation['run']): Operation => ({ types: ['aesKwp'], run });
  const hmac = (run: Operation['run']): Operation => ({ types: ['hmac'], run });
  return [
    aesGcm((key) => core.encrypt(key, none)),
    aesGcm((key) => core.decrypt(key, sampleBytes(28))),
    aesGcm((key) => core.encryptInto(key, none, undefined, out)),
    aesGcm((key) => core.decryptInto(key, sampleBytes(28), undefined, out)),
    aesGcm((key) => core.encryptBatchInto(key, items, undefined, out)),
    aesGcm((key) => core.decryptBatchInto(key, items, undefined, out)),
    backing((key) => core.encryptMessage(key, none, none, none)),
    backing((key) => core.decryptMessage(key, 0, sampleBytes(64), none)),
    backing((key) => core.encryptMessageInto(key, none, none, none, out)),
    backing((key) => core.decryptMessageInto(key, 0, sampleBytes(64), none, out)),
    backing((key) => core.encryptMessageBatchInto(key, none, none, items, out)),
    backing((key) => core.decryptMessageBatchInto(key, 0, none, items, out)),
    backing((key) => core.generateDataKey(key, none, none, 32)),
    backing((key) => core.generateDataKeyWithoutPlaintext(key, none, none, 32)),
    backing((key) => core.generateDataKeyBatchInto(key, none, none, 1, 1, Buffer.alloc(1), out)),
    backing((key) => core.deriveBytes(key, label, none, 1)),
    backing((key) => core.deriveKey(key, label, none, 'hmac')),
    backing((key) => core.wrapKey(key, target, none)),
    backing((key) => core.unwrapKey(key, sampleBytes(96), none, 'hmac')),
    aesKwp((key) => core.kwpWrap(key, target)),
    aesKwp((key) => core.kwpUnwrap(key, sampleBytes(40), 'hmac')),
    hmac((key) => core.hmac(key, 'SHA-256', none)),
    hmac((key) => core.hmacVerify(key, 'SHA-256', none, none)),
    hmac((key) => core.deriveHmacKey(key, 'SHA-256', none)),
  ];
}
