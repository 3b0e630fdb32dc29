/**
 * The condition keys that come from the members of a request: which action supplies which, in one table.
 *
 * @source KMS Developer Guide, "Condition keys for AWS KMS"
 */
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { trailingDaysWithoutUse } from '../keys/last-use.ts';
import type { Grant } from '../policy/grant.ts';
import type { ConditionValue } from '../policy/condition-values.ts';
import type { LastUses } from './ports.ts';
import type { RequestContext, Target } from './target.ts';

/** What an action supplies of itself. */
export interface OperationConditions {
  /** By condition key in lower case; what the request lacks is absent. */
  readonly values: Readonly<Record<string, ConditionValue | undefined>>;
  /** What `kms:EncryptionContext:…` and `kms:EncryptionContextKeys` and the constraints of grants are about. */
  readonly encryptionContext?: Context | undefined;
  /** The grant that CreateGrant is to make. */
  readonly newGrant?: Pick<Grant, 'operations' | 'constraints'> | undefined;
}

export interface ConditionSource {
  /** The parsed request. */
  readonly input: unknown;
  readonly request: RequestContext;
  /** All targets of the request, and the one that is asked about. */
  readonly targets: readonly Target[];
  readonly target: Target;
  readonly lastUses: LastUses;
}

type Context = Readonly<Record<string, string>>;

/** Members that condition keys are made of; each request has some of them. */
interface Members {
  readonly BypassPolicyLockoutSafetyCheck?: boolean;
  readonly Constraints?: Grant['constraints'];
  readonly CustomerMasterKeySpec?: string;
  readonly DestinationEncryptionAlgorithm?: string;
  readonly DestinationEncryptionContext?: Context;
  readonly EncryptionAlgorithm?: string;
  readonly EncryptionContext?: Context;
  readonly ExpirationModel?: string;
  readonly GranteePrincipal?: string;
  readonly GranteeServicePrincipal?: string;
  readonly KeyAgreementAlgorithm?: string;
  readonly KeyPairSpec?: string;
  readonly KeySpec?: string;
  readonly KeyUsage?: string;
  readonly MacAlgorithm?: string;
  readonly MessageType?: string;
  readonly MultiRegion?: boolean;
  readonly Operations?: Grant['operations'];
  readonly Origin?: string;
  readonly PendingWindowInDays?: number;
  readonly PrimaryRegion?: string;
  readonly ReplicaRegion?: string;
  readonly RetiringPrincipal?: string;
  readonly RetiringServicePrincipal?: string;
  readonly RotationPeriodInDays?: number;
  readonly SigningAlgorithm?: string;
  readonly SourceEncryptionAlgorithm?: string;
  readonly SourceEncryptionContext?: Context;
  readonly TagKeys?: readonly string[];
  readonly Tags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
  readonly ValidTo?: Date;
  readonly WrappingAlgorithm?: string;
  readonly WrappingKeySpec?: string;
}

type Supply = (input: Members, source: ConditionSource) => MaybePromise<OperationConditions>;

const NONE: OperationConditions = { values: {} };

/** What the action of `source.target` supplies. */
export function operationConditions(source: ConditionSource): MaybePromise<OperationConditions> {
  return BY_ACTION[source.target.action]?.(source.input as Members, source) ?? NONE;
}

const SYMMETRIC_DEFAULT = 'SYMMETRIC_DEFAULT';

const data: Supply = ({ EncryptionAlgorithm: algorithm = SYMMETRIC_DEFAULT, EncryptionContext }) => ({
  values: { 'kms:encryptionalgorithm': algorithm },
  encryptionContext: EncryptionContext ?? {},
});

const dataKeyPair: Supply = ({ KeyPairSpec, EncryptionContext }) => ({
  values: { 'kms:encryptionalgorithm': SYMMETRIC_DEFAULT, 'kms:datakeypairspec': KeyPairSpec },
  encryptionContext: EncryptionContext ?? {},
});

const reEncryptFrom: Supply = ({ SourceEncryptionAlgorithm: algorithm, SourceEncryptionContext }, { targets }) => ({
  values: { 'kms:encryptionalgorithm': algorithm ?? SYMMETRIC_DEFAULT, ...onSameKey(targets) },
  encryptionContext: SourceEncryptionContext ?? {},
});

const reEncryptTo: Supply = (input, { targets }) => ({
  values: {
    'kms:encryptionalgorithm': input.DestinationEncryptionAlgorithm ?? SYMMETRIC_DEFAULT,
    ...onSameKey(targets),
  },
  encryptionContext: input.DestinationEncryptionContext ?? {},
});

const signing: Supply = ({ SigningAlgorithm, MessageType = 'RAW' }) => ({
  values: { 'kms:signingalgorithm': SigningAlgorithm, 'kms:messagetype': MessageType },
});

const mac: Supply = ({ MacAlgorithm }) => ({ values: { 'kms:macalgorithm': MacAlgorithm } });

const agreement: Supply = ({ KeyAgreementAlgorithm }) => ({
  values: { 'kms:keyagreementalgorithm': KeyAgreementAlgorithm },
});

const newGrant: Supply = (input, { request }) => ({
  values: {
    'kms:grantconstrainttype': constraintType(input.Constraints),
    'kms:grantconstraintsourcearn': input.Constraints?.SourceArn,
    'kms:grantoperations': input.Operations,
    'kms:granteeprincipal': input.GranteePrincipal,
    'kms:granteeserviceprincipal': input.GranteeServicePrincipal,
    'kms:retiringprincipal': input.RetiringPrincipal,
    'kms:retiringserviceprincipal': input.RetiringServicePrincipal,
    'kms:grantisforawsresource': String(request.origin.viaService !== undefined),
  },
  encryptionContext: contextOf(input.Constraints),
  newGrant: { operations: input.Operations ?? [], constraints: input.Constraints },
});

const retiredGrant: Supply = (_input, { target }) => ({
  values: { 'kms:grantconstrainttype': constraintType(target.retires?.constraints) },
  encryptionContext: contextOf(target.retires?.constraints),
});

const onGrants: Supply = (_input, { request }) => ({
  values: { 'kms:grantisforawsresource': String(request.origin.viaService !== undefined) },
});

const newKey: Supply = (input, { targets: [first] }) => {
  // A replica is created like the key that it is one of.
  const { keySpec, keyUsage, origin } = first?.key ?? {
    keySpec: input.KeySpec ?? input.CustomerMasterKeySpec ?? SYMMETRIC_DEFAULT,
    keyUsage: input.KeyUsage ?? 'ENCRYPT_DECRYPT',
    origin: input.Origin ?? 'AWS_KMS',
  };
  const isReplica = first?.key !== undefined;
  const isMultiRegion = isReplica || input.MultiRegion === true;
  return {
    values: {
      'kms:keyspec': keySpec,
      'kms:customermasterkeyspec': keySpec,
      'kms:keyusage': keyUsage,
      'kms:customermasterkeyusage': keyUsage,
      'kms:keyorigin': origin,
      'kms:multiregion': String(isMultiRegion),
      'kms:multiregionkeytype': isMultiRegion ? (isReplica ? 'REPLICA' : 'PRIMARY') : undefined,
      ...bypass(input),
      ...requestTags(input),
    },
  };
};

const tagging: Supply = (input) => ({ values: requestTags(input) });

const newPolicy: Supply = (input) => ({ values: bypass(input) });

const newReplica: Supply = (input) => ({
  values: { 'kms:replicaregion': input.ReplicaRegion, ...bypass(input), ...requestTags(input) },
});

const rotation: Supply = ({ RotationPeriodInDays: days }) => ({
  values: { 'kms:rotationperiodindays': days === undefined ? undefined : String(days) },
});

const disuse: Supply = ({ PendingWindowInDays: days }, { target: { key }, lastUses, request }) =>
  key === undefined
    ? NONE
    : chain(lastUses.find(key), (lastUse) => ({
        values: {
          'kms:schedulekeydeletionpendingwindowindays': days === undefined ? undefined : String(days),
          'kms:trailingdayswithoutkeyusage': String(trailingDaysWithoutUse(key, lastUse, request.nowMs)),
        },
      }));

const newPrimary: Supply = ({ PrimaryRegion }) => ({ values: { 'kms:primaryregion': PrimaryRegion } });

const importParameters: Supply = ({ WrappingAlgorithm, WrappingKeySpec }) => ({
  values: { 'kms:wrappingalgorithm': WrappingAlgorithm, 'kms:wrappingkeyspec': WrappingKeySpec },
});

const importing: Supply = ({ ExpirationModel, ValidTo }) => ({
  values: {
    'kms:expirationmodel': ExpirationModel,
    'kms:validto': ValidTo === undefined ? undefined : String(Math.floor(ValidTo.getTime() / 1000)),
  },
});

const BY_ACTION: Readonly<Partial<Record<string, Supply>>> = {
  'kms:CreateGrant': newGrant,
  'kms:CreateKey': newKey,
  'kms:Decrypt': data,
  'kms:DeriveSharedSecret': agreement,
  'kms:DisableKey': disuse,
  'kms:EnableKeyRotation': rotation,
  'kms:Encrypt': data,
  'kms:GenerateDataKey': data,
  'kms:GenerateDataKeyPair': dataKeyPair,
  'kms:GenerateDataKeyPairWithoutPlaintext': dataKeyPair,
  'kms:GenerateDataKeyWithoutPlaintext': data,
  'kms:GenerateMac': mac,
  'kms:GetParametersForImport': importParameters,
  'kms:ImportKeyMaterial': importing,
  'kms:ListGrants': onGrants,
  'kms:PutKeyPolicy': newPolicy,
  'kms:ReEncryptFrom': reEncryptFrom,
  'kms:ReEncryptTo': reEncryptTo,
  'kms:ReplicateKey': newReplica,
  'kms:RetireGrant': retiredGrant,
  'kms:RevokeGrant': onGrants,
  'kms:ScheduleKeyDeletion': disuse,
  'kms:Sign': signing,
  'kms:TagResource': tagging,
  'kms:UntagResource': tagging,
  'kms:UpdatePrimaryRegion': newPrimary,
  'kms:Verify': signing,
  'kms:VerifyMac': mac,
};

type Values = OperationConditions['values'];

function onSameKey([source, destination]: readonly Target[]): Values {
  return { 'kms:reencryptonsamekey': String(source?.key?.arn === destination?.key?.arn) };
}

function constraintType(constraints: Grant['constraints']): string | undefined {
  if (constraints?.EncryptionContextEquals !== undefined) {
    return 'EncryptionContextEquals';
  }
  return constraints?.EncryptionContextSubset === undefined ? undefined : 'EncryptionContextSubset';
}

function contextOf(constraints: Grant['constraints']): Context | undefined {
  return constraints?.EncryptionContextEquals ?? constraints?.EncryptionContextSubset;
}

/** Absent when it is omitted: policies ask with Null whether it was given at all. */
function bypass({ BypassPolicyLockoutSafetyCheck: isBypassed }: Members): Values {
  return { 'kms:bypasspolicylockoutsafetycheck': isBypassed === undefined ? undefined : String(isBypassed) };
}

function requestTags({ Tags: tags, TagKeys: tagKeys }: Members): Values {
  if (tags === undefined && tagKeys === undefined) {
    return {};
  }
  return {
    'aws:tagkeys': tagKeys ?? tags?.map((tag) => tag.TagKey),
    ...Object.fromEntries((tags ?? []).map((tag) => [`aws:requesttag/${tag.TagKey.toLowerCase()}`, tag.TagValue])),
  };
}
