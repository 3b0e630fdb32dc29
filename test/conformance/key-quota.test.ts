import {
  CreateKeyCommand,
  DescribeKeyCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { expect, it } from 'vitest';
import { ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { describeKms } from './suite.ts';

const refusal = (region: string): string =>
  `Account ${ACCOUNT} already has the largest number of KMS keys in ${region}, 3.`;

describeKms(
  'the quota of keys',
  (suite) => {
    it('holds in each account and Region, and counts keys of AWS for nobody', async () => {
      await suite.kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/backup' }));
      const primary = await suite.createKey({ MultiRegion: true });
      const doomed = await suite.createKey();
      await suite.createKey({ Origin: 'EXTERNAL' });
      // A key that waits for its deletion still counts.
      await suite.kms.send(new ScheduleKeyDeletionCommand({ KeyId: doomed.KeyId }));
      for (const input of [{}, { Origin: 'EXTERNAL' as const }, { MultiRegion: true }]) {
        await expectError(suite.createKey(input), 'LimitExceededException', refusal(REGION));
      }
      await suite.door.client({ account: OTHER_ACCOUNT }).send(new CreateKeyCommand({}));

      const there = suite.door.client({ region: OTHER_REGION });
      for (let count = 0; count < 3; count++) {
        await there.send(new CreateKeyCommand({}));
      }
      const replicate = new ReplicateKeyCommand({ KeyId: primary.KeyId, ReplicaRegion: OTHER_REGION });
      await expectError(suite.kms.send(replicate), 'LimitExceededException', refusal(OTHER_REGION));
      suite.door.clock.advanceMs(31 * 86_400_000);
      expect((await suite.door.engine.runMaintenance()).deletedKeys).toBe(1);
      suite.renewClient();
      await suite.createKey();
    });
  },
  { resourceQuotas: { keysPerAccount: 3 } },
);
