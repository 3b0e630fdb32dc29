/**
 * The fixed policy of AWS managed keys: the principals of the account use the key through its service, and the account
 * itself only looks at it.
 *
 * @source KMS Developer Guide, "AWS managed keys"; the policies that the services document
 */
import { partitionOf } from '../base/arn.ts';
import { loadPolicy, type Policy } from './policy.ts';
import { matchesWildcard, wildcardPattern } from './wildcard.ts';

/** What a service does with the key in a caller's name. */
const SERVICE_ACTIONS = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'];
const METADATA_ACTIONS = ['kms:Describe*', 'kms:Get*', 'kms:List*'];

/** The service that a key is for, as its policy shows it. */
export interface ServiceOfKey {
  readonly name: string;
  readonly viaService: string;
  readonly title: string;
  readonly usesGrants: boolean;
}

/** `Id` and `Sid` are labels, without effect. */
export function awsManagedKeyPolicy(region: string, accountId: string, service: ServiceOfKey): Policy {
  const { name, viaService, title, usesGrants } = service;
  const text = JSON.stringify({
    Version: '2012-10-17',
    Id: `auto-${name}-1`,
    Statement: [
      {
        Sid: `Allow access through ${title} for all principals in the account that are authorized to use ${title}`,
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [...SERVICE_ACTIONS, ...(usesGrants ? ['kms:CreateGrant'] : []), 'kms:DescribeKey'],
        Resource: '*',
        Condition: {
          StringEquals: {
            'kms:CallerAccount': accountId,
            'kms:ViaService': `${viaService}.${region}.amazonaws.com`,
          },
        },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partitionOf(region)}:iam::${accountId}:root` },
        Action: [...METADATA_ACTIONS, ...(usesGrants ? ['kms:RevokeGrant'] : [])],
        Resource: '*',
      },
    ],
  });
  return loadPolicy(text, 'key');
}

/** Grants of a service are ended by the account, or by the party that its grant names. */
const GRANT_ENDING_ACTIONS = ['kms:RevokeGrant', 'kms:RetireGrant'];

const NOT_REFUSED = [...SERVICE_ACTIONS, ...METADATA_ACTIONS, ...GRANT_ENDING_ACTIONS].map(wildcardPattern);

/**
 * True for an action on an AWS managed key that no caller is ever allowed, whatever other policies say: managing it,
 * and giving grants on it, which services alone do.
 */
export function isRefusedOnAwsManagedKeys(action: string): boolean {
  return !NOT_REFUSED.some((pattern) => matchesWildcard(pattern, action));
}
