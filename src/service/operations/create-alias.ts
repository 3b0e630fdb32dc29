import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { requireAliasTarget, requireCustomerAliasName } from '../alias-names.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Gives a key a name. @source KMS API Reference, CreateAlias */
export const createAlias = defineOperation({
  name: 'CreateAlias',
  input: structure({ AliasName: required(shapes.aliasName), TargetKeyId: required(shapes.keyId) }),
  errors: [
    'AlreadyExistsException',
    'DependencyTimeoutException',
    'InvalidAliasNameException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'NotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) => {
    requireCustomerAliasName(input.AliasName);
    requireAliasTarget(input.TargetKeyId);
    return chain(
      resolver.key(input.TargetKeyId, { action: 'kms:CreateAlias', forms: 'idOrArn', rule: 'describe' }),
      (key) => [key, resolver.newAlias(input.AliasName, 'kms:CreateAlias')] as const,
    );
  },
  async execute(authorized, input, { aliases, resourceQuotas: { aliasesPerKey }, nowMs }) {
    const [{ key }, { resourceArn }] = authorized.targets;
    const { region, accountId, keyId } = key;
    if ((await aliases.countOfKey(region, keyId)) >= aliasesPerKey) {
      throw new KmsServiceError(
        'LimitExceededException',
        `${key.arn} already has the largest number of aliases, ${String(aliasesPerKey)}.`,
      );
    }
    const alias = {
      region,
      accountId,
      name: input.AliasName,
      targetKeyId: keyId,
      createdMs: nowMs,
      updatedMs: nowMs,
    };
    if (!(await aliases.insert(alias))) {
      throw new KmsServiceError('AlreadyExistsException', `An alias with the name ${resourceArn} already exists`);
    }
  },
});
