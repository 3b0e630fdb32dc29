/** One request for every operation that is about a key, with what it needs of the key beforehand. */
import { rootOf } from '../../src/iam/identities.ts';
import type { OperationInput, OperationName, OperationOutput } from '../../src/service/registry.ts';
import { ACCOUNT, OTHER_REGION } from '../support/doors.ts';

const octet = Buffer.from('a');
const GRANTEE = rootOf(ACCOUNT).arn;

/** Performs an operation of the service that is tested. */
export type Call = <Name extends OperationName>(
  name: Name,
  input: OperationInput<Name>,
) => Promise<OperationOutput<Name>>;

export type KeyInput = OperationInput<'CreateKey'>;

/** How to ask for an operation on a key. */
export interface Scenario {
  readonly operation: OperationName;
  /** The member of the request that names the key, or where else the request has it from. */
  readonly role?: 'source' | 'destination' | 'old target' | 'new target';
  readonly key?: KeyInput & { readonly isReplicated?: boolean };
  /** What the request needs of the key, taken while the key is enabled. */
  readonly prepare?: (KeyId: string, call: Call) => Promise<object>;
  /** The request, but for what was prepared; by default it names the key alone. */
  readonly request?: (KeyId: string) => object;
}

export async function newKeyId(call: Call, input: KeyInput = {}): Promise<string> {
  return (await call('CreateKey', input)).KeyMetadata.KeyId;
}

async function encrypted(KeyId: string, call: Call): Promise<{ readonly CiphertextBlob: Uint8Array }> {
  return { CiphertextBlob: (await call('Encrypt', { KeyId, Plaintext: octet })).CiphertextBlob };
}

async function granted(KeyId: string, call: Call): Promise<{ readonly GrantId: string }> {
  const { GrantId } = await call('CreateGrant', {
    KeyId,
    GranteePrincipal: GRANTEE,
    Operations: ['Encrypt'],
  });
  return { GrantId };
}

/** An alias of the key that is named after it. */
async function named(KeyId: string, call: Call): Promise<{ readonly AliasName: string }> {
  const AliasName = `alias/of-${KeyId}`;
  await call('CreateAlias', { AliasName, TargetKeyId: KeyId });
  return { AliasName };
}

export const SIGN: KeyInput = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
const AGREE: KeyInput = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' };
export const MAC: KeyInput = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' };
const ENCAPSULATE: KeyInput = { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' };

export const onSymmetricKey = (operation: OperationName, more: object = {}): Scenario => ({
  operation,
  request: (KeyId) => ({ KeyId, ...more }),
});

const SIGNED = { Message: octet, SigningAlgorithm: 'ECDSA_SHA_256' } as const;
const MACED = { Message: octet, MacAlgorithm: 'HMAC_SHA_256' } as const;
const KEM = { EncapsulationAlgorithm: 'ML_KEM' } as const;

const useScenarios: readonly Scenario[] = [
  { operation: 'Decrypt', prepare: encrypted, request: () => ({}) },
  onSymmetricKey('Encrypt', { Plaintext: octet }),
  {
    operation: 'ReEncrypt',
    role: 'source',
    prepare: async (KeyId, call) => ({ ...(await encrypted(KeyId, call)), DestinationKeyId: await newKeyId(call) }),
    request: () => ({}),
  },
  {
    operation: 'ReEncrypt',
    role: 'destination',
    prepare: async (_KeyId, call) => encrypted(await newKeyId(call), call),
    request: (KeyId) => ({ DestinationKeyId: KeyId }),
  },
  onSymmetricKey('GenerateDataKey', { KeySpec: 'AES_256' }),
  onSymmetricKey('GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }),
  onSymmetricKey('GenerateDataKeyPair', { KeyPairSpec: 'ECC_NIST_P256' }),
  onSymmetricKey('GenerateDataKeyPairWithoutPlaintext', { KeyPairSpec: 'ECC_NIST_P256' }),
  { operation: 'Sign', key: SIGN, request: (KeyId) => ({ KeyId, ...SIGNED }) },
  {
    operation: 'Verify',
    key: SIGN,
    prepare: async (KeyId, call) => ({ Signature: (await call('Sign', { KeyId, ...SIGNED })).Signature }),
    request: (KeyId) => ({ KeyId, ...SIGNED }),
  },
  { operation: 'GenerateMac', key: MAC, request: (KeyId) => ({ KeyId, ...MACED }) },
  {
    operation: 'VerifyMac',
    key: MAC,
    prepare: async (KeyId, call) => ({ Mac: (await call('GenerateMac', { KeyId, ...MACED })).Mac }),
    request: (KeyId) => ({ KeyId, ...MACED }),
  },
  {
    operation: 'DeriveSharedSecret',
    key: AGREE,
    prepare: async (KeyId, call) => ({ PublicKey: (await call('GetPublicKey', { KeyId })).PublicKey }),
    request: (KeyId) => ({ KeyId, KeyAgreementAlgorithm: 'ECDH' }),
  },
  { operation: 'Encapsulate', key: ENCAPSULATE, request: (KeyId) => ({ KeyId, ...KEM }) },
  {
    operation: 'Decapsulate',
    key: ENCAPSULATE,
    prepare: async (KeyId, call) => ({
      SharedSecretCiphertextBlob: (await call('Encapsulate', { KeyId, ...KEM })).SharedSecretCiphertextBlob,
    }),
    request: (KeyId) => ({ KeyId, ...KEM }),
  },
  { operation: 'GetPublicKey', key: SIGN },
];

const aliasScenarios: readonly Scenario[] = [
  { operation: 'CreateAlias', request: (KeyId) => ({ AliasName: `alias/new-${KeyId}`, TargetKeyId: KeyId }) },
  { operation: 'DeleteAlias', prepare: named, request: () => ({}) },
  {
    operation: 'UpdateAlias',
    role: 'old target',
    prepare: async (KeyId, call) => ({ ...(await named(KeyId, call)), TargetKeyId: await newKeyId(call) }),
    request: () => ({}),
  },
  {
    operation: 'UpdateAlias',
    role: 'new target',
    prepare: async (_KeyId, call) => named(await newKeyId(call), call),
    request: (KeyId) => ({ TargetKeyId: KeyId }),
  },
];

export const SCENARIOS: readonly Scenario[] = [
  ...useScenarios,
  ...aliasScenarios,
  { operation: 'RetireGrant', prepare: granted },
  { operation: 'RevokeGrant', prepare: granted },
  onSymmetricKey('CreateGrant', { GranteePrincipal: GRANTEE, Operations: ['Encrypt'] }),
  {
    operation: 'PutKeyPolicy',
    prepare: async (KeyId, call) => ({ Policy: (await call('GetKeyPolicy', { KeyId })).Policy }),
  },
  {
    operation: 'ReplicateKey',
    key: { MultiRegion: true },
    request: (KeyId) => ({ KeyId, ReplicaRegion: OTHER_REGION }),
  },
  {
    operation: 'UpdatePrimaryRegion',
    key: { MultiRegion: true, isReplicated: true },
    request: (KeyId) => ({ KeyId, PrimaryRegion: OTHER_REGION }),
  },
  onSymmetricKey('TagResource', { Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
  onSymmetricKey('UntagResource', { TagKeys: ['a'] }),
  onSymmetricKey('UpdateKeyDescription', { Description: 'new' }),
  ...(
    [
      'CancelKeyDeletion',
      'DescribeKey',
      'DisableKey',
      'DisableKeyRotation',
      'EnableKey',
      'EnableKeyRotation',
      'GetKeyLastUsage',
      'GetKeyPolicy',
      'GetKeyRotationStatus',
      'ListAliases',
      'ListGrants',
      'ListKeyPolicies',
      'ListKeyRotations',
      'ListResourceTags',
      'RotateKeyOnDemand',
      'ScheduleKeyDeletion',
    ] as const
  ).map((operation) => onSymmetricKey(operation)),
];

export const titleOf = ({ operation, role }: Scenario): string =>
  role === undefined ? operation : `${operation} (${role})`;
