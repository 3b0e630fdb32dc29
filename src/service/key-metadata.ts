import {
  algorithmsOf,
  type CUSTOMER_MASTER_KEY_SPECS,
  type EncryptionAlgorithm,
  type KeySpec,
  type MacAlgorithm,
  type SigningAlgorithm,
} from '../keys/key-spec.ts';
import { materialValidity, type MaterialPresence } from '../keys/imported-materials.ts';
import { reportedState, type KmsKey } from '../keys/kms-key.ts';
import { keyArn } from '../base/arn.ts';

/** The `KeyMetadata` structure of the API. Members that do not apply to the key are absent, never null. */
export interface KeyMetadata {
  readonly AWSAccountId: string;
  readonly KeyId: string;
  readonly Arn: string;
  readonly CreationDate: Date;
  readonly Enabled: boolean;
  readonly Description: string;
  readonly KeyUsage: KmsKey['keyUsage'];
  readonly KeyState: KmsKey['state'];
  readonly DeletionDate?: Date;
  readonly PendingDeletionWindowInDays?: number;
  /** The first expiry of an imported material that the key needs. */
  readonly ValidTo?: Date;
  readonly Origin: KmsKey['origin'];
  /** Of keys of origin EXTERNAL that have material. */
  readonly ExpirationModel?: ExpirationModel;
  readonly KeyManager: KmsKey['manager'];
  /** Repeats KeySpec, also for specs that are newer than this member. */
  readonly CustomerMasterKeySpec: CustomerMasterKeySpec;
  readonly KeySpec: KeySpec;
  readonly EncryptionAlgorithms?: EncryptionAlgorithm[];
  readonly SigningAlgorithms?: SigningAlgorithm[];
  readonly MacAlgorithms?: MacAlgorithm[];
  readonly KeyAgreementAlgorithms?: 'ECDH'[];
  readonly EncapsulationAlgorithms?: 'ML_KEM'[];
  readonly MultiRegion: boolean;
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: 'PRIMARY' | 'REPLICA';
    readonly PrimaryKey: { readonly Arn: string; readonly Region: string };
    readonly ReplicaKeys: { readonly Arn: string; readonly Region: string }[];
  };
  readonly CustomKeyStoreId?: string;
  readonly CloudHsmClusterId?: string;
  readonly XksKeyConfiguration?: { readonly Id: string };
  /** Of symmetric encryption keys outside of custom key stores that have ever had material. */
  readonly CurrentKeyMaterialId?: string;
}

export function keyMetadata(key: KmsKey): KeyMetadata {
  const { multiRegion } = key;
  const state = reportedState(key);
  const related = (region: string): { Arn: string; Region: string } => ({
    Arn: keyArn(region, key.accountId, key.keyId),
    Region: region,
  });
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdMs),
    Enabled: state === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: state,
    ...(key.deletionMs === undefined ? {} : { DeletionDate: new Date(key.deletionMs) }),
    ...(key.pendingWindowDays === undefined ? {} : { PendingDeletionWindowInDays: key.pendingWindowDays }),
    ...keyStoreMembers(key),
    Origin: key.origin,
    ...expirationOf(materialValidity(key)),
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.keySpec as CustomerMasterKeySpec,
    KeySpec: key.keySpec,
    ...algorithmLists(key),
    MultiRegion: multiRegion !== undefined,
    ...(multiRegion === undefined
      ? {}
      : {
          MultiRegionConfiguration: {
            MultiRegionKeyType: multiRegion.type,
            PrimaryKey: related(multiRegion.primaryRegion),
            ReplicaKeys: multiRegion.replicaRegions.map(related),
          },
        }),
    ...(key.keySpec === 'SYMMETRIC_DEFAULT' && key.keyStore === undefined && key.currentMaterialId !== undefined
      ? { CurrentKeyMaterialId: key.currentMaterialId }
      : {}),
  };
}

function keyStoreMembers({
  keyStore,
}: KmsKey): Pick<KeyMetadata, 'CustomKeyStoreId' | 'CloudHsmClusterId' | 'XksKeyConfiguration'> {
  if (keyStore === undefined) {
    return {};
  }
  const { storeId, clusterId, xksKeyId } = keyStore;
  return {
    CustomKeyStoreId: storeId,
    ...(clusterId === undefined ? {} : { CloudHsmClusterId: clusterId }),
    ...(xksKeyId === undefined ? {} : { XksKeyConfiguration: { Id: xksKeyId } }),
  };
}

export const EXPIRATION_MODELS = ['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE'] as const;
export type ExpirationModel = (typeof EXPIRATION_MODELS)[number];

/** The members that tell whether and when a material goes; none for a material that is not there. */
export function expirationOf(presence: MaterialPresence | undefined): {
  readonly ExpirationModel?: ExpirationModel;
  readonly ValidTo?: Date;
} {
  if (presence === undefined) {
    return {};
  }
  return presence.validToMs === undefined
    ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
    : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(presence.validToMs) };
}

type CustomerMasterKeySpec = (typeof CUSTOMER_MASTER_KEY_SPECS)[number];

type AlgorithmLists = Pick<
  KeyMetadata,
  'EncryptionAlgorithms' | 'SigningAlgorithms' | 'MacAlgorithms' | 'KeyAgreementAlgorithms' | 'EncapsulationAlgorithms'
>;

/** The one list that belongs to the key's usage. */
export function algorithmLists({ keySpec, keyUsage }: KmsKey): AlgorithmLists {
  const algorithms = algorithmsOf(keySpec);
  switch (keyUsage) {
    case 'ENCRYPT_DECRYPT':
      return { EncryptionAlgorithms: [...(algorithms.ENCRYPT_DECRYPT ?? [])] };
    case 'SIGN_VERIFY':
      return { SigningAlgorithms: [...(algorithms.SIGN_VERIFY ?? [])] };
    case 'GENERATE_VERIFY_MAC':
      return { MacAlgorithms: [...(algorithms.GENERATE_VERIFY_MAC ?? [])] };
    case 'KEY_AGREEMENT':
      return { KeyAgreementAlgorithms: [...(algorithms.KEY_AGREEMENT ?? [])] };
    case 'ENCAPSULATE_DECAPSULATE':
      return { EncapsulationAlgorithms: [...(algorithms.ENCAPSULATE_DECAPSULATE ?? [])] };
  }
}
