import { partitionOf } from '../base/arn.ts';
import { loadPolicy, type Policy } from './policy.ts';

/**
 * The policy of a key that is created without one: it delegates to the account.
 *
 * @source KMS Developer Guide, "Default key policy"
 */
export function defaultKeyPolicy(region: string, accountId: string): Policy {
  const text = JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partitionOf(region)}:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
  return loadPolicy(text, 'key');
}
