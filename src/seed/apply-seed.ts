import { KmsServiceError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import { IdentityError } from '../iam/identity-error.ts';
import { VersionConflictError } from '../service/ports.ts';
import { expectPrincipals, planAccount, type Opening } from './plan-accounts.ts';
import { planKeyFamily } from './plan-keys.ts';
import { parseSeedFile, type SeedFile, type SeedKey } from './seed-file.ts';
import { SeedSession, type GeneratedAccessKey } from './session.ts';

export interface SeedOptions {
  /** What errors call the file; default: `seed`. */
  readonly file?: string;
  /** Checks the file against the store and changes nothing. */
  readonly isCheckOnly?: boolean;
}

/** What a seed file did. Principals, access keys, keys (one for each Region), aliases and grants are counted. */
export interface SeedReport {
  /** How many were made; in a check, how many would be. */
  readonly created: number;
  /** What was changed, one line for each principal; in a check, what would be. They count as existing, too. */
  readonly changes: readonly string[];
  readonly existing: number;
  readonly generatedAccessKeys: readonly GeneratedAccessKey[];
}

/** How often the file is looked at anew because another process made something of it meanwhile. */
const MAX_ATTEMPTS = 5;

/**
 * Makes what a seed file describes and the store does not have, and makes users, roles and services that it has what
 * the file says; keys, aliases and grants that are there are left as they are, and nothing is ever deleted. The whole
 * file is checked against the store before anything is made. A load that was cut off is completed by the next one.
 *
 * @param source YAML, at most 4,194,304 bytes (docs/guides/seeding.md)
 * @throws SeedError for a file that cannot be read or contradicts the store
 */
export async function applySeed(engine: Engine, source: string, options: SeedOptions = {}): Promise<SeedReport> {
  const { file = 'seed', isCheckOnly = false } = options;
  const seed = parseSeedFile(source, file);
  const generatedAccessKeys: GeneratedAccessKey[] = [];
  const changes: string[] = [];
  let created = 0;
  for (let attempt = 1; ; attempt++) {
    const session = new SeedSession(engine, file);
    try {
      await plan(session, seed);
      if (isCheckOnly) {
        const { missing, existing } = session;
        return { created: missing, changes: session.changes, existing, generatedAccessKeys };
      }
      const total = session.existing + session.missing;
      await session.apply(
        () => created++,
        (what) => changes.push(what),
      );
      generatedAccessKeys.push(...session.generatedAccessKeys);
      return { created, changes, existing: total - created, generatedAccessKeys };
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isRace(error)) {
        throw error;
      }
      generatedAccessKeys.push(...session.generatedAccessKeys);
    }
  }
}

async function plan(session: SeedSession, seed: SeedFile): Promise<void> {
  for (const account of seed.accounts) {
    await expectPrincipals(session, account);
  }
  const openings: Opening[] = [];
  for (const account of seed.accounts) {
    openings.push(...(await planAccount(session, account)));
  }
  for (const open of openings) {
    session.complete(open);
  }
  for (const key of seed.keys ?? []) {
    await planKeyFamily(session, key, accountOf(session, seed, key));
  }
}

function accountOf(session: SeedSession, { accounts }: SeedFile, { accountId, at }: SeedKey): string {
  const [only, ...others] = accounts;
  if (accountId === undefined && only !== undefined && others.length === 0) {
    return only.accountId;
  }
  if (accountId === undefined) {
    throw session.error(at, 'accountId is needed where the file has not exactly one account');
  }
  if (!accounts.some((account) => account.accountId === accountId)) {
    throw session.error(at, `account ${accountId} is not among the accounts of the file`);
  }
  return accountId;
}

/** Whether another process made the same thing between our look and our change. */
function isRace(error: unknown): boolean {
  return (
    error instanceof VersionConflictError ||
    (error instanceof KmsServiceError && error.name === 'AlreadyExistsException') ||
    (error instanceof IdentityError && (error.code === 'EntityAlreadyExists' || error.code === 'NoSuchEntity'))
  );
}
