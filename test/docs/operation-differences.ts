import type { OperationName } from '../../src/service/registry.ts';

/** What differs from AWS in all operations, on purpose. */
export const COMMON_DIFFERENCES: readonly string[] = [
  'A change is seen by the next request; AWS takes seconds, and minutes for grants. Grant tokens are checked and not needed.',
  'A principal may do everything with what its account owns. Key policies, grants and condition keys are stored and returned, ' +
    'and do not decide yet.',
  'Ciphertext blobs have a [layout of their own](ciphertext.md): a blob of AWS opens nowhere else, here neither.',
  'SM2 and ML-KEM are there in every Region.',
  'Violations name the values of an enumeration in the order of the reference, where AWS has that of a hash table.',
  'There are no request quotas, and no limit on the number of keys.',
];

const NO_RECIPIENT = '`Recipient` is refused with UnsupportedOperationException.';

/** What differs from AWS in one operation. */
export const DIFFERENCES: Readonly<Partial<Record<OperationName, readonly string[]>>> = {
  CreateKey: [
    'Origins other than `AWS_KMS` are refused with UnsupportedOperationException, and every custom key store is unknown.',
  ],
  Decrypt: [NO_RECIPIENT],
  DeriveSharedSecret: [NO_RECIPIENT],
  GenerateDataKey: [NO_RECIPIENT],
  GenerateDataKeyPair: [NO_RECIPIENT],
  GenerateRandom: [NO_RECIPIENT, 'Every custom key store is unknown.'],
  GetKeyLastUsage: ['`CloudTrailEventId` never appears: there is no audit log that it could be of.'],
  GetKeyRotationStatus: ['`OnDemandRotationStartDate` never appears: a rotation is done when its answer comes.'],
  ReplicateKey: [
    'The replica is ready at once. The answer says `Creating` as at AWS, but the state is never seen afterwards.',
  ],
  RotateKeyOnDemand: ['The rotation is done when the answer comes.'],
  ScheduleKeyDeletion: ['The key goes within a minute after its date, while the service runs; AWS may take 24 hours.'],
  UpdatePrimaryRegion: ['Both keys change in one step; the state `Updating` is never seen.'],
};
