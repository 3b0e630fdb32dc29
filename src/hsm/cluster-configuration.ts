import type { X509Certificate } from 'node:crypto';
import type { Pkcs11ProfileName } from '../pkcs11/codes.ts';

/** One HSM of a cluster, or the one door to all of them where the module keeps its members in step itself. */
export interface ClusterMemberConfiguration {
  /** For messages. */
  readonly name: string;
  /** Path of the PKCS#11 module. */
  readonly modulePath: string;
  readonly token: { readonly label: string } | { readonly slotId: number };
  /** File with the user's PIN; without it the KeyStorePassword of the custom key store is the PIN. */
  readonly pinFile: string | undefined;
  /** What modules like NSS softokn take when they are initialized. */
  readonly initArgs: string | undefined;
  readonly sessions: number | undefined;
  /** Where the module runs; `this` process unless something else is said. */
  readonly process: 'this' | 'helper' | undefined;
  /** Variables of the helper process, such as the module's configuration. */
  readonly environment: Readonly<Record<string, string>> | undefined;
}

/** What stands behind a CloudHsmClusterId in this installation. */
export interface ClusterConfiguration {
  /** `cluster-` and 11 to 16 characters, as the API has it. */
  readonly clusterId: string;
  readonly profile: Pkcs11ProfileName;
  /**
   * Members that a new key is on before CreateKey answers. Does not count where the module keeps its members in step
   * (profile `cloudhsm`).
   */
  readonly copies: number;
  /** Requests that may wait for a member, and how long one may take, in milliseconds. */
  readonly queueLength: number | undefined;
  readonly timeoutMs: number | undefined;
  /** The certificate that stores must name as their trust anchor; without it, each will do. */
  readonly trustAnchor: X509Certificate | undefined;
  readonly members: readonly ClusterMemberConfiguration[];
}

/** CKA_ID of the key that keys travel under between the members of a cluster. */
export const CLUSTER_WRAPPING_KEY_ID = Buffer.from('keywright/cluster-wrapping-key');

/** Whether keys travel between members under the cluster's wrapping key, because the module does not move them. */
export function movesKeys({ profile, members }: ClusterConfiguration): boolean {
  return profile !== 'cloudhsm' && members.length > 1;
}
