import { expect, it } from 'vitest';
import type { BatchOperation, BatchResults, CryptoCore, KeyHandle } from '../../../src/core/crypto-core.ts';
import { CORE_STATUS } from '../../../src/core/status.ts';
import { expectRejection } from './async.ts';
import { sharedPair } from './pairs.ts';
import { flipBit, pack, sampleBytes, suite, unpack } from './support.ts';

const SIGN = { operation: 'sign', algorithm: 'ED25519_SHA_512', messageType: 'RAW' } as const;
const VERIFY = { ...SIGN, operation: 'verify' } as const;
const MAC = { operation: 'hmac', algorithm: 'SHA-256' } as const;
const { ok, authenticationFailed } = CORE_STATUS;

const messages = Array.from({ length: 20 }, (_, index) => sampleBytes(index * 5, index));

/** The results, each of which must be there. */
async function resultsOf(
  core: CryptoCore,
  key: KeyHandle,
  operation: BatchOperation,
  items: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const results = await core.batchAsync(key, operation, pack(items));
  expect([...results.statuses]).toEqual(items.map(() => ok));
  return unpack(results);
}

async function statusesOf(promise: Promise<BatchResults>): Promise<number[]> {
  return [...(await promise).statuses];
}

const plain = (bytes: readonly Uint8Array[]): Buffer[] => bytes.map((item) => Buffer.from(item));

export const batchConformance = [
  suite('batches', (core) => {
    it('sign and verify every message', async () => {
      const key = sharedPair(core, 'ed25519');
      const signatures = await resultsOf(core, key, SIGN, messages);
      for (const [index, message] of messages.entries())
        expect(core.verify(key, 'ED25519_SHA_512', 'RAW', message, signatures[index]!)).toBe(true);
      const verified = await core.batchAsync(key, VERIFY, pack(messages), pack(signatures));
      expect(verified.data).toHaveLength(0);
      expect([...verified.statuses]).toEqual(messages.map(() => ok));
    });

    it('sign in lengths that differ', async () => {
      const key = sharedPair(core, 'p256');
      const signatures = await resultsOf(core, key, { ...SIGN, algorithm: 'ECDSA_SHA_256' }, messages);
      for (const [index, message] of messages.entries())
        expect(core.verify(key, 'ECDSA_SHA_256', 'RAW', message, signatures[index]!)).toBe(true);
    });

    it('encrypt and decrypt, empty plaintexts too', async () => {
      const key = sharedPair(core, 'rsa2048');
      const algorithm = 'RSAES_OAEP_SHA_256';
      const plaintexts = messages.slice(0, 6);
      const ciphertexts = await resultsOf(core, key, { operation: 'publicEncrypt', algorithm }, plaintexts);
      expect(ciphertexts.map((ciphertext) => core.privateDecrypt(key, algorithm, ciphertext))).toEqual(plaintexts);
      const decrypted = await resultsOf(core, key, { operation: 'privateDecrypt', algorithm }, ciphertexts);
      expect(plain(decrypted)).toEqual(plaintexts);
    });

    it('agree on keys', async () => {
      const key = sharedPair(core, 'p384');
      const peers = Array.from({ length: 4 }, () => core.exportPublicKey(core.generateKeyPair('p384')));
      const secrets = await resultsOf(core, key, { operation: 'ecdh' }, peers);
      expect(plain(secrets)).toEqual(peers.map((peer) => core.ecdh(key, peer)));
    });

    it('encapsulate and decapsulate', async () => {
      const key = sharedPair(core, 'mlKem768');
      const sent = await resultsOf(
        core,
        key,
        { operation: 'encapsulate' },
        Array<Uint8Array>(5).fill(new Uint8Array(0)),
      );
      const secrets = sent.map((result) => Buffer.from(result.subarray(0, 32)));
      const ciphertexts = sent.map((result) => result.subarray(32));
      expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(5);
      const received = await resultsOf(core, key, { operation: 'decapsulate' }, ciphertexts);
      expect(plain(received)).toEqual(secrets);
    });

    it('authenticate and check', async () => {
      const key = core.generateKey('hmac');
      const macs = await resultsOf(core, key, MAC, messages);
      expect(plain(macs)).toEqual(messages.map((message) => core.hmac(key, 'SHA-256', message)));
      const changed = macs.map((mac, index) => (index % 3 === 0 ? flipBit(mac, index) : mac));
      const statuses = core.batchAsync(key, { ...MAC, operation: 'hmacVerify' }, pack(messages), pack(changed));
      expect(await statusesOf(statuses)).toEqual(macs.map((_, index) => (index % 3 === 0 ? authenticationFailed : ok)));
    });

    it('give the others their results when some items fail', async () => {
      const { operation, ...digest } = { ...SIGN, algorithm: 'ECDSA_SHA_256', messageType: 'DIGEST' } as const;
      const key = sharedPair(core, 'p256');
      const items = messages.map((_, index) => sampleBytes(index % 4 === 1 ? 31 : 32, index));
      const isWrong = items.map(({ length }) => length !== 32);
      const signed = await core.batchAsync(key, { operation, ...digest }, pack(items));
      expect([...signed.statuses]).toEqual(isWrong.map((wrong) => (wrong ? CORE_STATUS.invalidLength : ok)));
      const signatures = unpack(signed);
      for (const [index, item] of items.entries()) {
        if (isWrong[index] === true) expect(signatures[index]).toHaveLength(0);
        else expect(core.verify(key, 'ECDSA_SHA_256', 'DIGEST', item, signatures[index]!)).toBe(true);
      }

      const other = core.generateKeyPair('p256');
      const mixed = items.map((item, index) =>
        index % 2 === 0 || isWrong[index] === true
          ? signatures[index]!
          : core.sign(other, 'ECDSA_SHA_256', 'DIGEST', item),
      );
      const verified = core.batchAsync(key, { operation: 'verify', ...digest }, pack(items), pack(mixed));
      const expected = items.map((_, index) => (index % 2 === 0 ? ok : authenticationFailed));
      const statuses = await statusesOf(verified);
      expect(statuses).toEqual(expected.map((status, index) => (isWrong[index] ? CORE_STATUS.invalidLength : status)));

      const kem = sharedPair(core, 'mlKem512');
      const { sharedSecret, ciphertext } = core.encapsulate(kem);
      const opened = await core.batchAsync(
        kem,
        { operation: 'decapsulate' },
        pack([ciphertext, messages[3]!, ciphertext]),
      );
      expect([...opened.statuses]).toEqual([ok, CORE_STATUS.invalidArgument, ok]);
      expect(plain(unpack(opened))).toEqual([sharedSecret, Buffer.alloc(0), sharedSecret]);
    });

    it('keep the order of many items, beside others and single operations', async () => {
      const keys = Array.from({ length: 3 }, () => core.generateKey('hmac'));
      const pair = sharedPair(core, 'ed25519');
      const items = Array.from({ length: 3000 }, (_, index) => sampleBytes(index % 70, index));
      const batches = keys.map(async (key) => [key, await resultsOf(core, key, MAC, items)] as const);
      const signatures = Array.from({ length: 20 }, async () =>
        core.signAsync(pair, 'ED25519_SHA_512', 'RAW', items[9]!),
      );
      for (const [key, macs] of await Promise.all(batches)) {
        for (const [index, item] of items.entries())
          if (!core.hmacVerify(key, 'SHA-256', item, macs[index]!)) expect.fail(`the MAC of item ${index} is wrong`);
      }
      for (const signature of await Promise.all(signatures))
        expect(core.verify(pair, 'ED25519_SHA_512', 'RAW', items[9]!, signature)).toBe(true);
    });

    it('read their items before they return, and outlive their key', async () => {
      const key = core.generateKeyPair('ed25519');
      const verifier = core.importPublicKey('ed25519', core.exportPublicKey(key));
      const items = pack(messages);
      const pending = core.batchAsync(key, SIGN, items);
      items.data.fill(0);
      items.ends.fill(0);
      key.destroy();
      const { data, ends } = await pending;
      expect(await statusesOf(core.batchAsync(verifier, VERIFY, pack(messages), { data, ends }))).toEqual(
        messages.map(() => ok),
      );
    });

    it('may be empty, and ignore bytes behind their last item', async () => {
      const key = sharedPair(core, 'ed25519');
      expect(await core.batchAsync(key, SIGN, pack([]))).toEqual({
        data: Buffer.alloc(0),
        ends: new Uint32Array(0),
        statuses: Buffer.alloc(0),
      });
      const hmac = core.generateKey('hmac');
      const { data } = await core.batchAsync(hmac, MAC, { data: sampleBytes(9), ends: Uint32Array.of(4) });
      expect(Buffer.from(data)).toEqual(core.hmac(hmac, 'SHA-256', sampleBytes(4)));
    });

    it('reject what concerns all items', async () => {
      const key = sharedPair(core, 'ed25519');
      const hmac = core.generateKey('hmac');
      const gone = core.generateKeyPair('ed25519');
      gone.destroy();
      const items = pack(messages);
      const run = async (of: KeyHandle, ...rest: unknown[]): Promise<unknown> =>
        Reflect.apply(core.batchAsync, core, [of, ...rest]) as Promise<unknown>;
      await expectRejection(run(gone, SIGN, items), 'destroyedKey');
      await expectRejection(run(gone, SIGN, pack([])), 'destroyedKey');
      await expectRejection(run(hmac, SIGN, items), 'wrongKeyType');
      await expectRejection(run(key, MAC, items), 'wrongKeyType');
      await expectRejection(run(hmac, { operation: 'encapsulate' }, pack([new Uint8Array(0)])), 'wrongKeyType');
      await expectRejection(run(hmac, { operation: 'ecdh' }, items), 'wrongKeyType');
      await expectRejection(
        run(core.importPublicKey('ed25519', core.exportPublicKey(key)), SIGN, items),
        'wrongKeyType',
      );
      for (const rest of [
        [undefined, items],
        [{ operation: 'none' }, items],
        [{ ...SIGN, algorithm: 'none' }, items],
        [{ ...SIGN, messageType: 'none' }, items],
        [SIGN],
        [SIGN, null],
        [SIGN, { data: items.data, ends: [1, 2] }],
        [SIGN, { data: 'text', ends: items.ends }],
        [SIGN, { data: items.data, ends: Uint32Array.of(5, 4) }],
        [SIGN, { data: items.data, ends: Uint32Array.of(items.data.length + 1) }],
        [SIGN, items, items],
        [VERIFY, items],
        [VERIFY, items, pack(messages.slice(1))],
      ])
        await expectRejection(run(key, ...rest), 'invalidArgument');
    });

    it('refuse an item where none is due', async () => {
      const key = sharedPair(core, 'mlKem512');
      const statuses = core.batchAsync(key, { operation: 'encapsulate' }, pack([new Uint8Array(0), sampleBytes(1)]));
      expect(await statusesOf(statuses)).toEqual([ok, CORE_STATUS.invalidArgument]);
    });
  }),
] as const;
