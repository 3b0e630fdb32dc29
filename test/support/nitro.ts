/** A Nitro of the tests: authorities like those of AWS (root, Region, zone) and documents that they attest. */
import { webcrypto } from 'node:crypto';
import { encode, Tag } from 'cbor2';
import type { Extension, X509Certificate } from '@peculiar/x509';
import { x509 } from './x509.ts';

type KeyPair = webcrypto.CryptoKeyPair;

/** What a test changes about one certificate. */
export interface CertificateChanges {
  readonly issuerName?: string;
  readonly subjectName?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly Extension[];
  readonly curve?: 'P-256' | 'P-384';
  readonly hash?: 'SHA-256' | 'SHA-384';
  /** Signs instead of the issuer's key. */
  readonly signingKey?: webcrypto.CryptoKey;
}

const LEVELS = ['root', 'regional', 'zonal', 'leaf'] as const;
type Level = (typeof LEVELS)[number];

export type Payload = ReadonlyMap<unknown, unknown>;

export interface CoseChanges {
  readonly protectedHeader?: Uint8Array;
  readonly unprotectedHeader?: ReadonlyMap<unknown, unknown>;
  /** Stands in the message instead of what was signed. */
  readonly payload?: Uint8Array;
  readonly signingKey?: webcrypto.CryptoKey;
  readonly tag?: number;
}

export const IS_AUTHORITY = new x509.BasicConstraintsExtension(true, undefined, true);
export const MAY_CERTIFY = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true);
export const IS_LEAF = new x509.BasicConstraintsExtension(false, undefined, true);
export const MAY_SIGN = new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature);

const EXTENSIONS: Readonly<Record<Level, readonly Extension[]>> = {
  root: [IS_AUTHORITY, MAY_CERTIFY],
  regional: [new x509.BasicConstraintsExtension(true, 1, true), MAY_CERTIFY],
  zonal: [new x509.BasicConstraintsExtension(true, 0, true), MAY_CERTIFY],
  leaf: [IS_LEAF, MAY_SIGN],
};
const HOUR_MS = 3_600_000;
const ES384_HEADER = encode(new Map([[1, -35]]));

export async function generateKeys(curve = 'P-384'): Promise<KeyPair> {
  return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, true, ['sign', 'verify']);
}

export class Nitro {
  /** Time at which every certificate is valid and the documents are made. */
  readonly nowMs: number;
  readonly #keys: Readonly<Record<Level, KeyPair>>;
  readonly #certificates: Readonly<Record<Level, X509Certificate>>;

  private constructor(
    nowMs: number,
    keys: Readonly<Record<Level, KeyPair>>,
    certificates: Readonly<Record<Level, X509Certificate>>,
  ) {
    this.nowMs = nowMs;
    this.#keys = keys;
    this.#certificates = certificates;
  }

  static async create(
    changes: Partial<Readonly<Record<Level, CertificateChanges>>> = {},
    nowMs = Date.now(),
  ): Promise<Nitro> {
    const keys: Partial<Record<Level, KeyPair>> = {};
    const certificates: Partial<Record<Level, X509Certificate>> = {};
    let issuer: Level = 'root';
    for (const level of LEVELS) {
      const change: CertificateChanges = changes[level] ?? {};
      const pair = (keys[level] = await generateKeys(change.curve));
      certificates[level] = await x509.X509CertificateGenerator.create(
        {
          serialNumber: String(LEVELS.indexOf(level) + 1).padStart(2, '0'),
          subject: change.subjectName ?? `CN=${level}.nitro.test, O=Test`,
          issuer: change.issuerName ?? `CN=${issuer}.nitro.test, O=Test`,
          notBefore: change.notBefore ?? new Date(nowMs - HOUR_MS),
          notAfter: change.notAfter ?? new Date(nowMs + HOUR_MS),
          publicKey: pair.publicKey,
          signingKey: change.signingKey ?? keys[issuer]!.privateKey,
          signingAlgorithm: { name: 'ECDSA', hash: change.hash ?? 'SHA-384' },
          extensions: [...(change.extensions ?? EXTENSIONS[level])],
        },
        webcrypto,
      );
      issuer = level;
    }
    return new Nitro(nowMs, keys as Record<Level, KeyPair>, certificates as Record<Level, X509Certificate>);
  }

  get rootPem(): string {
    return this.#certificates.root.toString('pem');
  }

  /** DER. */
  certificate(level: Level): Uint8Array {
    return new Uint8Array(this.#certificates[level].rawData);
  }

  /** The members of a document that is valid now; a member that `changes` sets to undefined is left out. */
  payload(changes: Readonly<Record<string, unknown>> = {}): Payload {
    const members: Record<string, unknown> = {
      module_id: 'i-0123456789abcdef0-enc0123456789abcdef',
      digest: 'SHA384',
      timestamp: this.nowMs,
      pcrs: new Map(Array.from({ length: 16 }, (_, index) => [index, new Uint8Array(48).fill(index)])),
      certificate: this.certificate('leaf'),
      cabundle: (['root', 'regional', 'zonal'] as const).map((level) => this.certificate(level)),
      public_key: undefined,
      user_data: null,
      nonce: null,
      ...changes,
    };
    const given = Object.entries(members).filter(([, value]) => value !== undefined);
    // The encoder writes a Buffer as a map.
    return new Map(given.map(([name, value]) => [name, value instanceof Buffer ? Uint8Array.from(value) : value]));
  }

  /** Signs a payload as the hypervisor does: COSE_Sign1 with ES384, untagged. */
  async sign(payload: Payload | Uint8Array, changes: CoseChanges = {}): Promise<Buffer> {
    const signed = payload instanceof Uint8Array ? Uint8Array.from(payload) : encode(payload);
    const header = changes.protectedHeader ?? ES384_HEADER;
    const signature = await webcrypto.subtle.sign(
      { name: 'ECDSA', hash: 'SHA-384' },
      changes.signingKey ?? this.#keys.leaf.privateKey,
      encode(['Signature1', header, new Uint8Array(0), signed]),
    );
    const message = [
      header,
      changes.unprotectedHeader ?? new Map(),
      changes.payload ?? signed,
      new Uint8Array(signature),
    ];
    return Buffer.from(encode(changes.tag === undefined ? message : new Tag(changes.tag, message)));
  }

  /** A signed document with a key to encrypt to (SubjectPublicKeyInfo, DER). */
  document(publicKey: Uint8Array, changes: Readonly<Record<string, unknown>> = {}): Promise<Buffer> {
    return this.sign(this.payload({ public_key: publicKey, ...changes }));
  }
}
