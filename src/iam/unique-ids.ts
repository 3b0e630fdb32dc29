import type { CryptoCore } from '../core/crypto-core.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const RANDOM_CHARACTERS = 16;

/**
 * A random id of 20 characters behind a prefix that tells what it is of: `AKIA` long-term access keys, `ASIA` temporary
 * ones, `AIDA` users, `AROA` roles.
 *
 * @source IAM User Guide, "IAM identifiers", unique identifiers
 */
export function randomId(core: CryptoCore, prefix: 'AKIA' | 'ASIA' | 'AIDA' | 'AROA'): string {
  const characters = [...core.randomBytes(RANDOM_CHARACTERS)].map((byte) => BASE32.charAt(byte % BASE32.length));
  return prefix + characters.join('');
}
