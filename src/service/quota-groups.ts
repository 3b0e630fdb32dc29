/**
 * Request quotas: which operations share one, and AWS's default rates.
 *
 * @source KMS Developer Guide, "Request quotas"
 */
import type { KeySpec } from '../keys/key-spec.ts';

/** Operations of one group draw from one bucket in each account and Region; other operations have one each. */
export const QUOTA_GROUPS = {
  CryptographicOperationsSymmetric: 10_000,
  CryptographicOperationsRsa: 1_000,
  CryptographicOperationsEcc: 1_000,
  CryptographicOperationsMlDsa: 1_000,
  CryptographicOperationsMlKem: 1_000,
  'GenerateDataKeyPair.ECC_NIST_P256': 100,
  'GenerateDataKeyPair.ECC_NIST_P384': 100,
  'GenerateDataKeyPair.ECC_NIST_P521': 100,
  'GenerateDataKeyPair.ECC_SECG_P256K1': 100,
  'GenerateDataKeyPair.ECC_NIST_EDWARDS25519': 100,
  'GenerateDataKeyPair.RSA_2048': 20,
  'GenerateDataKeyPair.RSA_3072': 4,
  'GenerateDataKeyPair.RSA_4096': 1,
  'GenerateDataKeyPair.SM2': 25,
  'GenerateDataKeyPair.ML_KEM_512': 100,
  'GenerateDataKeyPair.ML_KEM_768': 100,
  'GenerateDataKeyPair.ML_KEM_1024': 100,
  /** Of each custom key store, whoever asks. */
  'CustomKeyStore.AWS_CLOUDHSM': 1_800,
  'CustomKeyStore.EXTERNAL_KEY_STORE': 1_800,
  /** Of STS: AssumeRole, GetCallerIdentity and GetSessionToken. @source IAM User Guide, "IAM and AWS STS quotas" */
  SecurityTokenService: 600,
} as const;

const MANAGEMENT_RATES: Readonly<Record<number, readonly string[]>> = {
  2000: ['DescribeKey', 'GetPublicKey', 'ListResourceTags'],
  1000: ['GetKeyPolicy', 'GetKeyRotationStatus'],
  500: ['ListAliases', 'ListKeys'],
  100: ['ListGrants', 'ListKeyPolicies', 'ListKeyRotations', 'ListRetirableGrants'],
  50: ['CreateGrant', 'RetireGrant', 'RevokeGrant'],
  15: [
    'DeleteAlias',
    'DeleteImportedKeyMaterial',
    'EnableKeyRotation',
    'ImportKeyMaterial',
    'PutKeyPolicy',
    'ScheduleKeyDeletion',
  ],
  10: ['TagResource'],
  5: [
    'CancelKeyDeletion',
    'ConnectCustomKeyStore',
    'CreateAlias',
    'CreateCustomKeyStore',
    'CreateKey',
    'DeleteCustomKeyStore',
    'DescribeCustomKeyStores',
    'DisableKey',
    'DisableKeyRotation',
    'DisconnectCustomKeyStore',
    'EnableKey',
    'GetKeyLastUsage',
    'ReplicateKey',
    'RotateKeyOnDemand',
    'UntagResource',
    'UpdateAlias',
    'UpdateCustomKeyStore',
    'UpdateKeyDescription',
    'UpdatePrimaryRegion',
  ],
  1: ['GetParametersForImport'],
};

/** Requests a second by name of the quota: an operation, or a group of {@link QUOTA_GROUPS}. */
export const DEFAULT_RATES: ReadonlyMap<string, number> = new Map([
  ...Object.entries(QUOTA_GROUPS),
  ...Object.entries(MANAGEMENT_RATES).flatMap(([rate, names]) => names.map((name) => [name, Number(rate)] as const)),
]);

/** Regions where AWS allows more symmetric cryptography by default. */
const SYMMETRIC_RATES_BY_REGION: ReadonlyMap<string, number> = new Map([
  ...['us-east-1', 'us-west-2', 'eu-west-1'].map((region) => [region, 100_000] as const),
  ...['us-east-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-northeast-1', 'eu-central-1', 'eu-west-2'].map(
    (region) => [region, 20_000] as const,
  ),
]);

/** AWS's default for a quota in a Region, in requests a second. */
export function defaultRate(quota: string, region: string): number | undefined {
  const special = quota === 'CryptographicOperationsSymmetric' ? SYMMETRIC_RATES_BY_REGION.get(region) : undefined;
  return special ?? DEFAULT_RATES.get(quota);
}

const GROUP_BY_SPEC: readonly (readonly [prefix: string, group: keyof typeof QUOTA_GROUPS])[] = [
  ['RSA_', 'CryptographicOperationsRsa'],
  ['ECC_', 'CryptographicOperationsEcc'],
  ['SM2', 'CryptographicOperationsEcc'],
  ['ML_DSA_', 'CryptographicOperationsMlDsa'],
  ['ML_KEM_', 'CryptographicOperationsMlKem'],
];

/**
 * The quota that a request draws from.
 *
 * @param keySpec of the key that the request is about; undefined when it has none, or none was found
 * @param pairSpec the member KeyPairSpec of the request
 */
export function quotaOf(operation: string, keySpec: KeySpec | undefined, pairSpec: string | undefined): string {
  if (pairSpec !== undefined) {
    return `GenerateDataKeyPair.${pairSpec}`;
  }
  if (DEFAULT_RATES.has(operation)) {
    return operation;
  }
  const group = GROUP_BY_SPEC.find(([prefix]) => keySpec?.startsWith(prefix) === true);
  return group?.[1] ?? 'CryptographicOperationsSymmetric';
}

/** Whether requests of an operation use a key, or draw random bytes: these count for the key store, too. */
export function isCryptographic(operation: string): boolean {
  return !DEFAULT_RATES.has(operation);
}

/** A request that is counted. */
export interface Charge {
  readonly region: string;
  readonly quota: string;
}

/** The members of requests that decide what is counted. */
export interface ChargedInput {
  readonly KeyPairSpec?: string | undefined;
  readonly ReplicaRegion?: string | undefined;
  readonly PrimaryRegion?: string | undefined;
}

/** What a request counts as: itself, and what it does in another Region. */
export function chargesOf(
  operation: string,
  region: string,
  keySpec: KeySpec | undefined,
  { KeyPairSpec: pairSpec, ReplicaRegion: replicaRegion, PrimaryRegion: primaryRegion }: ChargedInput,
): readonly Charge[] {
  const own: Charge = { region, quota: quotaOf(operation, keySpec, pairSpec) };
  if (operation === 'ReplicateKey' && replicaRegion !== undefined) {
    // AWS asks there whether the key could be made, and then makes it.
    const made: Charge = { region: replicaRegion, quota: 'CreateKey' };
    return [own, made, made];
  }
  if (operation === 'UpdatePrimaryRegion' && primaryRegion !== undefined && primaryRegion !== region) {
    return [own, { region: primaryRegion, quota: operation }];
  }
  return [own];
}
