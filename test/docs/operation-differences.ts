import type { OperationName } from '../../src/service/registry.ts';

/** What differs from AWS in all operations, on purpose. */
export const COMMON_DIFFERENCES: readonly string[] = [
  'A change is seen by the next request; AWS takes seconds, and minutes for grants. Grant tokens are checked and not needed.',
  'Policies may name principals that do not exist; [what differs in access control](../guides/access-control.md#what-differs-from-aws) ' +
    'has a list of its own.',
  'Ciphertext blobs have a [layout of their own](ciphertext.md): a blob of AWS opens nowhere else, here neither.',
  'Tag keys of one key that differ only in letter case are duplicates, and an encryption context has at most 8192 characters.',
  'SM2 and ML-KEM are there in every Region.',
  'Violations name the values of an enumeration in the order of the reference, where AWS has that of a hash table.',
  'Request quotas are those of AWS by default, and can be set or turned off. So can resource quotas.',
];

/** What differs from AWS in one operation. */
export const DIFFERENCES: Readonly<Partial<Record<OperationName, readonly string[]>>> = {
  ConnectCustomKeyStore: [
    'The HSMs of a CloudHSM cluster are the PKCS#11 tokens that `KEYWRIGHT_HSM_CLUSTERS` names; a cluster that it does ' +
      'not name is `CLUSTER_NOT_FOUND`.',
  ],
  GetKeyLastUsage: ['`CloudTrailEventId` never appears: there is no audit log that it could be of.'],
  GetKeyRotationStatus: ['`OnDemandRotationStartDate` never appears: a rotation is done when its answer comes.'],
  GetParametersForImport: ['`SM2PKE` and wrapping keys of SM2 are there in every Region; AWS has them in China.'],
  GetPublicKey: [
    'An imported key pair keeps its public key when its material is deleted or expires; one that never had material ' +
      'answers KMSInvalidStateException. AWS does not say what it answers.',
  ],
  ReplicateKey: [
    'The replica is ready at once, but for the material of an imported key. The answer says `Creating` as at AWS, but ' +
      'the state is never seen afterwards.',
  ],
  RotateKeyOnDemand: ['The rotation is done when the answer comes.'],
  ScheduleKeyDeletion: ['The key goes within a minute after its date, while the service runs; AWS may take 24 hours.'],
  UpdatePrimaryRegion: ['Both keys change in one step; the state `Updating` is never seen.'],
};
