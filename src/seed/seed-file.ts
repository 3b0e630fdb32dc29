/**
 * The form of a seed file: every member that it can have, in one place (docs/guides/seeding.md tells what they mean).
 * What the values may be, beyond their form, is for the same checks as in the operations of the API.
 */
import { isAliasName } from '../keys/alias.ts';
import { KEY_SPECS, KEY_USAGES } from '../keys/key-spec.ts';
import { isKeyId } from '../keys/kms-key.ts';
import { REGION_PATTERN } from '../base/regions.ts';
import { findAccessKeyIdProblem } from '../iam/access-keys.ts';
import { GRANT_OPERATIONS } from '../policy/grant.ts';
import { YamlText } from './yaml-text.ts';
import {
  flag,
  json,
  list,
  located,
  mapOf,
  oneOf,
  optional,
  required,
  structure,
  text,
  textMap,
  wholeNumber,
} from './yaml-schema.ts';

const accountId = text('an account id of 12 digits', (value) => /^\d{12}$/.test(value));
const region = text('the name of a Region', (value) => REGION_PATTERN.test(value));

/** Whatever signs with long-term credentials can have these. */
const ACCESS_KEYS = {
  accessKeys: optional(
    list(
      structure({
        accessKeyId: required(
          text(
            'an access key id of 3 to 128 letters, digits, "_" or "-" that does not start with ASIA',
            (value) => findAccessKeyIdProblem(value) === undefined,
          ),
        ),
        secretAccessKey: required(text('a secret of 1 to 128 characters', (value) => /^.{1,128}$/u.test(value))),
      }),
    ),
  ),
  generateAccessKey: optional(flag),
} as const;

/** What every user, role and service can have. */
const PRINCIPAL = {
  name: required(text()),
  policies: optional(mapOf(located(json))),
  permissionsBoundary: optional(located(json)),
  tags: optional(textMap),
} as const;

const account = structure({
  accountId: required(accountId),
  ...ACCESS_KEYS,
  users: optional(list(structure({ ...PRINCIPAL, ...ACCESS_KEYS }))),
  roles: optional(
    list(structure({ ...PRINCIPAL, trustPolicy: required(located(json)), maxSessionSeconds: optional(wholeNumber) })),
  ),
  services: optional(list(structure({ ...PRINCIPAL, ...ACCESS_KEYS }))),
});

const grant = structure({
  name: required(text()),
  granteePrincipal: optional(text()),
  granteeServicePrincipal: optional(text()),
  retiringPrincipal: optional(text()),
  retiringServicePrincipal: optional(text()),
  operations: required(list(oneOf(GRANT_OPERATIONS))),
  constraints: optional(
    structure({
      encryptionContextEquals: optional(textMap),
      encryptionContextSubset: optional(textMap),
      sourceArn: optional(text()),
    }),
  ),
});

/** What every key has in its Region, be it a key of its own or a replica. */
const REGIONAL = {
  region: required(region),
  description: optional(text()),
  enabled: optional(flag),
  policy: optional(json),
  bypassPolicyLockoutSafetyCheck: optional(flag),
  tags: optional(textMap),
  aliases: optional(list(located(text('an alias name, alias/…', isAliasName)))),
  grants: optional(list(grant)),
} as const;

const key = structure({
  keyId: required(text('a key id, a UUID in lower case or mrk- and 32 hexadecimal digits', isKeyId)),
  accountId: optional(accountId),
  ...REGIONAL,
  keySpec: optional(oneOf(KEY_SPECS)),
  keyUsage: optional(oneOf(KEY_USAGES)),
  rotation: optional(structure({ periodInDays: optional(wholeNumber) })),
  material: optional(structure({ base64: optional(text()), hex: optional(text()) })),
  replicas: optional(list(structure(REGIONAL))),
});

export const seedFile = structure({ accounts: required(list(account)), keys: optional(list(key)) });

export type SeedFile = ReturnType<(typeof seedFile)['read']>;
export type SeedAccount = SeedFile['accounts'][number];
export type SeedUser = NonNullable<SeedAccount['users']>[number];
export type SeedRole = NonNullable<SeedAccount['roles']>[number];
/** The members that say which access keys there shall be. */
export type SeedAccessKeys = Pick<SeedAccount, 'accessKeys' | 'generateAccessKey' | 'at'>;
export type SeedKey = NonNullable<SeedFile['keys']>[number];
export type SeedReplica = NonNullable<SeedKey['replicas']>[number];
export type SeedGrant = NonNullable<SeedKey['grants']>[number];

/** @throws SeedError for the first thing in `source` that a seed file cannot have */
export function parseSeedFile(source: string, file: string): SeedFile {
  const yaml = new YamlText(source, file);
  return seedFile.read(yaml.root, yaml, 'the file');
}
