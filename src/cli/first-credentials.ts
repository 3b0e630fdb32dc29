import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Caller } from '../base/caller.ts';
import type { Engine } from '../engine/engine.ts';
import type { NewAccessKey } from '../iam/access-keys.ts';
import { callerOf } from '../iam/identities.ts';
import { ConfigError, type ServerConfig } from './config.ts';

/** How the one who starts the server can call it. */
export type FirstCredentials =
  /** Made now; the secret is shown this once. */
  | ({ readonly kind: 'made'; readonly file: string } & NewAccessKey)
  /** Taken from the environment, where the secret stands. */
  | { readonly kind: 'given'; readonly accessKeyId: string }
  /** Made by an earlier start; `file` holds them unless it was removed. */
  | { readonly kind: 'earlier'; readonly file: string | undefined }
  /** Those that stand in the seed file. */
  | { readonly kind: 'seeded'; readonly file: string };

/**
 * Sees to it that somebody can call: stores the credentials of the environment, or makes an account with one
 * administrator on the first start and leaves its credentials in the data directory, in a file for its owner alone.
 */
export async function ensureCredentials(engine: Engine, config: ServerConfig): Promise<FirstCredentials> {
  const file = join(config.dataDirectory, 'credentials');
  if (config.credentials !== undefined) {
    const { accessKeyId, secretAccessKey, accountId } = config.credentials;
    const known = await engine.accessKeys.find(accessKeyId);
    const isStored =
      known !== undefined &&
      (accountId === undefined || accountId === known.identity.accountId) &&
      engine.accessKeys.hasSecret(known, secretAccessKey);
    // One that is stored stays as it is: an operator may have deactivated it.
    if (!isStored) {
      const owner = await administratorOf(engine, accountId ?? known?.identity.accountId ?? engine.newAccountId());
      await engine.accessKeys.put({ accessKeyId, secretAccessKey }, owner);
    }
    return { kind: 'given', accessKeyId };
  }
  if (await engine.accessKeys.hasAny()) {
    if (config.accountId !== undefined && !(await engine.accessKeys.hasAny(config.accountId))) {
      throw new ConfigError(
        `this store has no credentials of account ${config.accountId}: set KEYWRIGHT_ACCESS_KEY_ID and ` +
          'KEYWRIGHT_SECRET_ACCESS_KEY as well to make some, or leave KEYWRIGHT_ACCOUNT_ID out',
      );
    }
    if (existsSync(file)) {
      return { kind: 'earlier', file };
    }
    return config.seed === undefined ? { kind: 'earlier', file: undefined } : { kind: 'seeded', file: config.seed };
  }
  const made = await engine.accessKeys.create(await administratorOf(engine, config.accountId ?? engine.newAccountId()));
  saveCredentials(config.dataDirectory, 'default', made);
  return { kind: 'made', file, ...made };
}

/** Adds a profile to the file `credentials` of the data directory, which is for its owner alone; returns its path. */
export function saveCredentials(dataDirectory: string, profile: string, made: NewAccessKey): string {
  const file = join(dataDirectory, 'credentials');
  const lines = [
    `[${profile}]`,
    `aws_access_key_id = ${made.accessKeyId}`,
    `aws_secret_access_key = ${made.secretAccessKey}`,
  ];
  appendFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

async function administratorOf({ identities }: Engine, accountId: string): Promise<Caller> {
  return callerOf(await identities.ensureAdministrator(accountId));
}
