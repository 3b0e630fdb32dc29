import { KmsServiceError } from '../../base/errors.ts';
import { chain } from '../../base/maybe-promise.ts';
import { requireCustomerAliasName } from '../alias-names.ts';
import { defineOperation } from '../operation.ts';
import { required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Takes a name away from its key; the key stays. @source KMS API Reference, DeleteAlias */
export const deleteAlias = defineOperation({
  name: 'DeleteAlias',
  input: structure({ AliasName: required(shapes.aliasName) }),
  errors: ['DependencyTimeoutException', 'KMSInternalException', 'KMSInvalidStateException', 'NotFoundException'],
  allowsCrossAccount: false,
  resolve: (input, resolver) => {
    requireCustomerAliasName(input.AliasName);
    return chain(resolver.alias(input.AliasName, 'kms:DeleteAlias'), (alias) =>
      chain(
        resolver.key(alias.alias.targetKeyId, { action: 'kms:DeleteAlias', forms: 'idOrArn', rule: 'any' }),
        (key) => [alias, key] as const,
      ),
    );
  },
  async execute(authorized, _input, { aliases }) {
    const [{ alias, resourceArn }] = authorized.targets;
    if (!(await aliases.delete(alias))) {
      throw new KmsServiceError('NotFoundException', `Alias ${resourceArn} is not found.`);
    }
  },
});
