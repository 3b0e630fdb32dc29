import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { ClusterConfiguration, ClusterMemberConfiguration } from '../hsm/cluster-configuration.ts';
import { list, optional, required, structure, text, wholeNumber } from '../seed/yaml-schema.ts';
import { YamlText } from '../seed/yaml-text.ts';
import { readText } from './arguments.ts';
import { ConfigError } from './config.ts';
import { atLeastOne, readTokenMembers, TOKEN_MEMBERS, USE_MEMBERS } from './token-members.ts';

const DEFAULT_COPIES = 2;

const memberSchema = structure({ name: optional(text()), ...TOKEN_MEMBERS });

const clusterSchema = structure({
  clusterId: required(text('an id such as cluster-1a2b3c4d5e6', (value) => /^cluster-[2-7a-zA-Z]{11,16}$/.test(value))),
  ...USE_MEMBERS,
  copies: optional(wholeNumber),
  trustAnchorFile: optional(text()),
  members: required(list(memberSchema)),
});

/** The file of KEYWRIGHT_HSM_CLUSTERS; docs/guides/hsm.md tells what its members mean. */
export const clusterFile = structure({ clusters: required(list(clusterSchema)) });

type Cluster = ReturnType<(typeof clusterSchema)['read']>;
type Member = ReturnType<(typeof memberSchema)['read']>;

/** The clusters of KEYWRIGHT_HSM_CLUSTERS; undefined when it is not set. @throws as {@link readClusterFile} */
export function readClusters(environment: NodeJS.ProcessEnv): readonly ClusterConfiguration[] | undefined {
  const path = environment['KEYWRIGHT_HSM_CLUSTERS'] ?? '';
  return path === '' ? undefined : readClusterFile(path);
}

/**
 * Reads which PKCS#11 modules and tokens stand behind which CloudHSM clusters. Paths are relative to the file's folder.
 *
 * @throws ConfigError for what cannot be; SeedError with the place of what has not the form of such a file
 */
export function readClusterFile(path: string): readonly ClusterConfiguration[] {
  const yaml = new YamlText(readText(path), path);
  const { clusters } = clusterFile.read(yaml.root, yaml, 'the file');
  const ids = clusters.map(({ clusterId }) => clusterId);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) {
    throw new ConfigError(`${path} has ${repeated} twice`);
  }
  return clusters.map((cluster) => configurationOf(cluster, path));
}

function configurationOf(cluster: Cluster, path: string): ClusterConfiguration {
  const { clusterId, profile = 'generic', copies = DEFAULT_COPIES, trustAnchorFile, members } = cluster;
  const where = `${path}: ${clusterId}`;
  if (profile === 'cloudhsm' && members.length !== 1) {
    throw new ConfigError(`${where} must have one member: the module of CloudHSM reaches all HSMs of its cluster`);
  }
  if (profile !== 'cloudhsm' && (copies < 1 || copies > members.length)) {
    throw new ConfigError(
      `${where} must have a key on ${String(copies)} of ${String(members.length)} members; "copies: 1" does without ` +
        'a second one, and loses keys with the token',
    );
  }
  const inFolder = (name: string): string => resolve(dirname(path), name);
  return {
    clusterId,
    profile,
    copies,
    queueLength: atLeastOne(cluster.queueLength, `${where}: queueLength`),
    timeoutMs: atLeastOne(cluster.timeoutMs, `${where}: timeoutMs`),
    trustAnchor: trustAnchorFile === undefined ? undefined : readCertificate(inFolder(trustAnchorFile), where),
    members: members.map((member, index) => memberOf(member, `${where}, member ${String(index + 1)}`, inFolder)),
  };
}

/** Once, at the start: a store is not made by a file that went away or was written halfway. @throws ConfigError */
function readCertificate(path: string, where: string): X509Certificate {
  const pem = readText(path);
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ConfigError(`${where}: trustAnchorFile ${path} holds no certificate`);
  }
}

function memberOf(member: Member, where: string, inFolder: (name: string) => string): ClusterMemberConfiguration {
  const token = readTokenMembers(member, where, inFolder);
  return {
    name: member.name ?? ('label' in token.token ? token.token.label : `slot ${String(member.slot)}`),
    ...token,
  };
}
