/** Which attestation documents are believed, and that none is that differs from one in anything. */
import { createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { encode } from 'cbor2';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AttestationError, StaleAttestationError } from '../../src/attestation/attestation-error.ts';
import { decodeCbor } from '../../src/attestation/cbor.ts';
import { verifyChain } from '../../src/attestation/certificate-chain.ts';
import { AWS_NITRO_ROOT, parseTrustedRoots } from '../../src/attestation/trusted-roots.ts';
import { MAX_AGE_MS, verifyAttestation, type Attestation } from '../../src/attestation/verify-attestation.ts';
import { holds, octets } from '../core/conformance/support.ts';
import { generateKeys, IS_AUTHORITY, IS_LEAF, MAY_CERTIFY, MAY_SIGN, Nitro } from '../support/nitro.ts';
import { x509 } from '../support/x509.ts';

type Changes = Readonly<Record<string, unknown>>;

const nitro = await Nitro.create();
const stranger = await Nitro.create();
const strangersKey = (await generateKeys()).privateKey;
const shortKey = (await generateKeys('P-256')).privateKey;
const spki = rsaKey(2048);
const tooEarly = { notBefore: new Date(nitro.nowMs + 1000) };
const tooLate = { notAfter: new Date(nitro.nowMs - 1000) };
const unknownExtension = new x509.Extension('1.3.6.1.4.1.99999.1', true, Uint8Array.of(5, 0));

/** A public key that nobody has the private one of: any odd number will do as its modulus. */
function rsaKey(bits: number, exponent = 'AQAB'): Buffer {
  const modulus = Buffer.alloc(bits / 8, 0xa5);
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: exponent };
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' });
}

function publicKeyOf({ publicKey }: { readonly publicKey: KeyObject }): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}

function verify(document: Uint8Array, by = nitro, atMs = by.nowMs): Attestation {
  return verifyAttestation(document, { roots: parseTrustedRoots(by.rootPem), nowMs: atMs });
}

function expectRefusal(document: Uint8Array, problem: string, by = nitro, atMs = by.nowMs): void {
  expect(() => verify(document, by, atMs)).toThrow(AttestationError);
  expect(() => verify(document, by, atMs)).toThrow(problem);
}

describe('verifyAttestation', () => {
  it('believes a document of an enclave, and says what it attests', async () => {
    const attestation = verify(await nitro.document(spki));
    expect(attestation.source).toBe('NitroEnclave');
    expect(attestation.moduleId).toBe('i-0123456789abcdef0-enc0123456789abcdef');
    expect(Buffer.from(attestation.publicKey)).toEqual(Buffer.from(spki));
    expect(attestation.pcrs.size).toBe(16);
    expect(Buffer.from(attestation.pcrs.get(4) ?? [])).toEqual(Buffer.alloc(48, 4));
  });

  it('believes a document of a NitroTPM', async () => {
    const pcrs = new Map([[7, new Uint8Array(48).fill(7)]]);
    const attestation = verify(await nitro.document(spki, { pcrs: undefined, nitrotpm_pcrs: pcrs }));
    expect(attestation.source).toBe('NitroTPM');
    expect([...attestation.pcrs.keys()]).toEqual([7]);
  });

  it('reads tagged messages, maps of indefinite length and members it does not know', async () => {
    const payload = nitro.payload({ public_key: spki, new_member: 1 });
    const { length } = encode(payload);
    const indefinite = Buffer.concat([Buffer.of(0xbf), encode(payload).subarray(1, length), Buffer.of(0xff)]);
    expect(verify(await nitro.sign(payload, { tag: 18 })).publicKey).toBeDefined();
    expect(verify(await nitro.sign(indefinite)).publicKey).toBeDefined();
  });

  it.each([2048, 3072, 4096])('takes RSA keys of %i bits', async (bits) => {
    expect(verify(await nitro.document(rsaKey(bits))).publicKey.length).toBeGreaterThan(bits / 8);
  });

  it('takes documents of the last five minutes, and of clocks five minutes ahead', async () => {
    const document = await nitro.document(spki);
    for (const atMs of [nitro.nowMs + MAX_AGE_MS, nitro.nowMs - MAX_AGE_MS]) {
      expect(verify(document, nitro, atMs).source).toBe('NitroEnclave');
    }
    for (const atMs of [nitro.nowMs + MAX_AGE_MS + 1, nitro.nowMs - MAX_AGE_MS - 1]) {
      expect(() => verify(document, nitro, atMs)).toThrow(StaleAttestationError);
    }
  });
});

describe('verifyAttestation refuses messages', () => {
  it.each<readonly [string, (document: Buffer) => Buffer, string]>([
    ['that are empty', () => Buffer.alloc(0), 'CBOR'],
    ['that are text', () => Buffer.from('-----BEGIN'), 'CBOR'],
    ['without their last byte', (document) => document.subarray(0, -1), 'CBOR'],
    ['with a byte behind them', (document) => Buffer.concat([document, Buffer.of(0)]), 'CBOR'],
    ['that nest deeply', () => Buffer.concat([Buffer.alloc(100_000, 0x81), Buffer.of(0)]), 'CBOR'],
    ['that announce more than there is', () => Buffer.from('9bffffffffffffffff', 'hex'), 'CBOR'],
    ['that are a map', () => Buffer.of(0xa0), 'COSE_Sign1'],
    ['of three elements', (document) => Buffer.from(encode([1, 2, document.length])), 'COSE_Sign1'],
    ['whose parts are no byte strings', () => Buffer.from(encode(['', new Map(), '', ''])), 'COSE_Sign1'],
  ])('%s', async (_what, change, problem) => {
    expectRefusal(change(await nitro.document(spki)), problem);
  });

  it.each([
    ['with the tag of COSE_Sign', { tag: 98 }, 'COSE_Sign1'],
    ['with ES256 in the header', { protectedHeader: encode(new Map([[1, -7]])) }, 'ES384'],
    ['without an algorithm', { protectedHeader: encode(new Map()) }, 'ES384'],
    ['with an empty header', { protectedHeader: new Uint8Array(0) }, 'CBOR'],
    ['with more headers', { protectedHeader: encode(new Map([[1, -35], [4, 0]])) }, 'ES384'], // prettier-ignore
    ['with unprotected headers', { unprotectedHeader: new Map([[4, 0]]) }, 'unprotected'],
    ['that somebody else signed', { signingKey: strangersKey }, 'does not verify'],
    ['with a shorter signature', { signingKey: shortKey }, 'signature of the wrong length'],
    [
      'with another payload',
      { payload: encode(nitro.payload({ public_key: spki, module_id: 'i' })) },
      'does not verify',
    ],
  ])('%s', async (_what, changes, problem) => {
    expectRefusal(await nitro.sign(nitro.payload({ public_key: spki }), changes), problem);
  });
});

describe('verifyAttestation refuses documents', () => {
  const bytes = (length: number): Uint8Array => new Uint8Array(length);
  const pcrs = (...entries: readonly (readonly [unknown, unknown])[]): Changes => ({ pcrs: new Map(entries) });
  const many = Array.from({ length: 33 }, (_, index) => [index, bytes(48)] as const);

  it.each<readonly [string, Changes, string]>([
    ['without module_id', { module_id: undefined }, 'module_id'],
    ['with an empty module_id', { module_id: '' }, 'module_id'],
    ['with bytes as module_id', { module_id: bytes(3) }, 'module_id'],
    ['with another digest', { digest: 'SHA256' }, 'digest'],
    ['without timestamp', { timestamp: undefined }, 'timestamp'],
    ['of time 0', { timestamp: 0 }, 'timestamp'],
    ['of negative time', { timestamp: -1 }, 'timestamp'],
    ['of fractional time', { timestamp: 1.5 }, 'CBOR'],
    ['of text time', { timestamp: 'now' }, 'timestamp'],
    ['of time 2^64 - 1', { timestamp: 2n ** 64n - 1n }, 'timestamp'],
    ['without PCRs', { pcrs: undefined }, 'exactly one of pcrs'],
    ['with both kinds of PCRs', { nitrotpm_pcrs: new Map([[0, bytes(48)]]) }, 'exactly one of pcrs'],
    ['with PCRs that are null', { pcrs: null }, 'map of PCRs'],
    ['with no PCR', pcrs(), 'map of PCRs'],
    ['with 33 PCRs', pcrs(...many), 'map of PCRs'],
    ['with PCR 32', pcrs([32, bytes(48)]), 'PCR index'],
    ['with PCR -1', pcrs([-1, bytes(48)]), 'PCR index'],
    ['with a PCR by name', pcrs(['0', bytes(48)]), 'PCR index'],
    ['with a PCR of 47 bytes', pcrs([0, bytes(47)]), 'PCR of the wrong length'],
    ['with a PCR in hex', pcrs([0, '00'.repeat(48)]), 'PCR of the wrong length'],
    ['without certificate', { certificate: undefined }, 'no valid certificate'],
    ['with an empty certificate', { certificate: bytes(0) }, 'no valid certificate'],
    ['with a certificate of 1025 bytes', { certificate: bytes(1025) }, 'no valid certificate'],
    ['without cabundle', { cabundle: undefined }, 'cabundle'],
    ['with an empty cabundle', { cabundle: [] }, 'cabundle'],
    ['with text in the cabundle', { cabundle: [nitro.rootPem] }, 'cabundle'],
    ['with 1025 bytes of user_data', { user_data: bytes(1025) }, 'user_data'],
    ['with 1025 bytes of nonce', { nonce: bytes(1025) }, 'nonce'],
    ['with a nonce that is text', { nonce: 'nonce' }, 'nonce'],
    ['of more than 16384 bytes', { filler: bytes(16_384) }, 'too large'],
    ['without public_key', { public_key: undefined }, 'public_key'],
    ['with an empty public_key', { public_key: bytes(0) }, 'public_key'],
    ['with a public_key of 1025 bytes', { public_key: bytes(1025) }, 'public_key'],
    ['with a public_key that is none', { public_key: bytes(294) }, 'no RSA key'],
    ['with bytes behind the public_key', { public_key: Buffer.concat([spki, bytes(1)]) }, 'no RSA key'],
    [
      'with a key of RSA-PSS',
      { public_key: publicKeyOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 })) },
      'no RSA key',
    ],
    ['with an RSA key of 1024 bits', { public_key: rsaKey(1024) }, 'another size'],
    ['with the exponent 1', { public_key: rsaKey(2048, 'AQ') }, 'exponent'],
    ['with a P-384 key', { public_key: publicKeyOf(generateKeyPairSync('ec', { namedCurve: 'P-384' })) }, 'no RSA key'],
  ])('%s', async (_what, changes, problem) => {
    expectRefusal(await nitro.sign(nitro.payload({ public_key: spki, ...changes })), problem);
  });

  it('with a member twice', async () => {
    const payload = Buffer.from(encode(nitro.payload({ public_key: spki })));
    payload[0] = payload[0]! + 1;
    expectRefusal(await nitro.sign(Buffer.concat([payload, encode('nonce'), encode(null)])), 'CBOR');
  });

  it('with the same PCR twice, also when its index is encoded longer', () => {
    expect(decodeCbor(Buffer.from('a200010102', 'hex'))).toEqual(new Map([1, 2].entries()));
    for (const map of ['a200010002', 'a20001180002', 'a2000119000002']) {
      expect(() => decodeCbor(Buffer.from(map, 'hex'))).toThrow(AttestationError);
    }
  });
});

describe('verifyAttestation refuses certificate chains', () => {
  const { regional, zonal } = { regional: nitro.certificate('regional'), zonal: nitro.certificate('zonal') };
  const [root, leaf] = [nitro.certificate('root'), nitro.certificate('leaf')];

  it.each([
    ['of another root of the same name', () => stranger.document(spki), 'trusted root'],
    ['without the root', () => nitro.document(spki, { cabundle: [regional, zonal] }), 'trusted root'],
    ['in reverse order', () => nitro.document(spki, { cabundle: [zonal, regional, root] }), 'trusted root'],
    ['with a gap', () => nitro.document(spki, { cabundle: [root, zonal] }), 'another issuer'],
    ['of the root alone', () => nitro.document(spki, { cabundle: [root] }), 'another issuer'],
    [
      'with an authority twice',
      () => nitro.document(spki, { cabundle: [root, regional, regional, zonal] }),
      'longer than',
    ],
    ['without the leaf', () => nitro.document(spki, { certificate: zonal }), 'another issuer'],
    ['with a leaf in PEM', () => nitro.document(spki, { certificate: pemOf(leaf) }), 'bytes around it'],
    [
      'with bytes behind the leaf',
      () => nitro.document(spki, { certificate: Uint8Array.of(...leaf, 0) }),
      'bytes around it',
    ],
    ['with a leaf that is none', () => nitro.document(spki, { certificate: leaf.subarray(1) }), 'cannot be read'],
  ])('%s', async (_what, make, problem) => {
    expectRefusal(await make(), problem);
  });

  it.each<readonly [string, Parameters<typeof Nitro.create>[0], string]>([
    ['with an expired root', { root: tooLate }, 'not valid at this time'],
    ['with an expired authority', { zonal: tooLate }, 'not valid at this time'],
    ['with an expired leaf', { leaf: tooLate }, 'not valid at this time'],
    ['with a leaf of tomorrow', { leaf: tooEarly }, 'not valid at this time'],
    ['with an authority that is none', { zonal: { extensions: [IS_LEAF, MAY_CERTIFY] } }, 'may not certify'],
    ['with an authority without constraints', { zonal: { extensions: [MAY_CERTIFY] } }, 'may not certify'],
    ['with an authority that may only sign', { zonal: { extensions: [IS_AUTHORITY, MAY_SIGN] } }, 'may not certify'],
    ['with an authority without key usage', { zonal: { extensions: [IS_AUTHORITY] } }, 'may not certify'],
    ['longer than the root allows', { root: { extensions: [authority(1), MAY_CERTIFY] } }, 'longer than'],
    ['longer than an authority allows', { regional: { extensions: [authority(0), MAY_CERTIFY] } }, 'longer than'],
    ['with a path length of 128', { zonal: { extensions: [authority(128), MAY_CERTIFY] } }, 'wrong path length'],
    ['with a leaf that is an authority', { leaf: { extensions: [IS_AUTHORITY, MAY_SIGN] } }, 'instead of a leaf'],
    ['with a leaf that may not sign', { leaf: { extensions: [IS_LEAF, MAY_CERTIFY] } }, 'may not sign'],
    ['with a leaf without key usage', { leaf: { extensions: [IS_LEAF] } }, 'may not sign'],
    ['with an unknown critical extension', { leaf: { extensions: [unknownExtension, MAY_SIGN] } }, 'unknown critical'],
    ['with an extension twice', { leaf: { extensions: [MAY_SIGN, MAY_SIGN] } }, 'extension twice'],
    ['with a P-256 leaf', { leaf: { curve: 'P-256' } }, 'P-384'],
    ['with a P-256 authority', { zonal: { curve: 'P-256' } }, 'P-384'],
    ['with a certificate signed with SHA-256', { leaf: { hash: 'SHA-256' } }, 'ECDSA and SHA-384'],
    ['with a leaf of a stranger', { leaf: { signingKey: strangersKey } }, 'did not sign'],
    ['with an authority of a stranger', { regional: { signingKey: strangersKey } }, 'did not sign'],
    ['with a leaf that names another issuer', { leaf: { issuerName: 'CN=somebody' } }, 'another issuer'],
    ['with an authority of another name', { zonal: { subjectName: 'CN=somebody' } }, 'another issuer'],
  ])('%s', async (_what, changes, problem) => {
    const other = await Nitro.create(changes, nitro.nowMs);
    const payload = other.payload({ public_key: spki });
    // A P-256 leaf makes no signature of the length of ES384, and its certificate is what is looked at here.
    const document = await other.sign(payload, changes?.leaf?.curve === undefined ? {} : { signingKey: strangersKey });
    expectRefusal(document, problem, other);
  });

  it('but follows one in which a leaf has no basic constraints, and authorities no path length', async () => {
    const free = { extensions: [IS_AUTHORITY, MAY_CERTIFY] };
    const other = await Nitro.create({ regional: free, zonal: free, leaf: { extensions: [MAY_SIGN] } }, nitro.nowMs);
    expect(verify(await other.document(spki), other).source).toBe('NitroEnclave');
  });

  function authority(pathLength: number): InstanceType<typeof x509.BasicConstraintsExtension> {
    return new x509.BasicConstraintsExtension(true, pathLength, true);
  }

  function pemOf(der: Uint8Array): Uint8Array {
    return Uint8Array.from(Buffer.from(new X509Certificate(der).toString()));
  }
});

describe('no other bytes', () => {
  it('than those of a document are believed, whichever byte differs', async () => {
    const document = await nitro.document(spki);
    const roots = parseTrustedRoots(nitro.rootPem);
    const changes = fc.tuple(fc.nat(document.length - 1), fc.integer({ min: 1, max: 255 }));
    holds(
      fc.property(changes, ([at, difference]) => {
        const changed = Buffer.from(document);
        changed[at] = changed[at]! ^ difference;
        expect(() => verifyAttestation(changed, { roots, nowMs: nitro.nowMs })).toThrow(AttestationError);
      }),
      300,
    );
  });

  it('crash the verification, behind any beginning of a document', async () => {
    const document = await nitro.document(spki);
    const roots = parseTrustedRoots(nitro.rootPem);
    holds(
      fc.property(fc.nat(document.length - 1), octets(200), (length, end) => {
        const bytes = Buffer.concat([document.subarray(0, length), end]);
        fc.pre(!bytes.equals(document));
        expect(() => verifyAttestation(bytes, { roots, nowMs: nitro.nowMs })).toThrow(AttestationError);
      }),
      300,
    );
  });

  it('are a leaf that a document may come with', () => {
    const leaf = nitro.certificate('leaf');
    const cabundle = (['root', 'regional', 'zonal'] as const).map((level) => nitro.certificate(level));
    const roots = parseTrustedRoots(nitro.rootPem);
    expect(verifyChain({ certificate: leaf, cabundle }, roots, nitro.nowMs).type).toBe('public');
    const changes = fc.tuple(fc.nat(leaf.length - 1), fc.integer({ min: 1, max: 255 }));
    holds(
      fc.property(changes, ([at, difference]) => {
        const certificate = Uint8Array.from(leaf);
        certificate[at] = certificate[at]! ^ difference;
        expect(() => verifyChain({ certificate, cabundle }, roots, nitro.nowMs)).toThrow(AttestationError);
      }),
    );
  });
});

describe('parseTrustedRoots', () => {
  it('has the root that AWS publishes', () => {
    const [root] = parseTrustedRoots(AWS_NITRO_ROOT);
    expect(root?.x509.fingerprint256.replaceAll(':', '')).toBe(
      '641A0321A3E244EFE456463195D606317ED7CDCC3C1756E09893F3C68F79BB5B',
    );
    expect(root?.x509.subject.split('\n')).toContain('CN=aws.nitro-enclaves');
    expect([root?.validFromMs, root?.validToMs]).toEqual([
      Date.UTC(2019, 9, 28, 13, 28, 5),
      Date.UTC(2049, 9, 28, 14, 28, 5),
    ]);
    expect(root?.x509.verify(root.x509.publicKey)).toBe(true);
  });

  it('reads several certificates and the text between them', () => {
    expect(parseTrustedRoots(`one\n${nitro.rootPem}\ntwo\n${AWS_NITRO_ROOT}`)).toHaveLength(2);
  });

  it.each([
    ['nothing', '', 'has no certificate'],
    ['a key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'has no certificate'],
    ['a certificate that is none', nitro.rootPem.replace(/\n.{64}/, '\nAAAA'), 'cannot be read'],
    ['a leaf', new X509Certificate(nitro.certificate('leaf')).toString(), 'may not certify'],
  ])('refuses %s', (_what, pem, problem) => {
    expect(() => parseTrustedRoots(pem)).toThrow(AttestationError);
    expect(() => parseTrustedRoots(pem)).toThrow(`the PEM text of trusted roots has`);
    expect(() => parseTrustedRoots(pem)).toThrow(problem);
  });
});
