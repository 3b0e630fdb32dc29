import { readFileSync } from 'node:fs';
import type { Pkcs11TokenOptions } from '../pkcs11/token.ts';
import type { ClusterConfiguration, ClusterMemberConfiguration } from './cluster-configuration.ts';

/** How the token of a member is opened, without its PIN. */
export function tokenOptions(
  member: Omit<ClusterMemberConfiguration, 'name'>,
  { profile, queueLength, timeoutMs }: Pick<ClusterConfiguration, 'profile' | 'queueLength' | 'timeoutMs'>,
): Omit<Pkcs11TokenOptions, 'pin'> {
  return {
    modulePath: member.modulePath,
    token: member.token,
    profile,
    ...(member.initArgs === undefined ? {} : { initArgs: member.initArgs }),
    ...(member.sessions === undefined ? {} : { sessions: member.sessions }),
    ...(member.process === undefined ? {} : { process: member.process }),
    ...(member.environment === undefined ? {} : { environment: member.environment }),
    ...(queueLength === undefined ? {} : { queueLength }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** The PIN of a file, without a final newline; the caller overwrites it. @throws Error when there is no such file */
export function readPinFile(path: string): Uint8Array {
  const bytes = readFileSync(path);
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  return bytes.subarray(0, end);
}
