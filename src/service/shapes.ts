/**
 * Members that several operations share, with the limits of the service model.
 *
 * @source KMS API Reference, data types and request parameters
 */
import {
  DATA_KEY_PAIR_SPECS,
  ENCRYPTION_ALGORITHMS,
  MAC_ALGORITHMS,
  MESSAGE_TYPES,
  SIGNING_ALGORITHMS,
} from '../keys/key-spec.ts';
import {
  blob,
  boolean,
  enumeration,
  integer,
  list,
  optional,
  required,
  string,
  stringMap,
  structure,
} from './schema.ts';

export const keyId = string({ min: 1, max: 2048 });
export const grantTokens = list(string({ min: 1, max: 8192 }), { min: 0, max: 10 });
export const grantToken = string({ min: 1, max: 8192 });
export const grantId = string({ min: 1, max: 128 });
export const grantName = string({ min: 1, max: 256, pattern: '[a-zA-Z0-9:/_-]+' });
export const principal = string({ min: 1, max: 256, pattern: '[\\w+=,.@:/-]+' });
export const servicePrincipal = string({
  min: 1,
  max: 128,
  pattern: '([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+',
});
export const region = string({ min: 1, max: 32, pattern: '([a-z]+-){2,3}\\d+' });
export const aliasName = string({ min: 1, max: 256, pattern: '[a-zA-Z0-9:/_-]+' });
export const ciphertextBlob = blob({ min: 1, max: 6144 });
export const plaintext = blob({ min: 1, max: 4096, secret: true });
export const encryptionContext = stringMap();
export const encryptionAlgorithm = enumeration(ENCRYPTION_ALGORITHMS);
export const message = blob({ min: 1, max: 4096, secret: true });
export const signature = blob({ min: 1, max: 6144 });
export const signingAlgorithm = enumeration(SIGNING_ALGORITHMS);
export const messageType = enumeration(MESSAGE_TYPES);
export const publicKey = blob({ min: 1, max: 8192 });
export const keyPairSpec = enumeration(DATA_KEY_PAIR_SPECS);
export const encapsulationAlgorithm = enumeration(['ML_KEM']);
export const mac = blob({ min: 1, max: 6144 });
export const macAlgorithm = enumeration(MAC_ALGORITHMS);
export const numberOfBytes = integer({ min: 1, max: 1024 });
export const dataKeySpec = enumeration(['AES_256', 'AES_128']);
export const dryRun = boolean();
export const dryRunModifiers = list(enumeration(['IGNORE_CIPHERTEXT']), { min: 0, max: 1 });
export const policyName = string({ min: 1, max: 128, pattern: '[\\w]+' });
export const policyDocument = string({ min: 1, max: 131072, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' });
export const description = string({ min: 0, max: 8192 });
export const limit = integer({ min: 1, max: 1000 });
export const marker = string({ min: 1, max: 1024, pattern: '[\\u0020-\\u00FF]*' });
export const tagKey = string({ min: 1, max: 128 });
export const tags = list(structure({ TagKey: required(tagKey), TagValue: required(string({ min: 0, max: 256 })) }));
export const tagKeys = list(tagKey);
export const customKeyStoreId = string({ min: 1, max: 64 });
export const recipient = structure({
  KeyEncryptionAlgorithm: optional(enumeration(['RSAES_OAEP_SHA_256'])),
  AttestationDocument: optional(blob({ min: 1, max: 262144 })),
});
