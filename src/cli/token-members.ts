/** How configuration files name tokens: those of clusters, and that of a proxy. */
import type { ClusterMemberConfiguration } from '../hsm/cluster-configuration.ts';
import { PROFILE_CODES, type Pkcs11ProfileName } from '../pkcs11/codes.ts';
import { oneOf, optional, required, text, textMap, wholeNumber } from '../seed/yaml-schema.ts';
import { ConfigError } from './config.ts';

const PROFILES = Object.keys(PROFILE_CODES) as Pkcs11ProfileName[];

/** Where a token is. */
export const TOKEN_MEMBERS = {
  module: required(text()),
  tokenLabel: optional(text()),
  slot: optional(wholeNumber),
  pinFile: optional(text()),
  initArgs: optional(text()),
  sessions: optional(wholeNumber),
  process: optional(oneOf(['this', 'helper'])),
  environment: optional(textMap),
};

/** How tokens are spoken to. */
export const USE_MEMBERS = {
  profile: optional(oneOf(PROFILES)),
  queueLength: optional(wholeNumber),
  timeoutMs: optional(wholeNumber),
};

interface TokenMembers {
  readonly module: string;
  readonly tokenLabel?: string;
  readonly slot?: number;
  readonly pinFile?: string;
  readonly initArgs?: string;
  readonly sessions?: number;
  readonly process?: 'this' | 'helper';
  readonly environment?: ReadonlyMap<string, string>;
}

/**
 * @param where for messages: file and place
 * @param inFolder resolves a path by the folder of the file
 * @throws ConfigError for a token that is named in both ways, or in none, and for an environment that nobody would get
 */
export function readTokenMembers(
  { module, tokenLabel, slot, pinFile, initArgs, sessions, process, environment }: TokenMembers,
  where: string,
  inFolder: (path: string) => string,
): Omit<ClusterMemberConfiguration, 'name'> {
  if ((tokenLabel === undefined) === (slot === undefined)) {
    throw new ConfigError(`${where} must have tokenLabel or slot, and not both`);
  }
  if (environment !== undefined && process !== 'helper') {
    throw new ConfigError(`${where} has an environment of its own only with "process: helper"`);
  }
  return {
    modulePath: inFolder(module),
    token: tokenLabel === undefined ? { slotId: slot ?? 0 } : { label: tokenLabel },
    pinFile: pinFile === undefined ? undefined : inFolder(pinFile),
    initArgs,
    sessions: atLeastOne(sessions, `${where}: sessions`),
    process,
    environment: environment === undefined ? undefined : Object.fromEntries(environment),
  };
}

/** @throws ConfigError for 0 */
export function atLeastOne(number: number | undefined, where: string): number | undefined {
  if (number === 0) {
    throw new ConfigError(`${where} must be at least 1`);
  }
  return number;
}
