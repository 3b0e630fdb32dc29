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
