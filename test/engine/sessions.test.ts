/** What becomes of sessions that are over. */
import { expect, it } from 'vitest';
import { rootOf } from '../../src/iam/identities.ts';
import { ACCOUNT, openEngine } from '../support/doors.ts';

const DAY_MS = 86_400_000;

it('maintenance forgets the sessions that expired a day ago, and no access key else', async () => {
  const { engine, clock, remove } = await openEngine();
  try {
    const caller = rootOf(ACCOUNT);
    const short = await engine.accessKeys.createTemporary(caller, clock.nowMs() + 1_000);
    const long = await engine.accessKeys.createTemporary(caller, clock.nowMs() + 1_001);
    const lasting = await engine.accessKeys.create(caller);
    // The round that began with the engine is over.
    await engine.runMaintenance();
    clock.advanceMs(DAY_MS + 1_000);
    await engine.runMaintenance();
    expect(await engine.accessKeys.find(short.accessKeyId)).toBeUndefined();
    expect(await engine.accessKeys.find(long.accessKeyId)).toBeDefined();
    expect(await engine.accessKeys.find(lasting.accessKeyId)).toBeDefined();
  } finally {
    await engine.close();
    remove();
  }
});
