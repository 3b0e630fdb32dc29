import { expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { ACCOUNT, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('requests for keys that do not exist count against the quota, so that nobody searches without limit', async () => {
  const folder = temporaryFolder();
  const engine = await Engine.open({
    dataDirectory: folder.path,
    requestQuotas: { rates: new Map([['DescribeKey', 0.001]]), burstSeconds: 1, minBurst: 2 },
  });
  const describe = (KeyId: string): Promise<unknown> =>
    engine.call('DescribeKey', { KeyId }, { caller: rootOf(ACCOUNT), region: REGION });
  await expectError(describe('00000000-0000-4000-8000-000000000000'), 'NotFoundException');
  await expectError(describe('alias/unknown'), 'NotFoundException');
  await expectError(describe('00000000-0000-4000-8000-000000000000'), 'ThrottlingException');
  await expectError(describe('not a key id'), 'ThrottlingException');
  await engine.close();
  folder.remove();
  expect.assertions(4);
});
