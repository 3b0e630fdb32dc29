import { explaining, returnValueOf } from './hsm-error.ts';
import { withModule, type ModuleSettings, type Session } from './module.ts';
import { withLogin } from './sessions.ts';
import { findToken, type TokenChoice } from './slots.ts';

/** A key of a token. What the module does not tell is absent. */
export interface ListedKey {
  /** CKA_ID in hexadecimal, lower case; empty when the key has none. */
  readonly id: string;
  readonly label: string;
  readonly class: 'secret' | 'private' | 'public';
  /** Such as `AES`, `RSA`, `EC`. */
  readonly type: string;
  /** Of the key or modulus, in bits; of curves the size of their field. */
  readonly bits?: number;
  /** Of an elliptic curve or a parameter set. */
  readonly variant?: string;
  readonly sensitive?: boolean;
  readonly extractable?: boolean;
  readonly neverExtractable?: boolean;
}

/** CKO_… and CKK_… (PKCS#11 3.2, Appendix B). */
const CLASSES: ReadonlyMap<number, ListedKey['class']> = new Map([
  [2, 'public'],
  [3, 'private'],
  [4, 'secret'],
]);
const TYPES: ReadonlyMap<number, string> = new Map([
  [0x0, 'RSA'],
  [0x1, 'DSA'],
  [0x2, 'DH'],
  [0x3, 'EC'],
  [0x10, 'generic'],
  [0x13, 'DES'],
  [0x15, '3DES'],
  [0x1f, 'AES'],
  [0x33, 'ChaCha20'],
  [0x40, 'Edwards'],
  [0x41, 'Montgomery'],
  [0x49, 'ML-KEM'],
  [0x4a, 'ML-DSA'],
  [0x4b, 'SLH-DSA'],
]);

/** Read by number: graphene has two names for it and answers under the other one. */
const CKA_EC_PARAMS = 0x180;

/** CKA_EC_PARAMS: an object identifier in DER, or for Edwards curves a PrintableString. */
const CURVES: ReadonlyMap<string, readonly [name: string, bits: number]> = new Map([
  ['06082a8648ce3d030107', ['P-256', 256]],
  ['06052b81040022', ['P-384', 384]],
  ['06052b81040023', ['P-521', 521]],
  ['06052b8104000a', ['secp256k1', 256]],
  ['06032b6570', ['Ed25519', 255]],
  ['130c656477617264733235353139', ['Ed25519', 255]],
]);

/** CKA_PARAMETER_SET of ML-DSA keys. */
const CKA_PARAMETER_SET = 0x61d;
const ML_DSA_SETS = ['', 'ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'];

/** The keys of a token that its user sees, in the order of labels. @throws HsmError */
export function listKeys(settings: ModuleSettings, choice: TokenChoice, pin: string): readonly ListedKey[] {
  return withModule(settings, (module) => {
    const token = findToken(module, choice);
    return withLogin(module, token, 'user', pin, (session) =>
      explaining('listing the keys', () => readKeys(session)).sort(
        (a, b) => compare(a.label, b.label) || compare(a.id, b.id) || compare(a.class, b.class),
      ),
    );
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type ReadAttribute = (name: string | number) => unknown;

function readKeys(session: Session): ListedKey[] {
  const found = session.find();
  const keys: ListedKey[] = [];
  for (let index = 0; index < found.length; index++) {
    const object = found.items(index);
    const read: ReadAttribute = (name) => {
      try {
        return typeof name === 'number' ? object.getAttribute(name) : object.getAttribute(name);
      } catch (error) {
        // Each type of key has its own attributes, and modules leave out what the standard allows them to.
        if (returnValueOf(error) === undefined) throw error;
        return undefined;
      }
    };
    const keyClass = CLASSES.get(read('class') as number);
    if (keyClass !== undefined) {
      keys.push(describeKey(keyClass, read));
    }
  }
  return keys;
}

function describeKey(keyClass: ListedKey['class'], read: ReadAttribute): ListedKey {
  const keyType = read('keyType') as number | undefined;
  const type = keyType === undefined ? 'unknown' : (TYPES.get(keyType) ?? `0x${keyType.toString(16)}`);
  const flag = (name: 'sensitive' | 'extractable' | 'neverExtractable'): Partial<ListedKey> => {
    const value = keyClass === 'public' ? undefined : read(name);
    return typeof value === 'boolean' ? { [name]: value } : {};
  };
  return {
    id: ((read('id') as Buffer | undefined) ?? Buffer.alloc(0)).toString('hex'),
    label: (read('label') as string | undefined) ?? '',
    class: keyClass,
    type,
    ...sizeOf(type, read),
    ...flag('sensitive'),
    ...flag('extractable'),
    ...flag('neverExtractable'),
  };
}

function sizeOf(type: string, read: ReadAttribute): Pick<ListedKey, 'bits' | 'variant'> {
  switch (type) {
    case 'RSA': {
      const modulus = read('modulus') as Buffer | undefined;
      return modulus === undefined ? {} : { bits: bitLength(modulus) };
    }
    case 'EC':
    case 'Edwards':
    case 'Montgomery': {
      const [variant, bits] =
        CURVES.get(((read(CKA_EC_PARAMS) as Buffer | undefined) ?? Buffer.alloc(0)).toString('hex')) ?? [];
      return variant === undefined || bits === undefined ? {} : { bits, variant };
    }
    case 'ML-DSA': {
      const variant = ML_DSA_SETS[(read(CKA_PARAMETER_SET) as Buffer | undefined)?.readUInt8(0) ?? 0];
      return variant === undefined || variant === '' ? {} : { variant };
    }
    default: {
      const bytes = read('valueLen') as number | undefined;
      return bytes === undefined ? {} : { bits: bytes * 8 };
    }
  }
}

/** Of an unsigned number, which may have zero bytes in front. */
function bitLength(bytes: Buffer): number {
  return BigInt(`0x0${bytes.toString('hex')}`).toString(2).length;
}
