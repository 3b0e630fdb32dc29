/** Changes of identities by another engine on the same store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { callerOf } from '../../src/iam/identities.ts';
import { MAX_STALENESS_MS } from '../../src/store/change-feed.ts';
import { ACCOUNT, openEngine, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';

it('a policy that another engine takes away no longer counts for a request that looks at no key', async () => {
  const { engine, folder, remove } = await openEngine();
  const store = `sqlite:${join(folder, 'keywright.db')}`;
  const other = await Engine.open({ dataDirectory: folder, store, regions: [REGION] });
  try {
    const administrator = await engine.identities.ensureAdministrator(ACCOUNT);
    const context = { caller: callerOf(administrator), region: REGION };
    expect((await engine.call('ListKeys', {}, context)).Keys).toEqual([]);
    await other.identities.update(administrator, () => ({ policies: new Map() }));
    await sleep(2 * MAX_STALENESS_MS);
    await expectError(engine.call('ListKeys', {}, context), 'AccessDeniedException');
  } finally {
    await other.close();
    await engine.close();
    remove();
  }
});

it('an access key that is made while its user is deleted goes with the user', async () => {
  const { engine, remove } = await openEngine();
  try {
    for (let round = 0; round < 20; round++) {
      const wanted = { accountId: ACCOUNT, kind: 'user', name: `leaver-${String(round)}` } as const;
      const leaver = await engine.identities.create(wanted);
      const make = async (): Promise<string | undefined> => {
        // A little later in each round: before the deletion, in it, and after it.
        for (let wait = 0; wait < round % 5; wait++) {
          await Promise.resolve();
        }
        const made = engine.accessKeys.create(callerOf(leaver));
        return made.then(
          ({ accessKeyId }) => accessKeyId,
          (error: unknown) => {
            expect((error as Error).message).toBe(`The principal ${leaver.arn} cannot be found.`);
            return undefined;
          },
        );
      };
      const [accessKeyId] = await Promise.all([make(), engine.identities.delete(wanted)]);
      expect(await engine.accessKeys.list(leaver.uniqueId)).toEqual([]);
      expect(accessKeyId && (await engine.accessKeys.find(accessKeyId))).toBeUndefined();
    }
  } finally {
    await engine.close();
    remove();
  }
});

it('no session is made of a role that was just deleted', async () => {
  const { engine, remove } = await openEngine();
  try {
    const wanted = { accountId: ACCOUNT, kind: 'role', name: 'closing' } as const;
    const trustPolicy = JSON.stringify({
      Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' },
    });
    const { arn, uniqueId } = await engine.identities.create(wanted, { trustPolicy });
    const identity = { accountId: ACCOUNT, arn, principalId: `${uniqueId}:work` };
    const made = await engine.accessKeys.createTemporary(identity, engine.nowMs() + 900_000);
    await engine.identities.delete(wanted);
    expect(await engine.accessKeys.find(made.accessKeyId)).toBeUndefined();
    const late = engine.accessKeys.createTemporary(identity, engine.nowMs() + 900_000);
    await expect(late).rejects.toMatchObject({ name: 'IdentityError', code: 'NoSuchEntity' });
  } finally {
    await engine.close();
    remove();
  }
});
