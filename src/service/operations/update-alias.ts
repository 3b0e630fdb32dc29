import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { requireAliasTarget, requireCustomerAliasName } from '../alias-names.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Points an alias at another key of the same kind; old ciphertext stays readable. @source KMS API Reference,
 * UpdateAlias
 */
export const updateAlias = defineOperation({
  name: 'UpdateAlias',
  input: structure({ AliasName: required(shapes.aliasName), TargetKeyId: required(shapes.keyId) }),
  errors: [
    'DependencyTimeoutException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'NotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) => {
    requireCustomerAliasName(input.AliasName);
    requireAliasTarget(input.TargetKeyId);
    return chain(resolver.alias(input.AliasName, 'kms:UpdateAlias'), (alias) =>
      chain(
        resolver.key(alias.alias.targetKeyId, { action: 'kms:UpdateAlias', forms: 'idOrArn', rule: 'any' }),
        (oldKey) =>
          chain(
            resolver.key(input.TargetKeyId, { action: 'kms:UpdateAlias', forms: 'idOrArn', rule: 'describe' }),
            (newKey) => [alias, oldKey, newKey] as const,
          ),
      ),
    );
  },
  async execute(authorized, _input, { aliases, nowMs }) {
    const [{ alias, resourceArn }, { key: oldKey }, { key: newKey }] = authorized.targets;
    if (oldKey.keySpec !== newKey.keySpec || oldKey.keyUsage !== newKey.keyUsage) {
      throw new KmsServiceError(
        'ValidationException',
        'The current and new KMS key of an alias must be of the same type and have the same key usage.',
      );
    }
    if (!(await aliases.update({ ...alias, targetKeyId: newKey.keyId, updatedMs: nowMs }))) {
      throw new KmsServiceError('NotFoundException', `Alias ${resourceArn} is not found.`);
    }
  },
});
