/**
 * The condition keys of KMS that a request of each operation can carry, for policies that ask for them. The global keys
 * (`aws:…`) come with every request and are not listed.
 *
 * @source KMS Developer Guide, "AWS KMS condition keys"; Service Authorization Reference, "AWS Key Management Service"
 */
import type { OperationName } from './registry.ts';

/** `<key>` stands for a key of the encryption context, `<n>` for the number of a register. */
export type ConditionKey =
  | 'kms:BypassPolicyLockoutSafetyCheck'
  | 'kms:CallerAccount'
  | 'kms:CustomerMasterKeySpec'
  | 'kms:CustomerMasterKeyUsage'
  | 'kms:DataKeyPairSpec'
  | 'kms:EncryptionAlgorithm'
  | 'kms:EncryptionContext:<key>'
  | 'kms:EncryptionContextKeys'
  | 'kms:ExpirationModel'
  | 'kms:GrantConstraintSourceArn'
  | 'kms:GrantConstraintType'
  | 'kms:GrantIsForAWSResource'
  | 'kms:GrantOperations'
  | 'kms:GranteePrincipal'
  | 'kms:GranteeServicePrincipal'
  | 'kms:KeyAgreementAlgorithm'
  | 'kms:KeyOrigin'
  | 'kms:KeySpec'
  | 'kms:KeyUsage'
  | 'kms:MacAlgorithm'
  | 'kms:MessageType'
  | 'kms:MultiRegion'
  | 'kms:MultiRegionKeyType'
  | 'kms:PrimaryRegion'
  | 'kms:ReEncryptOnSameKey'
  | 'kms:RecipientAttestation:ImageSha384'
  | 'kms:RecipientAttestation:NitroTPMPCR<n>'
  | 'kms:RecipientAttestation:PCR<n>'
  | 'kms:ReplicaRegion'
  | 'kms:RequestAlias'
  | 'kms:ResourceAliases'
  | 'kms:RetiringPrincipal'
  | 'kms:RetiringServicePrincipal'
  | 'kms:RotationPeriodInDays'
  | 'kms:ScheduleKeyDeletionPendingWindowInDays'
  | 'kms:SigningAlgorithm'
  | 'kms:TrailingDaysWithoutKeyUsage'
  | 'kms:ValidTo'
  | 'kms:ViaService'
  | 'kms:WrappingAlgorithm'
  | 'kms:WrappingKeySpec';

type ConditionKeys = readonly ConditionKey[];

/** What a key is, also one that is about to be made; members that the request leaves out count with their defaults. */
const KEY_PROPERTIES: ConditionKeys = [
  'kms:CustomerMasterKeySpec',
  'kms:CustomerMasterKeyUsage',
  'kms:KeyOrigin',
  'kms:KeySpec',
  'kms:KeyUsage',
  'kms:MultiRegion',
  'kms:MultiRegionKeyType',
];

/** Of every operation whose resource is a key. */
export const ON_KEY: ConditionKeys = ['kms:CallerAccount', ...KEY_PROPERTIES, 'kms:ResourceAliases', 'kms:ViaService'];

/** Of operations that take an alias in the place of the key. */
const BY_ALIAS: ConditionKeys = [...ON_KEY, 'kms:RequestAlias'];

const CONTEXT: ConditionKeys = ['kms:EncryptionContext:<key>', 'kms:EncryptionContextKeys'];
const DATA: ConditionKeys = [...BY_ALIAS, ...CONTEXT, 'kms:EncryptionAlgorithm'];
const DATA_KEY_PAIR: ConditionKeys = [...DATA, 'kms:DataKeyPairSpec'];
const SIGNATURE: ConditionKeys = [...BY_ALIAS, 'kms:MessageType', 'kms:SigningAlgorithm'];
const MAC: ConditionKeys = [...BY_ALIAS, 'kms:MacAlgorithm'];
const RECIPIENT: ConditionKeys = [
  'kms:RecipientAttestation:ImageSha384',
  'kms:RecipientAttestation:NitroTPMPCR<n>',
  'kms:RecipientAttestation:PCR<n>',
];

/** Of operations on custom key stores. */
const ON_STORE: ConditionKeys = ['kms:CallerAccount'];

export const CONDITION_KEYS: Readonly<Record<OperationName, ConditionKeys>> = {
  CancelKeyDeletion: ON_KEY,
  ConnectCustomKeyStore: ON_STORE,
  CreateAlias: ON_KEY,
  CreateCustomKeyStore: ON_STORE,
  CreateGrant: [
    ...ON_KEY,
    ...CONTEXT,
    'kms:GrantConstraintSourceArn',
    'kms:GrantConstraintType',
    'kms:GrantIsForAWSResource',
    'kms:GrantOperations',
    'kms:GranteePrincipal',
    'kms:GranteeServicePrincipal',
    'kms:RetiringPrincipal',
    'kms:RetiringServicePrincipal',
  ],
  CreateKey: [...KEY_PROPERTIES, 'kms:BypassPolicyLockoutSafetyCheck'],
  Decapsulate: BY_ALIAS,
  Decrypt: [...DATA, ...RECIPIENT],
  DeleteAlias: ON_KEY,
  DeleteCustomKeyStore: ON_STORE,
  DeleteImportedKeyMaterial: ON_KEY,
  DeriveSharedSecret: [...BY_ALIAS, 'kms:KeyAgreementAlgorithm', ...RECIPIENT],
  DescribeCustomKeyStores: ON_STORE,
  DescribeKey: BY_ALIAS,
  DisableKey: [...ON_KEY, 'kms:TrailingDaysWithoutKeyUsage'],
  DisableKeyRotation: ON_KEY,
  DisconnectCustomKeyStore: ON_STORE,
  EnableKey: ON_KEY,
  EnableKeyRotation: [...ON_KEY, 'kms:RotationPeriodInDays'],
  Encapsulate: BY_ALIAS,
  Encrypt: DATA,
  GenerateDataKey: [...DATA, ...RECIPIENT],
  GenerateDataKeyPair: [...DATA_KEY_PAIR, ...RECIPIENT],
  GenerateDataKeyPairWithoutPlaintext: DATA_KEY_PAIR,
  GenerateDataKeyWithoutPlaintext: DATA,
  GenerateMac: MAC,
  GenerateRandom: RECIPIENT,
  GetKeyLastUsage: ON_KEY,
  GetKeyPolicy: ON_KEY,
  GetKeyRotationStatus: ON_KEY,
  GetParametersForImport: [...ON_KEY, 'kms:WrappingAlgorithm', 'kms:WrappingKeySpec'],
  GetPublicKey: BY_ALIAS,
  ImportKeyMaterial: [...ON_KEY, 'kms:ExpirationModel', 'kms:ValidTo'],
  ListAliases: [],
  ListGrants: [...ON_KEY, 'kms:GrantIsForAWSResource'],
  ListKeyPolicies: ON_KEY,
  ListKeyRotations: ON_KEY,
  ListKeys: [],
  ListResourceTags: ON_KEY,
  ListRetirableGrants: [],
  PutKeyPolicy: [...ON_KEY, 'kms:BypassPolicyLockoutSafetyCheck'],
  ReEncrypt: [...DATA, 'kms:ReEncryptOnSameKey'],
  ReplicateKey: [...ON_KEY, 'kms:BypassPolicyLockoutSafetyCheck', 'kms:ReplicaRegion'],
  RetireGrant: [...ON_KEY, ...CONTEXT, 'kms:GrantConstraintType'],
  RevokeGrant: [...ON_KEY, 'kms:GrantIsForAWSResource'],
  RotateKeyOnDemand: ON_KEY,
  ScheduleKeyDeletion: [...ON_KEY, 'kms:ScheduleKeyDeletionPendingWindowInDays', 'kms:TrailingDaysWithoutKeyUsage'],
  Sign: SIGNATURE,
  TagResource: ON_KEY,
  UntagResource: ON_KEY,
  UpdateAlias: ON_KEY,
  UpdateCustomKeyStore: ON_STORE,
  UpdateKeyDescription: ON_KEY,
  UpdatePrimaryRegion: [...ON_KEY, 'kms:PrimaryRegion'],
  Verify: SIGNATURE,
  VerifyMac: MAC,
};
