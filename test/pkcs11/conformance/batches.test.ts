/** Operations on many items in one request: what is promised of each kind. */
import { constants, createHash, createHmac, createPublicKey, publicEncrypt, randomBytes, verify } from 'node:crypto';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { Pkcs11Error, type Pkcs11Token } from '../../../src/pkcs11/token.ts';
import { describeTokens, type Bench } from './suite.ts';

type Outputs = readonly (Buffer | Pkcs11Error)[];

interface BatchKind {
  readonly title: string;
  /** The functions of the module behind it. */
  readonly calls: readonly [begin: string, end: string];
  /** With a key that it makes; `count` items that are good. */
  prepare(token: Pkcs11Token, count: number): Promise<Prepared>;
}

interface Prepared {
  readonly items: readonly Buffer[];
  /** An item that fails by itself, and why. */
  readonly bad: Buffer;
  readonly reason: Pkcs11Error['reason'];
  batch(items: readonly Buffer[], keyId?: Buffer): Promise<Outputs>;
  one(item: Buffer): Promise<Buffer>;
  /** Whether node:crypto finds the output of an item right. */
  isRight(output: Buffer, index: number): boolean;
}

const SHA1_OAEP = constants.RSA_PKCS1_OAEP_PADDING;
/** More than one job of either size, and not a multiple of it. */
const MANY = 150;

function texts(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(`item ${index}`));
}

function digestOf(message: Buffer): Buffer {
  return createHash('sha256').update(message).digest();
}

function publicKeyOf(spki: Buffer): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

async function prepareMacs(token: Pkcs11Token, count: number): Promise<Prepared> {
  const [transport, id, key] = [randomBytes(8), randomBytes(8), randomBytes(32)];
  const plan = { label: '' } as const;
  const spki = await token.generateKeyPair({ ...plan, id: transport, type: 'rsa2048Wrap' });
  const wrapped = publicEncrypt({ key: publicKeyOf(spki), padding: SHA1_OAEP }, key);
  await token.unwrapKey(transport, 'rsaOaepSha1', wrapped, { ...plan, id, type: 'hmac' });
  const items = texts(count);
  return {
    items,
    bad: Buffer.alloc(20_000),
    reason: 'tooLong',
    batch: (messages, keyId = id) => token.generateMacBatch(keyId, 'SHA-256', messages),
    one: (message) => token.generateMac(id, 'SHA-256', message),
    isRight: (output, index) => createHmac('sha256', key).update(items[index]!).digest().equals(output),
  };
}

function preparing(type: 'rsa2048' | 'p256', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256' | 'ECDSA_SHA_256') {
  return async (token: Pkcs11Token, count: number): Promise<Prepared> => {
    const id = randomBytes(8);
    const key = publicKeyOf(await token.generateKeyPair({ id, label: '', type }));
    const messages = texts(count);
    return {
      items: messages.map(digestOf),
      bad: Buffer.alloc(31),
      reason: 'invalidArgument',
      batch: (digests, keyId = id) => token.signBatch(keyId, algorithm, digests),
      one: (digest) => token.sign(id, algorithm, digest),
      isRight: (output, index) => verify('sha256', messages[index]!, key, output),
    };
  };
}

async function prepareCiphertexts(token: Pkcs11Token, count: number): Promise<Prepared> {
  const id = randomBytes(8);
  const key = publicKeyOf(await token.generateKeyPair({ id, label: '', type: 'rsa2048' }));
  const plaintexts = texts(count);
  return {
    items: plaintexts.map((plaintext) => publicEncrypt({ key, padding: SHA1_OAEP }, plaintext)),
    bad: Buffer.alloc(256, 1),
    reason: 'authenticationFailed',
    batch: (ciphertexts, keyId = id) => token.rsaDecryptBatch(keyId, 'RSAES_OAEP_SHA_1', ciphertexts),
    one: (ciphertext) => token.rsaDecrypt(id, 'RSAES_OAEP_SHA_1', ciphertext),
    isRight: (output, index) => output.equals(plaintexts[index]!),
  };
}

const KINDS: readonly BatchKind[] = [
  { title: 'MACs', calls: ['C_SignInit', 'C_Sign'], prepare: prepareMacs },
  {
    title: 'RSA signatures',
    calls: ['C_SignInit', 'C_Sign'],
    prepare: preparing('rsa2048', 'RSASSA_PKCS1_V1_5_SHA_256'),
  },
  { title: 'ECDSA signatures', calls: ['C_SignInit', 'C_Sign'], prepare: preparing('p256', 'ECDSA_SHA_256') },
  { title: 'RSA decryption', calls: ['C_DecryptInit', 'C_Decrypt'], prepare: prepareCiphertexts },
];

function expectRight(outputs: Outputs, { items, isRight }: Prepared): void {
  expect(outputs).toHaveLength(items.length);
  outputs.forEach((output, index) => {
    expect(output instanceof Buffer && isRight(output, index), `item ${index}: ${String(output)}`).toBe(true);
  });
}

for (const kind of KINDS) {
  describeTokens(`a batch: ${kind.title}`, (makeBench) => {
    const [begin, end] = kind.calls;
    let bench: Bench;
    let token: Pkcs11Token;
    let prepared: Prepared;

    beforeAll(async () => {
      bench = makeBench();
      // Of which the limit of data is known.
      token = await bench.open({ profile: kind.title === 'MACs' ? 'cloudhsm' : 'softhsm' });
      prepared = await kind.prepare(token, MANY);
      return () => bench.end();
    });

    beforeEach(() => () => bench.faults());

    it('has an output for every item, in order, whatever it is cut into', async () => {
      expectRight(await prepared.batch(prepared.items), prepared);
    });

    it('has outputs that single calls would have', async () => {
      const some = { ...prepared, items: prepared.items.slice(0, 3) };
      const singles = await Promise.all(some.items.map(prepared.one));
      expectRight(singles, some);
      // Signatures of ECDSA are random.
      if (kind.title !== 'ECDSA signatures') expect(await prepared.batch(some.items)).toEqual(singles);
    });

    it('has an error in the place of each item that fails, beside the others', async () => {
      const places = new Set([0, 7, 70, MANY - 1]);
      const items = prepared.items.map((item, index) => (places.has(index) ? prepared.bad : item));
      const outputs = await prepared.batch(items);
      expect(outputs).toHaveLength(MANY);
      outputs.forEach((output, index) => {
        if (places.has(index)) {
          expect(output).toBeInstanceOf(Pkcs11Error);
          expect(output).toMatchObject({ reason: prepared.reason });
        } else {
          expect(output instanceof Buffer && prepared.isRight(output, index), `item ${index}`).toBe(true);
        }
      });
      await expect(prepared.one(prepared.bad)).rejects.toMatchObject({ reason: prepared.reason });
    });

    it('may have one item', async () => {
      const one = { ...prepared, items: prepared.items.slice(0, 1) };
      expectRight(await prepared.batch(one.items), one);
      expect(await prepared.batch([prepared.bad])).toMatchObject([{ reason: prepared.reason }]);
    });

    it('may have none, and asks nothing of the token then', async () => {
      const { calls } = bench.counts()[begin]!;
      expect(await prepared.batch([])).toEqual([]);
      expect(bench.counts()[begin]!.calls).toBe(calls);
    });

    it('is refused as a whole when there is no such key, or an item is no bytes', async () => {
      const { items } = prepared;
      await expect(prepared.batch(items, Buffer.from('nobody'))).rejects.toMatchObject({ reason: 'keyNotFound' });
      await expect(prepared.batch([...items, 'text' as unknown as Buffer])).rejects.toMatchObject({
        reason: 'invalidArgument',
      });
    });

    it.each([
      'lose-session',
      'lose-all-sessions',
      'logout',
      'fail CKR_OPERATION_ACTIVE',
      'fail CKR_DEVICE_ERROR',
      'fail CKR_DEVICE_REMOVED',
      'fail CKR_KEY_HANDLE_INVALID',
    ])('is done in spite of what happens in the middle of it: %s', async (fault) => {
      bench.faults(`${begin} ${fault} at 5`);
      const { faults } = bench.counts()[begin]!;
      expectRight(await prepared.batch(prepared.items), prepared);
      expect(bench.counts()[begin]!.faults).toBe(faults + 1);
    });

    it('is refused as a whole when the module does not do an item for a reason of its own', async () => {
      bench.faults(`${end} fail CKR_FUNCTION_FAILED at 5`);
      await expect(prepared.batch(prepared.items)).rejects.toMatchObject({ reason: 'module', rv: 0x6 });
    });
  });
}
