/** Condition keys have no letter case; names that differ only in that must not let callers choose what policies see. */
import { CreateKeyCommand, EncryptCommand, TagResourceCommand, UntagResourceCommand } from '@aws-sdk/client-kms';
import { it } from 'vitest';
import { callerOf } from '../../src/iam/identities.ts';
import { ACCOUNT } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

describeKms('names that differ only in letter case', (suite) => {
  const blue = { TagKey: 'team', TagValue: 'blue' };
  const red = { TagKey: 'Team', TagValue: 'red' };

  it('tags cannot have them, neither in one request nor in two', async () => {
    for (const Tags of [
      [blue, red],
      [red, blue],
    ]) {
      await expectError(suite.kms.send(new CreateKeyCommand({ Tags })), 'TagException', 'Duplicate tag keys');
    }
    const { KeyId } = await suite.createKey({ Tags: [blue] });
    await expectError(suite.kms.send(new TagResourceCommand({ KeyId, Tags: [red] })), 'TagException');
    await suite.kms.send(new TagResourceCommand({ KeyId, Tags: [{ ...blue, TagValue: 'green' }] }));
    await suite.kms.send(new UntagResourceCommand({ KeyId, TagKeys: ['team', 'Team'] }));
    await suite.kms.send(new TagResourceCommand({ KeyId, Tags: [red] }));
  });

  it('an encryption context with them meets no condition on the name, in whatever order it comes', async () => {
    const { KeyId } = await suite.createKey();
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'kms:Encrypt',
          Resource: '*',
          Condition: { StringEquals: { 'kms:EncryptionContext:dept': 'a' } },
        },
      ],
    });
    const user = await suite.door.engine.identities.create(
      { accountId: ACCOUNT, kind: 'user', name: 'of-dept-a' },
      { policies: new Map([['p', policy]]) },
    );
    const kms = await suite.door.clientAs(callerOf(user));
    const encrypt = (EncryptionContext: Record<string, string>): Promise<unknown> =>
      kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), EncryptionContext }));
    await encrypt({ Dept: 'a', other: 'b' });
    for (const context of [
      { dept: 'a', Dept: 'b' },
      { Dept: 'b', dept: 'a' },
    ]) {
      await expectError(encrypt(context), 'AccessDeniedException');
    }
  });

  it('an encryption context has at most 8192 characters, which bounds what conditions compare', async () => {
    const { KeyId } = await suite.createKey();
    const encrypt = (length: number): Promise<unknown> => suite.encrypt(KeyId, 'x', { name: 'v'.repeat(length) });
    await encrypt(8188);
    await expectError(encrypt(8189), 'ValidationException', /at most 8192 characters/);
  });
});
