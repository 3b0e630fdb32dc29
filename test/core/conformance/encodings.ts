/** DER of keys, as tests need it: written here a second time, apart from the core. */
import type { AsymmetricKeyType } from '../../../src/core/crypto-core.ts';

/** tag ‖ length ‖ content */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content]);
}

const oid = (encoded: string): Buffer => der(6, Buffer.from(encoded, 'hex'));
const EC = oid('2a8648ce3d0201');

/** AlgorithmIdentifiers of keys. */
export const ALGORITHMS: Readonly<Record<AsymmetricKeyType, Buffer>> = {
  rsa2048: der(0x30, oid('2a864886f70d010101'), der(5)),
  rsa3072: der(0x30, oid('2a864886f70d010101'), der(5)),
  rsa4096: der(0x30, oid('2a864886f70d010101'), der(5)),
  p256: der(0x30, EC, oid('2a8648ce3d030107')),
  p384: der(0x30, EC, oid('2b81040022')),
  p521: der(0x30, EC, oid('2b81040023')),
  secp256k1: der(0x30, EC, oid('2b8104000a')),
  ed25519: der(0x30, oid('2b6570')),
  sm2: der(0x30, EC, oid('2a811ccf5501822d')),
  mlDsa44: der(0x30, oid('608648016503040311')),
  mlDsa65: der(0x30, oid('608648016503040312')),
  mlDsa87: der(0x30, oid('608648016503040313')),
  mlKem512: der(0x30, oid('608648016503040401')),
  mlKem768: der(0x30, oid('608648016503040402')),
  mlKem1024: der(0x30, oid('608648016503040403')),
};

const ZERO = der(2, Buffer.of(0));

/** PrivateKeyInfo around the private key as the algorithm has it. */
export function pkcs8(type: AsymmetricKeyType, key: Uint8Array): Buffer {
  return der(0x30, ZERO, ALGORITHMS[type], der(4, key));
}

/** ECPrivateKey of RFC 5915, without the public key. */
export function ecPrivateKey(scalar: Uint8Array): Buffer {
  return der(0x30, der(2, Buffer.of(1)), der(4, scalar));
}

export function spki(type: AsymmetricKeyType, publicKey: Uint8Array): Buffer {
  return der(0x30, ALGORITHMS[type], der(3, Buffer.of(0), publicKey));
}
