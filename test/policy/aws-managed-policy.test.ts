import { expect, it } from 'vitest';
import { awsManagedKeyPolicy, isRefusedOnAwsManagedKeys } from '../../src/policy/aws-managed-policy.ts';
import { parsePolicyDocument } from '../../src/policy/policy-document.ts';
import { PREDEFINED_ALIASES, serviceOfAlias } from '../../src/keys/aws-managed.ts';
import { OPERATIONS } from '../../src/service/registry.ts';

it.each(PREDEFINED_ALIASES)('the policy of the key of %s is well formed', (alias) => {
  const service = serviceOfAlias(alias);
  if (service === undefined) {
    throw new Error('a predefined alias has no service');
  }
  expect(parsePolicyDocument(awsManagedKeyPolicy('cn-north-1', '111122223333', service).text, 'key').ok).toBe(true);
  expect(awsManagedKeyPolicy('cn-north-1', '111122223333', service).text).toContain(
    'arn:aws-cn:iam::111122223333:root',
  );
});

it('predefined aliases stand in the order in which the store lists names', () => {
  expect(PREDEFINED_ALIASES).toEqual([...PREDEFINED_ALIASES].sort());
});

it('an AWS managed key refuses outright whatever is neither reading nor use', () => {
  const isReading = /^(Describe|Get|List)/;
  const uses = ['Decrypt', 'Encrypt', 'ReEncrypt', 'RetireGrant', 'RevokeGrant'];
  const isUse = (name: string): boolean => name.startsWith('GenerateDataKey') || uses.includes(name);
  for (const name of Object.keys(OPERATIONS)) {
    expect(isRefusedOnAwsManagedKeys(`kms:${name}`), name).toBe(!isReading.test(name) && !isUse(name));
  }
  expect(isRefusedOnAwsManagedKeys('kms:EncryptEverything')).toBe(true);
});
