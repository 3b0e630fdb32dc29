/** What tests may do to an engine that was opened with test powers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import type { FaultRule } from '../../src/engine/test-powers/faults.ts';
import { TestPowers } from '../../src/engine/test-powers/test-powers.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import { LOOKS_OR_USES } from '../../src/engine/test-powers/lagging-ports.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestClock } from '../support/test-clock.ts';

const ACCOUNT = '111122223333';
const context = { caller: rootOf(ACCOUNT), region: 'eu-central-1' };
const DAY_MS = 86_400_000;

let folder: ReturnType<typeof temporaryFolder>;
let base: TestClock;
let powers: TestPowers;
let engine: Engine;

beforeEach(async () => {
  folder = temporaryFolder();
  base = new TestClock();
  powers = new TestPowers(base);
  engine = await Engine.open({ dataDirectory: folder.path, testPowers: powers });
});

afterEach(async () => {
  await engine.close();
  folder.remove();
});

async function createKey(): Promise<string> {
  return (await engine.call('CreateKey', {}, context)).KeyMetadata.KeyId;
}

async function encrypt(KeyId: string): Promise<Uint8Array> {
  return (await engine.call('Encrypt', { KeyId, Plaintext: Buffer.from('x') }, context)).CiphertextBlob;
}

/** Names of the errors of so many calls, or "ok". */
async function outcomes(count: number, call: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  for (let index = 0; index < count; index++) {
    names.push(
      await call().then(
        () => 'ok',
        (error: unknown) => (error as Error).name,
      ),
    );
  }
  return names;
}

describe('the movable clock', () => {
  it('makes what falls due happen', async () => {
    const KeyId = await createKey();
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 }, context);
    powers.clock.advance(91 * DAY_MS);
    expect(await engine.runMaintenance()).toMatchObject({ rotatedKeys: 1, deletedKeys: 0 });
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }, context);
    powers.clock.advance(8 * DAY_MS);
    expect(await engine.runMaintenance()).toMatchObject({ rotatedKeys: 0, deletedKeys: 1 });
  });

  it('runs on with the clock behind it, and can be set and reset', async () => {
    powers.clock.set(Date.UTC(2040, 0, 1));
    base.advanceMs(5000);
    const { KeyMetadata } = await engine.call('CreateKey', {}, context);
    expect(KeyMetadata.CreationDate.toISOString()).toBe('2040-01-01T00:00:05.000Z');
    powers.clock.reset();
    expect(engine.nowMs()).toBe(base.nowMs());
    expect(() => {
      powers.clock.set(Date.UTC(10_000, 0, 1));
    }).toThrow(RangeError);
  });
});

describe('faults', () => {
  it('throttle in the words of AWS, and the operation is not performed', async () => {
    powers.faults.set([{ operation: 'CreateKey', error: 'ThrottlingException' }]);
    await expectError(
      createKey(),
      'ThrottlingException',
      'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
    );
    expect((await engine.call('ListKeys', {}, context)).Keys).toEqual([]);
    powers.faults.clear();
    await createKey();
  });

  it('after the operation lose the answer, not the effect', async () => {
    powers.faults.set([{ operation: 'CreateKey', error: 'DependencyTimeoutException', when: 'after' }]);
    await expectError(createKey(), 'DependencyTimeoutException');
    expect((await engine.call('ListKeys', {}, context)).Keys).toHaveLength(1);
  });

  it('hit every n-th call, only so often, and count', async () => {
    powers.faults.set([{ operation: 'ListKeys', error: 'KMSInternalException', every: 2, times: 2 }]);
    const names = await outcomes(8, () => engine.call('ListKeys', {}, context));
    const [ok, failed] = ['ok', 'KMSInternalException'];
    expect(names).toEqual([ok, failed, ok, failed, ok, ok, ok, ok]);
    expect(powers.faults.rules).toMatchObject([{ operation: 'ListKeys', matched: 8, fired: 2 }]);
  });

  it('hit a share of the calls, the same ones for the same seed', async () => {
    const run = async (seed: number): Promise<string[]> => {
      powers.faults.set([{ error: 'KMSInternalException', probability: 0.3, seed }]);
      return outcomes(200, () => engine.call('ListKeys', {}, context));
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
    const share = first.filter((name) => name !== 'ok').length / first.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.4);
  });

  it('find their key by id, ARN, alias and ciphertext', async () => {
    const [KeyId, other] = [await createKey(), await createKey()];
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId }, context);
    const [CiphertextBlob, untouched] = [await encrypt(KeyId), await encrypt(other)];
    powers.faults.set([{ keyId: KeyId, error: 'KeyUnavailableException' }]);
    const arn = `arn:aws:kms:eu-central-1:${ACCOUNT}:`;
    for (const identifier of [KeyId, `${arn}key/${KeyId}`, 'alias/a', `${arn}alias/a`]) {
      await expectError(encrypt(identifier), 'KeyUnavailableException');
    }
    await expectError(engine.call('Decrypt', { CiphertextBlob }, context), 'KeyUnavailableException');
    await expectError(
      engine.call('ReEncrypt', { CiphertextBlob: untouched, DestinationKeyId: KeyId }, context),
      'KeyUnavailableException',
    );
    await engine.call('Decrypt', { CiphertextBlob: untouched }, context);
    await engine.call('ListKeys', {}, context);
  });

  it('find their Region', async () => {
    powers.faults.set([{ region: 'us-east-1', error: 'KMSInternalException' }]);
    await createKey();
    await expectError(engine.call('ListKeys', {}, { ...context, region: 'us-east-1' }), 'KMSInternalException');
  });

  it('delay a call, and a later rule may still fail it', async () => {
    powers.faults.set([
      { operation: 'ListKeys', latencyMs: 50 },
      { operation: 'ListKeys', error: 'KMSInternalException', message: 'mine' },
    ]);
    const order: string[] = [];
    const slow = expectError(engine.call('ListKeys', {}, context), 'KMSInternalException', 'mine').then(() => {
      order.push('slow');
    });
    await engine.call('ListAliases', {}, context);
    order.push('fast');
    await slow;
    expect(order).toEqual(['fast', 'slow']);
  });

  it('leave a bad request its own error', async () => {
    powers.faults.set([{ keyId: 'x', error: 'KMSInternalException' }]);
    await expectError(engine.call('Encrypt', { KeyId: 'x' } as never, context), 'ValidationException');
  });

  it.each([
    [{}, /needs an error or a latencyMs/],
    [{ error: 'Nonsense' }, /error of a rule must be an error of the API/],
    [{ error: 'KMSInternalException', operation: 'constructor' }, /operation of a rule must be/],
    [{ error: 'KMSInternalException', colour: 'red' }, /a rule has no member colour/],
    [{ latencyMs: 60_001 }, /latencyMs of a rule must be 0 to 60000/],
    [{ latencyMs: 1, every: 0 }, /every of a rule/],
    [{ latencyMs: 1, probability: 2 }, /probability of a rule/],
    [[], /must be an object/],
  ])('that make no sense are refused: %j', (rule, problem) => {
    expect(() => {
      powers.faults.set([{ latencyMs: 0 }, rule as FaultRule]);
    }).toThrow(problem);
    expect(powers.faults.rules).toEqual([]);
  });
});

describe('lag', () => {
  const LAG_MS = 1000;

  beforeEach(() => {
    powers.lag.set(LAG_MS);
  });

  it('keeps a new key from every call until it has passed', async () => {
    const KeyId = await createKey();
    await expectError(encrypt(KeyId), 'NotFoundException');
    await expectError(
      engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId }, context),
      'NotFoundException',
    );
    powers.clock.advance(LAG_MS - 1);
    await expectError(encrypt(KeyId), 'NotFoundException');
    powers.clock.advance(1);
    await encrypt(KeyId);
  });

  it('lets a disabled key work on, and a key that is enabled again stay disabled', async () => {
    const KeyId = await createKey();
    powers.clock.advance(LAG_MS);
    await engine.call('DisableKey', { KeyId }, context);
    await encrypt(KeyId);
    powers.clock.advance(LAG_MS / 2);
    await engine.call('EnableKey', { KeyId }, context);
    powers.clock.advance(LAG_MS / 2);
    await expectError(encrypt(KeyId), 'DisabledException');
    powers.clock.advance(LAG_MS / 2);
    await encrypt(KeyId);
  });

  it('loses no change when a key is changed twice within it', async () => {
    const KeyId = await createKey();
    powers.clock.advance(LAG_MS);
    await engine.call('TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: '' }] }, context);
    await engine.call('TagResource', { KeyId, Tags: [{ TagKey: 'b', TagValue: '' }] }, context);
    expect((await engine.call('ListResourceTags', { KeyId }, context)).Tags).toEqual([]);
    powers.clock.advance(LAG_MS);
    expect((await engine.call('ListResourceTags', { KeyId }, context)).Tags).toHaveLength(2);
  });

  it('shows the old target of an alias, and a deleted alias', async () => {
    const [one, other] = [await createKey(), await createKey()];
    powers.clock.advance(LAG_MS);
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: one }, context);
    await expectError(encrypt('alias/a'), 'NotFoundException');
    powers.clock.advance(LAG_MS);
    const target = async (): Promise<string> =>
      (await engine.call('DescribeKey', { KeyId: 'alias/a' }, context)).KeyMetadata.KeyId;
    await engine.call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other }, context);
    expect(await target()).toBe(one);
    powers.clock.advance(LAG_MS);
    expect(await target()).toBe(other);
    await engine.call('DeleteAlias', { AliasName: 'alias/a' }, context);
    expect(await target()).toBe(other);
    powers.clock.advance(LAG_MS);
    await expectError(target(), 'NotFoundException');
  });

  it('keeps grants from lists, and not from who has their token', async () => {
    const KeyId = await createKey();
    powers.clock.advance(LAG_MS);
    const grant = {
      KeyId,
      GranteePrincipal: `arn:aws:iam::${ACCOUNT}:role/r`,
      RetiringPrincipal: context.caller.arn,
      Operations: ['Decrypt'] as const,
    };
    const listed = async (): Promise<number> => (await engine.call('ListGrants', { KeyId }, context)).Grants.length;
    const { GrantId } = await engine.call('CreateGrant', grant, context);
    expect(await listed()).toBe(0);
    powers.clock.advance(LAG_MS);
    expect(await listed()).toBe(1);
    await engine.call('RevokeGrant', { KeyId, GrantId }, context);
    expect(await listed()).toBe(1);
    powers.clock.advance(LAG_MS);
    expect(await listed()).toBe(0);
    const { GrantToken } = await engine.call('CreateGrant', grant, context);
    await engine.call('RetireGrant', { GrantToken }, context);
  });

  it('keeps related keys together while they are changed', async () => {
    const { KeyMetadata } = await engine.call('CreateKey', { MultiRegion: true }, context);
    const { KeyId } = KeyMetadata;
    powers.clock.advance(LAG_MS);
    await engine.call('ReplicateKey', { KeyId, ReplicaRegion: 'us-east-1' }, context);
    await engine.call('EnableKeyRotation', { KeyId }, context);
    powers.clock.advance(LAG_MS);
    const status = await engine.call('GetKeyRotationStatus', { KeyId }, { ...context, region: 'us-east-1' });
    expect(status.KeyRotationEnabled).toBe(true);
  });

  it('of zero shows every change at once, and is bounded', async () => {
    powers.lag.set(0);
    await encrypt(await createKey());
    for (const ms of [-1, 600_001, Number.NaN]) {
      expect(() => {
        powers.lag.set(ms);
      }).toThrow(RangeError);
    }
  });

  it('takes every operation that changes something for one', () => {
    const changing = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => !LOOKS_OR_USES.test(name));
    const verbs = new Set(changing.map((name) => /^[A-Z][a-z]+/.exec(name)?.[0]));
    expect([...verbs].sort()).toEqual([
      'Cancel',
      'Connect',
      'Create',
      'Delete',
      'Disable',
      'Disconnect',
      'Enable',
      'Import',
      'Put',
      'Replicate',
      'Retire',
      'Revoke',
      'Rotate',
      'Schedule',
      'Tag',
      'Untag',
      'Update',
    ]);
  });
});
