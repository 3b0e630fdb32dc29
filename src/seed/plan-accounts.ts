import type { Caller } from '../base/caller.ts';
import type { PrincipalRecord } from '../base/stored-records.ts';
import { ADMINISTRATOR, arnOf, callerOf, type PrincipalName, type PrincipalSettings } from '../iam/identities.ts';
import type { PolicyKind } from '../policy/policy-document.ts';
import { denyAll, readPolicy } from '../policy/policy.ts';
import { principalsOf } from '../policy/rename-principals.ts';
import { identifyPrincipals } from '../service/principal-names.ts';
import type { Place } from './seed-error.ts';
import type { SeedAccessKeys, SeedAccount, SeedRole, SeedUser } from './seed-file.ts';
import type { SeedSession } from './session.ts';
import type { Located } from './yaml-schema.ts';

/** Who an access key is for. */
interface Owner {
  readonly name: PrincipalName;
  readonly arn: string;
  /** Looks the owner up once it is there, which may be after the file was checked. */
  readonly load: () => Promise<Caller>;
  /** Whether the owner needs no generated access key. */
  readonly isServed: () => Promise<boolean>;
}

/** Lets a role that was made be taken by those whom its trust policy names, once all of them are there. */
export type Opening = () => Promise<unknown>;

/** Notes whom an account is to get, so that policies of the same file can name them. */
export async function expectPrincipals(session: SeedSession, account: SeedAccount): Promise<void> {
  const { identities } = session.engine;
  const { accountId, users = [], roles = [], services = [], accessKeys = [], generateAccessKey } = account;
  const hasAdministrator = accessKeys.length > 0 || generateAccessKey === true;
  const names: readonly PrincipalName[] = [
    ...(hasAdministrator ? [{ accountId, kind: 'user', name: ADMINISTRATOR } as const] : []),
    ...services.map(({ name }): PrincipalName => ({ accountId, kind: 'service', name })),
    ...users.map(({ name }): PrincipalName => ({ accountId, kind: 'user', name })),
    ...roles.map(({ name }): PrincipalName => ({ accountId, kind: 'role', name })),
  ];
  for (const name of names) {
    if ((await identities.findByName(name)) === undefined) {
      session.expect(name);
    }
  }
}

/**
 * Plans an account: its administrator's access keys, and its users, roles and services.
 *
 * @returns what completes its new roles when everybody is there
 * @throws SeedError when an access key of the file is one of another owner, or has another secret; for a principal that
 *   cannot be
 */
export async function planAccount(session: SeedSession, account: SeedAccount): Promise<readonly Opening[]> {
  const { accountId, at } = account;
  session.claim(at, `account ${accountId}`);
  const { accessKeys, identities } = session.engine;
  const administrator = { accountId, kind: 'user', name: ADMINISTRATOR } as const;
  await planAccessKeys(session, account, {
    name: administrator,
    arn: arnOf(administrator),
    load: async () => callerOf(await identities.ensureAdministrator(accountId)),
    isServed: () => accessKeys.hasAny(accountId),
  });
  for (const user of account.users ?? []) {
    if (user.name === ADMINISTRATOR) {
      throw session.error(user.at, `${ADMINISTRATOR} is there by itself; its access keys stand with the account`);
    }
    await planUser(session, { accountId, kind: 'user', name: user.name }, user);
  }
  for (const service of account.services ?? []) {
    await planUser(session, { accountId, kind: 'service', name: service.name }, service);
  }
  const openings: Opening[] = [];
  for (const role of account.roles ?? []) {
    openings.push(...(await planRole(session, { accountId, kind: 'role', name: role.name }, role)));
  }
  return openings;
}

/** A role that trusts somebody whom the file makes is closed to everyone until all of them are there. */
async function planRole(session: SeedSession, name: PrincipalName, role: SeedRole): Promise<readonly Opening[]> {
  const { identities } = session.engine;
  const { at } = role.trustPolicy;
  const text = policyOf(session, role.trustPolicy, 'trust');
  const identified = await identifyPrincipals(text, session.principals);
  if (!identified.ok) {
    throw session.error(at, `MalformedPolicyDocument: Invalid principal in policy: "AWS":"${identified.unknown}"`);
  }
  const isEarly = [...principalsOf(text)].some((principal) => session.isExpected(principal));
  const seconds = role.maxSessionSeconds === undefined ? {} : { maxSessionSeconds: role.maxSessionSeconds };
  await planPrincipal(session, name, role, {
    trustPolicy: isEarly ? denyAll('trust').text : identified.text,
    ...seconds,
  });
  return isEarly ? [() => identities.update(name, () => ({ trustPolicy: text }))] : [];
}

/** Plans what signs with access keys of its own. */
async function planUser(session: SeedSession, name: PrincipalName, given: SeedUser): Promise<void> {
  const { accessKeys, identities } = session.engine;
  const { arn, stored } = await planPrincipal(session, name, given, {});
  await planAccessKeys(session, given, {
    name,
    arn,
    load: async () => callerOf(await identities.get(name)),
    isServed: async () => stored !== undefined && (await accessKeys.list(stored.uniqueId)).length > 0,
  });
}

/** What is there becomes what the file says; `settings` are those that only some kinds have. */
async function planPrincipal(
  session: SeedSession,
  name: PrincipalName,
  given: SeedUser | SeedRole,
  settings: PrincipalSettings,
): Promise<{ readonly arn: string; readonly stored: PrincipalRecord | undefined }> {
  const { accountId, kind } = name;
  const { at, policies, permissionsBoundary: boundary, tags } = given;
  const { identities } = session.engine;
  session.claim(at, `${kind} ${name.name} of account ${accountId}`);
  const all: PrincipalSettings = {
    policies: new Map([...(policies ?? [])].map(([title, text]) => [title, policyOf(session, text, 'identity')])),
    tags: tags ?? new Map<string, string>(),
    ...(boundary === undefined ? {} : { permissionsBoundary: policyOf(session, boundary, 'boundary') }),
    ...settings,
  };
  const wanted = await session.check(at, () => identities.plan(name, all));
  const stored = await identities.findByName(name);
  if (stored === undefined) {
    session.add(() => identities.create(name, all));
    return { arn: wanted.arn, stored };
  }
  session.noteExisting();
  const differences = findDifferences(stored, wanted);
  if (differences.length > 0) {
    session.change(`${kind} ${name.name} of account ${accountId}: ${differences.join(', ')}`, () =>
      identities.update(name, () => settingsOf(wanted)),
    );
  }
  return { arn: wanted.arn, stored };
}

function settingsOf(record: PrincipalRecord): PrincipalSettings {
  const { policies, permissionsBoundary, trustPolicy, maxSessionSeconds, tags } = record;
  return { policies, permissionsBoundary, trustPolicy, maxSessionSeconds, tags };
}

/** In what a stored principal is not what the file says, in words for the operator. */
function findDifferences(stored: PrincipalRecord, wanted: PrincipalRecord): readonly string[] {
  const policies = [...new Set([...stored.policies.keys(), ...wanted.policies.keys()])].filter(
    (name) => !isSamePolicy(stored.policies.get(name), wanted.policies.get(name)),
  );
  const isSameTags =
    stored.tags.size === wanted.tags.size && [...wanted.tags].every(([key, value]) => stored.tags.get(key) === value);
  return [
    ...policies.map((name) => `policy ${name}`),
    ...(isSamePolicy(stored.permissionsBoundary, wanted.permissionsBoundary) ? [] : ['permissionsBoundary']),
    ...(isSamePolicy(stored.trustPolicy, wanted.trustPolicy) ? [] : ['trustPolicy']),
    ...(stored.maxSessionSeconds === wanted.maxSessionSeconds ? [] : ['maxSessionSeconds']),
    ...(isSameTags ? [] : ['tags']),
  ];
}

/** White space makes no difference. */
function isSamePolicy(left: string | undefined, right: string | undefined): boolean {
  const compact = (text: string | undefined): string | undefined => text && JSON.stringify(JSON.parse(text));
  return left === right || compact(left) === compact(right);
}

function policyOf(session: SeedSession, { value, at }: Located<unknown>, kind: PolicyKind): string {
  const text = session.policyText(at, value);
  const result = readPolicy(text, kind);
  if (!result.ok) {
    throw session.error(at, `MalformedPolicyDocument: ${result.problem}`);
  }
  return text;
}

async function planAccessKeys(
  session: SeedSession,
  { accessKeys = [], generateAccessKey, at }: SeedAccessKeys,
  owner: Owner,
): Promise<void> {
  const { accessKeys: stored } = session.engine;
  for (const accessKey of accessKeys) {
    await planAccessKey(session, accessKey, owner);
  }
  if (generateAccessKey !== true) {
    return;
  }
  if (accessKeys.length > 0) {
    throw session.error(at, 'generateAccessKey is for those without accessKeys');
  }
  if (await owner.isServed()) {
    session.noteExisting();
    return;
  }
  session.add(async () => {
    const { accountId, name: ownerName } = owner.name;
    session.generatedAccessKeys.push({ accountId, ownerName, ...(await stored.create(await owner.load())) });
  });
}

async function planAccessKey(
  session: SeedSession,
  given: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly at: Place },
  owner: Owner,
): Promise<void> {
  const { accessKeyId, secretAccessKey, at } = given;
  const { accessKeys: stored } = session.engine;
  const what = `access key ${accessKeyId}`;
  session.claim(at, what);
  const existing = await stored.find(accessKeyId);
  if (existing === undefined) {
    session.add(async () => {
      await stored.put({ accessKeyId, secretAccessKey }, await owner.load());
    });
    return;
  }
  session.requireSame(at, `account of ${what}`, owner.name.accountId, existing.identity.accountId);
  session.requireSame(at, `owner of ${what}`, owner.arn, existing.identity.arn);
  if (!stored.hasSecret(existing, secretAccessKey)) {
    throw session.error(at, `${what}: the secret of the file is not the one of the store; neither is shown`);
  }
  session.noteExisting();
}
