import { MS_PER_DAY } from '../../base/clock.ts';
import { KmsServiceError } from '../../base/errors.ts';
import { canWrap, WRAPPING_ALGORITHMS, WRAPPING_KEY_SPECS } from '../../keys/material-wrapping.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { sealImportToken } from '../import-token.ts';
import { defineOperation, onKey } from '../operation.ts';
import { enumeration, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/**
 * Makes a public key to encrypt key material with, and the token that names it at the import. Both are good for 24
 * hours and any number of imports.
 *
 * @source KMS API Reference, GetParametersForImport
 */
export const getParametersForImport = defineOperation({
  name: 'GetParametersForImport',
  input: structure({
    KeyId: required(shapes.keyId),
    WrappingAlgorithm: required(enumeration(WRAPPING_ALGORITHMS)),
    WrappingKeySpec: required(enumeration(WRAPPING_KEY_SPECS)),
  }),
  errors: [...MANAGEMENT_ERRORS, 'UnsupportedOperationException'],
  allowsCrossAccount: false,
  resolve: onKey({
    action: 'kms:GetParametersForImport',
    forms: 'idOrArn',
    origin: 'EXTERNAL',
    rule: 'importParameters',
  }),
  async execute(authorized, input, { imports, tokens, nowMs }) {
    const { key } = authorized.targets[0];
    const { WrappingAlgorithm: algorithm, WrappingKeySpec: spec } = input;
    if (!canWrap(key.keySpec, algorithm, spec)) {
      throw new KmsServiceError(
        'UnsupportedOperationException',
        `Wrapping algorithm ${algorithm} with wrapping key spec ${spec} is not supported for key spec ${key.keySpec}.`,
      );
    }
    const { publicKey, wrappingKey } = await imports.createWrappingKey(key, spec);
    const validToMs = nowMs + MS_PER_DAY;
    return {
      KeyId: key.arn,
      ImportToken: await sealImportToken(tokens, key, { wrappingKey, algorithm, validToMs }),
      PublicKey: publicKey,
      ParametersValidTo: new Date(validToMs),
    };
  },
});
