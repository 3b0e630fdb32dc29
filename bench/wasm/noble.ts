import { readFileSync } from 'node:fs';
import { NoncePool } from '../core/node-crypto.ts';

const NONCE_BYTES = 12;

/** As much of `@noble/ciphers/aes.js` as is used here. */
interface NobleAes {
  readonly gcm: (
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
  ) => {
    readonly encrypt: (plaintext: Uint8Array) => Uint8Array;
    readonly decrypt: (ciphertext: Uint8Array) => Uint8Array;
  };
}

// A name that the compiler does not follow, with the types above: bench/ compiles without the package, too.
const MODULE: string = '@noble/ciphers/aes.js';
const { gcm } = (await import(MODULE)) as NobleAes;
const nonces = new NoncePool();

export function nobleVersion(): string {
  const manifest = readFileSync(new URL('package.json', import.meta.resolve(MODULE)), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** What the library makes: nonce and ciphertext ‖ tag, which no copy brings together. */
export interface NobleSealed {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export function nobleEncrypt(key: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): NobleSealed {
  const nonce = nonces.draw(NONCE_BYTES);
  return { nonce, ciphertext: gcm(key, nonce, aad).encrypt(plaintext) };
}

/** @throws Error when the tag does not fit. */
export function nobleDecrypt(key: Uint8Array, { nonce, ciphertext }: NobleSealed, aad: Uint8Array): Uint8Array {
  return gcm(key, nonce, aad).decrypt(ciphertext);
}
