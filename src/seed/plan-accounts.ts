import type { Caller } from '../base/caller.ts';
import type { PrincipalRecord } from '../base/stored-records.ts';
import { ADMINISTRATOR, callerOf, type PrincipalName, type PrincipalSettings } from '../iam/identities.ts';
import { parsePolicyDocument, type PolicyKind } from '../policy/policy-document.ts';
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

/**
 * Plans an account: its administrator's access keys, and its users, roles and services.
 *
 * @throws SeedError when an access key of the file is one of another owner, or has another secret; for a principal that
 *   cannot be
 */
export async function planAccount(session: SeedSession, account: SeedAccount): Promise<void> {
  const { accountId, at } = account;
  session.claim(at, `account ${accountId}`);
  const { accessKeys, identities } = session.engine;
  const administrator = { accountId, kind: 'user', name: ADMINISTRATOR } as const;
  await planAccessKeys(session, account, {
    name: administrator,
    arn: identities.plan(administrator).arn,
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
  for (const role of account.roles ?? []) {
    await planPrincipal(session, { accountId, kind: 'role', name: role.name }, role, {
      trustPolicy: policyOf(session, role.trustPolicy, 'trust'),
      ...(role.maxSessionSeconds === undefined ? {} : { maxSessionSeconds: role.maxSessionSeconds }),
    });
  }
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

/** What is there already stays as it is; `settings` are those that only some kinds have. */
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
  const { arn } = session.check(at, () => identities.plan(name, all));
  const namesake = await identities.findByName(name);
  if (namesake === undefined) {
    session.add(() => identities.create(name, all));
    return { arn, stored: undefined };
  }
  session.noteExisting();
  return { arn, stored: namesake };
}

function policyOf(session: SeedSession, { value, at }: Located<unknown>, kind: PolicyKind): string {
  const text = session.policyText(at, value);
  const parsed = parsePolicyDocument(text, kind);
  if (!parsed.ok) {
    throw session.error(at, `MalformedPolicyDocument: ${parsed.problem}`);
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
