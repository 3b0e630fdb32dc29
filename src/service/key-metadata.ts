import type { KmsKey } from '../keys/kms-key.ts';
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
  readonly Origin: KmsKey['origin'];
  readonly KeyManager: 'CUSTOMER';
  readonly CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT';
  readonly KeySpec: 'SYMMETRIC_DEFAULT';
  readonly EncryptionAlgorithms: 'SYMMETRIC_DEFAULT'[];
  readonly MultiRegion: boolean;
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: 'PRIMARY' | 'REPLICA';
    readonly PrimaryKey: { readonly Arn: string; readonly Region: string };
    readonly ReplicaKeys: { readonly Arn: string; readonly Region: string }[];
  };
  readonly CurrentKeyMaterialId: string;
}

export function keyMetadata(key: KmsKey): KeyMetadata {
  const { multiRegion } = key;
  const related = (region: string): { Arn: string; Region: string } => ({
    Arn: keyArn(region, key.accountId, key.keyId),
    Region: region,
  });
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdMs),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.state,
    ...(key.deletionMs === undefined ? {} : { DeletionDate: new Date(key.deletionMs) }),
    ...(key.pendingWindowDays === undefined ? {} : { PendingDeletionWindowInDays: key.pendingWindowDays }),
    Origin: key.origin,
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
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
    CurrentKeyMaterialId: key.currentMaterialId,
  };
}
