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
import { KEY_STORE_TYPES, XKS_CONNECTIVITIES } from '../keys/key-store.ts';
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
export const grantName = string({ min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' });
export const principal = string({ min: 1, max: 256, pattern: '^[\\w+=,.@:/-]+$' });
export const servicePrincipal = string({
  min: 1,
  max: 128,
  pattern: '^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$',
});
export const region = string({ min: 1, max: 32, pattern: '^([a-z]+-){2,3}\\d+$' });
export const aliasName = string({ min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' });
export const ciphertextBlob = blob({ min: 1, max: 6144 });
export const plaintext = blob({ min: 1, max: 4096, secret: true });
/** AWS documents no limit; this one is far above what clients send, and keeps every condition on it cheap. */
export const encryptionContext = stringMap(8192);
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
export const keyMaterialId = string({ min: 64, max: 64, pattern: '[a-f0-9]+' });
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
export const customKeyStoreName = string({ min: 1, max: 256 });
export const customKeyStoreType = enumeration(KEY_STORE_TYPES);
export const cloudHsmClusterId = string({ min: 19, max: 24, pattern: 'cluster-[2-7a-zA-Z]{11,16}' });
export const trustAnchorCertificate = string({ min: 1, max: 5000 });
export const keyStorePassword = string({ min: 7, max: 32, secret: true });
export const xksKeyId = string({ min: 1, max: 128, pattern: '[a-zA-Z0-9-_.]+' });
export const xksProxyConnectivity = enumeration(XKS_CONNECTIVITIES);
export const xksProxyUriEndpoint = string({ min: 10, max: 128, pattern: 'https://[a-zA-Z0-9.-]+' });
export const xksProxyUriPath = string({
  min: 10,
  max: 128,
  pattern: '(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})',
});
export const xksProxyVpcEndpointServiceName = string({
  min: 20,
  max: 64,
  pattern: '(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+',
});
export const accountId = string({ min: 12, max: 12, pattern: '[0-9]+' });
export const xksProxyAuthenticationCredential = structure({
  AccessKeyId: required(string({ min: 20, max: 30, pattern: '[A-Z2-7]+', secret: true })),
  RawSecretAccessKey: required(string({ min: 43, max: 64, pattern: '[a-zA-Z0-9\\/+=]+', secret: true })),
});
export const recipient = structure({
  KeyEncryptionAlgorithm: optional(enumeration(['RSAES_OAEP_SHA_256'])),
  AttestationDocument: optional(blob({ min: 1, max: 262144 })),
});
