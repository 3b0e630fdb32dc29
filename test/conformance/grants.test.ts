import {
  CreateGrantCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
  type CreateGrantCommandInput,
  type GrantListEntry,
} from '@aws-sdk/client-kms';
import { beforeAll, expect, it } from 'vitest';
import type { PrincipalRecord } from '../../src/base/stored-records.ts';
import { ACCOUNT, OTHER_REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const WORKER = `arn:aws:iam::${ACCOUNT}:role/worker`;
const JANITOR = `arn:aws:iam::${ACCOUNT}:user/janitor`;

const TRUST = JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' } });

describeKms('grants', (suite) => {
  const createRole = (name: string): Promise<PrincipalRecord> =>
    suite.door.engine.identities.create({ accountId: ACCOUNT, kind: 'role', name }, { trustPolicy: TRUST });

  beforeAll(async () => {
    await createRole('worker');
    await suite.door.engine.identities.create({ accountId: ACCOUNT, kind: 'user', name: 'janitor' });
  });

  const create = async (
    KeyId: string,
    input: Partial<CreateGrantCommandInput> = {},
  ): Promise<{ GrantId: string; GrantToken: string }> => {
    const { GrantId = '', GrantToken = '' } = await suite.kms.send(
      new CreateGrantCommand({ KeyId, GranteePrincipal: WORKER, Operations: ['Decrypt'], ...input }),
    );
    return { GrantId, GrantToken };
  };

  const list = async (KeyId: string): Promise<GrantListEntry[]> =>
    (await suite.kms.send(new ListGrantsCommand({ KeyId }))).Grants ?? [];

  it('a grant is listed as it was made', async () => {
    const { KeyId, Arn } = await suite.createKey();
    const { GrantId, GrantToken } = await create(KeyId, {
      RetiringPrincipal: JANITOR,
      Operations: ['Decrypt', 'Encrypt'],
      Name: 'worker',
      Constraints: { EncryptionContextSubset: { tenant: '42' } },
    });
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/);
    expect(GrantToken.length).toBeGreaterThan(0);
    expect(await list(KeyId)).toEqual([
      {
        KeyId: Arn,
        GrantId,
        Name: 'worker',
        CreationDate: new Date(suite.door.clock.nowMs()),
        GranteePrincipal: WORKER,
        RetiringPrincipal: JANITOR,
        IssuingAccount: `arn:aws:iam::${ACCOUNT}:root`,
        Operations: ['Decrypt', 'Encrypt'],
        Constraints: { EncryptionContextSubset: { tenant: '42' } },
      },
    ]);
  });

  it('the same name and parameters are the same grant, with another token', async () => {
    const { KeyId } = await suite.createKey();
    const first = await create(KeyId, { Name: 'once' });
    const second = await create(KeyId, { Name: 'once' });
    expect(second.GrantId).toBe(first.GrantId);
    expect(second.GrantToken).not.toBe(first.GrantToken);
    expect((await create(KeyId, { Name: 'once', Operations: ['Encrypt'] })).GrantId).not.toBe(first.GrantId);
    expect((await create(KeyId)).GrantId).not.toBe((await create(KeyId)).GrantId);
  });

  it('a grant is revoked by key and id, once', async () => {
    const { KeyId } = await suite.createKey();
    const { GrantId } = await create(KeyId);
    await suite.kms.send(new RevokeGrantCommand({ KeyId, GrantId }));
    expect(await list(KeyId)).toEqual([]);
    await expectError(suite.kms.send(new RevokeGrantCommand({ KeyId, GrantId })), 'NotFoundException');
  });

  it('a grant is retired by its token, or by key and id', async () => {
    const { KeyId, Arn } = await suite.createKey();
    const [byToken, byId] = [await create(KeyId), await create(KeyId)];
    await suite.kms.send(new RetireGrantCommand({ GrantToken: byToken.GrantToken }));
    expect((await list(KeyId)).map(({ GrantId }) => GrantId)).toEqual([byId.GrantId]);
    await suite.kms.send(new RetireGrantCommand({ KeyId: Arn, GrantId: byId.GrantId }));
    expect(await list(KeyId)).toEqual([]);
    await expectError(suite.kms.send(new RetireGrantCommand({ GrantToken: byToken.GrantToken })), 'NotFoundException');
    await expectError(suite.kms.send(new RetireGrantCommand({})), 'ValidationException');
    await expectError(suite.kms.send(new RetireGrantCommand({ KeyId: Arn })), 'ValidationException');
  });

  it('grant tokens are taken where they were made, and nothing else is one', async () => {
    const { KeyId } = await suite.createKey();
    const { GrantToken } = await create(KeyId);
    await suite.kms.send(new DescribeKeyCommand({ KeyId, GrantTokens: [GrantToken] }));
    for (const token of ['invented', `${GrantToken}AAAA`, GrantToken.toLowerCase()]) {
      await expectError(
        suite.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), GrantTokens: [token] })),
        'InvalidGrantTokenException',
      );
    }
    await expectError(
      suite.door.client({ region: OTHER_REGION }).send(new RetireGrantCommand({ GrantToken })),
      'InvalidGrantTokenException',
    );
  });

  it('a dry run makes, retires and revokes nothing', async () => {
    const { KeyId } = await suite.createKey();
    await expectError(create(KeyId, { DryRun: true }), 'DryRunOperationException');
    expect(await list(KeyId)).toEqual([]);
    const { GrantId, GrantToken } = await create(KeyId);
    await expectError(
      suite.kms.send(new RevokeGrantCommand({ KeyId, GrantId, DryRun: true })),
      'DryRunOperationException',
    );
    await expectError(suite.kms.send(new RetireGrantCommand({ GrantToken, DryRun: true })), 'DryRunOperationException');
    expect(await list(KeyId)).toHaveLength(1);
  });

  it('grants are listed page by page, filtered, and by who may retire them', async () => {
    const { KeyId, Arn } = await suite.createKey();
    const { KeyId: otherKey } = await suite.createKey();
    const { arn: retiring } = await createRole(`retiring-${KeyId}`);
    const made = [];
    for (let index = 0; index < 5; index++) {
      made.push((await create(index < 4 ? KeyId : otherKey, { RetiringPrincipal: retiring })).GrantId);
    }
    await create(KeyId, { GranteePrincipal: JANITOR });
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await suite.kms.send(new ListGrantsCommand({ KeyId, GranteePrincipal: WORKER, Limit: 3, Marker }));
      seen.push(...(page.Grants ?? []).map(({ GrantId = '' }) => GrantId));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(seen.sort()).toEqual(made.slice(0, 4).sort());
    const { Grants } = await suite.kms.send(new ListRetirableGrantsCommand({ RetiringPrincipal: retiring }));
    expect(Grants?.map(({ GrantId }) => GrantId).sort()).toEqual([...made].sort());
    expect(Grants?.some((grant) => grant.KeyId === Arn)).toBe(true);
    const one = await suite.kms.send(new ListGrantsCommand({ KeyId, GrantId: made[0] }));
    expect(one.Grants).toHaveLength(1);
  });

  it.each([
    ['without a grantee', { GranteePrincipal: undefined }, 'ValidationException'],
    ['without an operation', { Operations: [] }, 'ValidationException'],
    ['for an operation that the key cannot do', { Operations: ['Sign'] }, 'ValidationException'],
    ['for a grantee that is no principal', { GranteePrincipal: 'worker' }, 'InvalidArnException'],
    ['for a group', { GranteePrincipal: `arn:aws:iam::${ACCOUNT}:group/all` }, 'InvalidArnException'],
    ['for two grantees', { GranteeServicePrincipal: 'x.y.amazonaws.com' }, 'ValidationException'],
    [
      'for a service without a source',
      { GranteePrincipal: undefined, GranteeServicePrincipal: 'x.y.amazonaws.com' },
      'ValidationException',
    ],
    [
      'with both context constraints',
      { Constraints: { EncryptionContextEquals: { a: 'b' }, EncryptionContextSubset: { a: 'b' } } },
      'ValidationException',
    ],
    [
      'with nine pairs',
      { Constraints: { EncryptionContextEquals: Object.fromEntries(Array.from('abcdefghi', (name) => [name, ''])) } },
      'ValidationException',
    ],
    ['with a token that is none', { GrantTokens: ['x'] }, 'InvalidGrantTokenException'],
  ] as const)('a grant %s is refused', async (_what, input, name) => {
    const { KeyId } = await suite.createKey();
    await expectError(create(KeyId, input as Partial<CreateGrantCommandInput>), name);
  });

  it('a disabled key takes no new grants, and lets old ones go', async () => {
    const { KeyId, Arn } = await suite.createKey();
    const { GrantId } = await create(KeyId);
    await suite.kms.send(new DisableKeyCommand({ KeyId }));
    await expectError(create(KeyId), 'DisabledException', `${Arn} is disabled.`);
    await suite.kms.send(new RevokeGrantCommand({ KeyId, GrantId }));
    expect(await list(KeyId)).toEqual([]);
  });
});
