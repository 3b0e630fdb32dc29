import { randomBytes } from 'node:crypto';
import { Pkcs11Error, type Pkcs11Token } from '../pkcs11/token.ts';
import { CLUSTER_WRAPPING_KEY_ID } from './cluster-configuration.ts';

/** The members cannot be given one wrapping key; the text says why and what to do. */
export class CeremonyError extends Error {
  override readonly name = 'CeremonyError';
}

const TRANSIENT_ID_BYTES = 16;
const LABEL = 'keywright cluster wrapping key';

/**
 * Gives all members of a cluster the same wrapping key, under which keys then travel between them. The first member
 * makes it and wraps it for each one, itself too, under an RSA key that this member made for the purpose (RSAES-OAEP).
 * What stays is a key that wraps and unwraps, can never leave its token, and is on every member; all else dies with the
 * session. So the members are fixed: whoever is not there now cannot get the key later.
 *
 * @returns false when all members have the key already
 * @throws CeremonyError when only some have one, or they differ; Pkcs11Error
 */
export async function holdCeremony(members: readonly Pkcs11Token[]): Promise<boolean> {
  const holders = [];
  for (const member of members) {
    if ((await member.findKeys(CLUSTER_WRAPPING_KEY_ID)).length > 0) {
      holders.push(member);
    }
  }
  const [first] = members;
  if (first === undefined || holders.length === members.length) {
    await checkSame(members);
    return false;
  }
  if (holders.length > 0) {
    const names = holders.map(({ info }) => info.label).join(', ');
    throw new CeremonyError(
      `${names} has a wrapping key that never leaves it, so the other members cannot get it: begin a cluster with ` +
        'fresh tokens, and move to it with ReEncrypt',
    );
  }
  try {
    await distribute(first, members);
    await checkSame(members);
  } catch (error) {
    await Promise.allSettled(members.map((member) => member.destroyKey(CLUSTER_WRAPPING_KEY_ID)));
    throw error;
  }
  return true;
}

async function distribute(first: Pkcs11Token, members: readonly Pkcs11Token[]): Promise<void> {
  const keyId = randomBytes(TRANSIENT_ID_BYTES);
  await first.generateSecretKey({ type: 'aesWrap', id: keyId, label: LABEL, isSession: true, isExtractable: true });
  try {
    for (const member of members) {
      await sendKey(first, keyId, member);
    }
  } finally {
    await first.destroyKey(keyId);
  }
}

async function sendKey(from: Pkcs11Token, keyId: Uint8Array, to: Pkcs11Token): Promise<void> {
  const ownId = randomBytes(TRANSIENT_ID_BYTES);
  const foreignId = randomBytes(TRANSIENT_ID_BYTES);
  const plan = { type: 'rsa4096Wrap', label: 'keywright ceremony', isSession: true } as const;
  const publicKey = await to.generateKeyPair({ ...plan, id: ownId });
  try {
    await from.importPublicKey(publicKey, { ...plan, id: foreignId });
    // SHA-1 is what every module has; OAEP does not need a hash without collisions.
    const wrapped = await from.wrapKey(foreignId, 'rsaOaepSha1', keyId);
    await from.destroyKey(foreignId);
    await to.unwrapKey(ownId, 'rsaOaepSha1', wrapped, { type: 'aesWrap', id: CLUSTER_WRAPPING_KEY_ID, label: LABEL });
  } finally {
    await to.destroyKey(ownId);
  }
}

/** Every member must open what the first one wrapped. */
async function checkSame([first, ...others]: readonly Pkcs11Token[]): Promise<void> {
  if (first === undefined) {
    return;
  }
  const id = randomBytes(TRANSIENT_ID_BYTES);
  const probe = { type: 'aesGcm', id, label: 'keywright probe', isSession: true } as const;
  await first.generateSecretKey({ ...probe, isExtractable: true });
  const wrapped = await first.wrapKey(CLUSTER_WRAPPING_KEY_ID, 'aesKw', id);
  const sealed = await first.encryptGcm(id, Buffer.from('probe'), Buffer.alloc(0));
  await first.destroyKey(id);
  for (const other of others) {
    try {
      await other.unwrapKey(CLUSTER_WRAPPING_KEY_ID, 'aesKw', wrapped, probe);
      await other.decryptGcm(id, sealed, Buffer.alloc(0));
    } catch (error) {
      if (error instanceof Pkcs11Error && error.reason === 'authenticationFailed') {
        throw new CeremonyError(`${other.info.label} has another wrapping key than ${first.info.label}`);
      }
      throw error;
    } finally {
      await other.destroyKey(id).catch(() => undefined);
    }
  }
}
