import { openPkcs11Token } from '../pkcs11/index.ts';
import type { Pkcs11Token } from '../pkcs11/token.ts';
import { holdCeremony } from './cluster-ceremony.ts';
import type { ClusterConfiguration } from './cluster-configuration.ts';
import { tokenOptions, readPinFile } from './token-options.ts';

/**
 * Opens all members of a cluster and gives them one wrapping key.
 *
 * @param pin of members without a PIN file; the caller wipes it
 * @returns false when they have it already
 * @throws CeremonyError; Pkcs11Error when a member cannot be opened
 */
export async function joinMembers(cluster: ClusterConfiguration, pin: Uint8Array): Promise<boolean> {
  const tokens: Pkcs11Token[] = [];
  try {
    for (const member of cluster.members) {
      const own = member.pinFile === undefined ? undefined : readPinFile(member.pinFile);
      tokens.push(await openPkcs11Token({ ...tokenOptions(member, cluster), pin: own ?? pin }));
      own?.fill(0);
    }
    return await holdCeremony(tokens);
  } finally {
    await Promise.all(tokens.map((token) => token.close()));
  }
}
