import type { Caller } from '../base/caller.ts';
import { callerOf } from '../iam/identities.ts';
import type { SeedAccount } from './seed-file.ts';
import type { SeedSession } from './session.ts';

/** @throws SeedError when an access key of the file is one of another account, or has another secret */
export async function planAccount(session: SeedSession, account: SeedAccount): Promise<void> {
  const { accountId, at, accessKeys = [] } = account;
  session.claim(at, `account ${accountId}`);
  const { accessKeys: stored, identities } = session.engine;
  const owner = async (): Promise<Caller> => callerOf(await identities.ensureAdministrator(accountId));
  for (const { accessKeyId, secretAccessKey, at: place } of accessKeys) {
    const what = `access key ${accessKeyId}`;
    session.claim(place, what);
    const existing = await stored.find(accessKeyId);
    if (existing === undefined) {
      session.add(async () => {
        await stored.put({ accessKeyId, secretAccessKey }, await owner());
      });
      continue;
    }
    session.requireSame(place, `account of ${what}`, accountId, existing.identity.accountId);
    if (!stored.hasSecret(existing, secretAccessKey)) {
      throw session.error(place, `${what}: the secret of the file is not the one of the store; neither is shown`);
    }
    session.noteExisting();
  }
  if (account.generateAccessKey !== true) {
    return;
  }
  if (accessKeys.length > 0) {
    throw session.error(at, 'generateAccessKey is for accounts without accessKeys');
  }
  if (await stored.hasAny(accountId)) {
    session.noteExisting();
  } else {
    session.add(async () => {
      session.generatedAccessKeys.push({ accountId, ...(await stored.create(await owner())) });
    });
  }
}
