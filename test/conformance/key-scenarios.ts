/** One request for every operation that is about a key, with what it needs of the key beforehand. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { rootOf } from '../../src/iam/identities.ts';
import type { OperationInput, OperationName, OperationOutput } from '../../src/service/registry.ts';
import { ACCOUNT, OTHER_REGION } from '../support/doors.ts';
import { wrapMaterial } from '../support/key-import.ts';

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

/** An enabled key: one of origin EXTERNAL has got its material. */
export async function newKeyId(call: Call, input: KeyInput = {}): Promise<string> {
  const { KeyId, KeySpec } = (await call('CreateKey', input)).KeyMetadata;
  if (input.Origin === 'EXTERNAL') {
    await call('ImportKeyMaterial', { KeyId, ...(await wrapped(KeyId, call, KeySpec)) });
  }
  return KeyId;
}

/** Of every spec that a scenario needs and AWS imports: the same bytes whenever they are asked for. */
const MATERIALS: Readonly<Record<string, Uint8Array>> = {
  SYMMETRIC_DEFAULT: randomBytes(32),
  HMAC_256: randomBytes(32),
  ECC_NIST_P256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' }),
};

export const canBeImported = ({ KeySpec = 'SYMMETRIC_DEFAULT' }: KeyInput): boolean => KeySpec in MATERIALS;

const WRAPPING = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const;

/** The material of its spec, encrypted for the key. */
async function wrapped(KeyId: string, call: Call, spec = 'SYMMETRIC_DEFAULT') {
  const { ImportToken, PublicKey } = await call('GetParametersForImport', { KeyId, ...WRAPPING });
  return {
    ImportToken,
    EncryptedKeyMaterial: wrapMaterial(WRAPPING.WrappingAlgorithm, PublicKey, MATERIALS[spec] ?? octet),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  } as const;
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
export const IMPORTED: KeyInput = { Origin: 'EXTERNAL' };
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

const importScenarios: readonly Scenario[] = [
  { operation: 'GetParametersForImport', key: IMPORTED, request: (KeyId) => ({ KeyId, ...WRAPPING }) },
  {
    operation: 'ImportKeyMaterial',
    key: IMPORTED,
    prepare: wrapped,
    request: (KeyId) => ({ KeyId, ImportToken: octet, EncryptedKeyMaterial: octet }),
  },
  { operation: 'DeleteImportedKeyMaterial', key: IMPORTED },
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
  ...importScenarios,
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
