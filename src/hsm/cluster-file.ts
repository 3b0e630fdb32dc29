import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { PROFILE_CODES, type Pkcs11ProfileName } from '../pkcs11/codes.ts';
import type { ClusterConfiguration, ClusterMemberConfiguration } from './cluster-configuration.ts';

/** The file of clusters cannot be used; the text names the place and what must stand there. */
export class ClusterFileError extends Error {
  override readonly name = 'ClusterFileError';
}

type Members = Readonly<Record<string, unknown>>;

const CLUSTER_ID = /^cluster-[2-7a-zA-Z]{11,16}$/;
const CLUSTER_MEMBERS = ['clusterId', 'profile', 'copies', 'queueLength', 'timeoutMs', 'trustAnchorFile', 'members'];
const HSM_MEMBERS = [
  'name',
  'module',
  'tokenLabel',
  'slot',
  'pinFile',
  'initArgs',
  'sessions',
  'process',
  'environment',
];
const DEFAULT_COPIES = 2;

/**
 * Reads the YAML file that says which PKCS#11 modules and tokens stand behind which CloudHSM clusters. Paths in it are
 * relative to its folder.
 *
 * @throws ClusterFileError
 */
export function readClusterFile(path: string): readonly ClusterConfiguration[] {
  const root = requireMembers(parseFile(path), ['clusters'], path);
  const clusters = requireList(root['clusters'], `${path}: clusters`).map((entry, index) =>
    readCluster(entry, `${path}, cluster ${String(index + 1)}`, dirname(resolve(path))),
  );
  const ids = clusters.map(({ clusterId }) => clusterId);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) {
    throw new ClusterFileError(`${path} names ${twice} twice`);
  }
  return clusters;
}

function readCluster(entry: unknown, where: string, folder: string): ClusterConfiguration {
  const members = requireMembers(entry, CLUSTER_MEMBERS, where);
  const clusterId = requireText(members, 'clusterId', where);
  if (!CLUSTER_ID.test(clusterId)) {
    throw new ClusterFileError(`${where}: clusterId must match ${CLUSTER_ID.source}`);
  }
  const profile = optionalText(members, 'profile', where) ?? 'generic';
  if (!isProfile(profile)) {
    throw new ClusterFileError(`${where}: profile must be one of ${Object.keys(PROFILE_CODES).join(', ')}`);
  }
  const hsms = requireList(members['members'], `${where}: members`).map((member, index) =>
    readMember(member, `${where}, member ${String(index + 1)}`, folder),
  );
  const copies = optionalNumber(members, 'copies', where, 1, hsms.length) ?? DEFAULT_COPIES;
  if (profile === 'cloudhsm' ? hsms.length > 1 : hsms.length < copies) {
    throw new ClusterFileError(
      profile === 'cloudhsm'
        ? `${where}: the module of CloudHSM reaches all HSMs of its cluster, so there is one member`
        : `${where}: every key must be on ${String(copies)} members and there are ${String(hsms.length)}; ` +
            '"copies: 1" does without a second one',
    );
  }
  const trustAnchorFile = optionalText(members, 'trustAnchorFile', where);
  return {
    clusterId,
    profile,
    copies,
    queueLength: optionalNumber(members, 'queueLength', where, 1, 1_000_000),
    timeoutMs: optionalNumber(members, 'timeoutMs', where, 10, 600_000),
    trustAnchorFile: trustAnchorFile === undefined ? undefined : resolve(folder, trustAnchorFile),
    members: hsms,
  };
}

function readMember(entry: unknown, where: string, folder: string): ClusterMemberConfiguration {
  const members = requireMembers(entry, HSM_MEMBERS, where);
  const label = optionalText(members, 'tokenLabel', where);
  const slotId = optionalNumber(members, 'slot', where, 0, Number.MAX_SAFE_INTEGER);
  if ((label === undefined) === (slotId === undefined)) {
    throw new ClusterFileError(`${where} needs tokenLabel or slot, and not both`);
  }
  const process = optionalText(members, 'process', where) ?? 'own';
  if (process !== 'own' && process !== 'helper') {
    throw new ClusterFileError(`${where}: process must be own or helper`);
  }
  const environment = readEnvironment(members['environment'], where);
  if (process === 'own' && Object.keys(environment).length > 0) {
    throw new ClusterFileError(`${where}: environment goes with "process: helper" only`);
  }
  const pinFile = optionalText(members, 'pinFile', where);
  return {
    name: optionalText(members, 'name', where) ?? label ?? `slot ${String(slotId)}`,
    modulePath: resolve(folder, requireText(members, 'module', where)),
    token: label === undefined ? { slotId: slotId ?? 0 } : { label },
    pinFile: pinFile === undefined ? undefined : resolve(folder, pinFile),
    initArgs: optionalText(members, 'initArgs', where),
    sessions: optionalNumber(members, 'sessions', where, 1, 1024),
    process,
    environment,
  };
}

function parseFile(path: string): unknown {
  try {
    const document = parseDocument(readFileSync(path, 'utf8'));
    const [problem] = document.errors;
    if (problem === undefined) {
      return document.toJS({ maxAliasCount: 100 });
    }
    throw problem;
  } catch (error) {
    throw new ClusterFileError(`${path}: ${(error as Error).message}`);
  }
}

function requireMembers(value: unknown, known: readonly string[], where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ClusterFileError(`${where} must have members, out of ${known.join(', ')}`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ClusterFileError(`${where} has the unknown member "${unknown}"`);
  }
  return value as Members;
}

function requireList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new ClusterFileError(`${where} must be a list with an entry`);
  }
  return value;
}

function optionalText(members: Members, name: string, where: string): string | undefined {
  const value = members[name];
  if (value !== undefined && (typeof value !== 'string' || value === '')) {
    throw new ClusterFileError(`${where}: ${name} must be a text`);
  }
  return value;
}

function requireText(members: Members, name: string, where: string): string {
  const value = optionalText(members, name, where);
  if (value === undefined) {
    throw new ClusterFileError(`${where} lacks ${name}`);
  }
  return value;
}

function optionalNumber(
  members: Members,
  name: string,
  where: string,
  least: number,
  most: number,
): number | undefined {
  const value = members[name];
  if (value !== undefined && !(Number.isInteger(value) && Number(value) >= least && Number(value) <= most)) {
    throw new ClusterFileError(`${where}: ${name} must be a whole number from ${String(least)} to ${String(most)}`);
  }
  return value as number | undefined;
}

function readEnvironment(value: unknown, where: string): Readonly<Record<string, string>> {
  if (value === undefined) {
    return {};
  }
  const variables = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (variables.length === 0 || variables.some(([, text]) => typeof text !== 'string')) {
    throw new ClusterFileError(`${where}: environment must have texts by name`);
  }
  return Object.fromEntries(variables);
}

function isProfile(name: string): name is Pkcs11ProfileName {
  return Object.hasOwn(PROFILE_CODES, name);
}
