import { keyArn } from '../../base/arn.ts';
import { KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import {
  CUSTOMER_MASTER_KEY_SPECS,
  KEY_ORIGINS,
  KEY_SPECS,
  KEY_USAGES,
  isUsageOfSpec,
  type KeyOrigin,
  type KeySpec,
  type KeyUsage,
} from '../../keys/key-spec.ts';
import { formatKeyId, type KmsKey } from '../../keys/kms-key.ts';
import { isImportable } from '../../keys/material-wrapping.ts';
import { defaultKeyPolicy } from '../../policy/default-policy.ts';
import type { Policy } from '../../policy/policy.ts';
import { keyMetadata, type KeyMetadata } from '../key-metadata.ts';
import { placeKey } from '../key-placement.ts';
import { requireKeyQuota } from '../key-quota.ts';
import { requireAcceptablePolicy, type PolicyContext } from '../key-policy.ts';
import { requireTagMap } from '../key-tags.ts';
import { defineOperation, type OperationContext } from '../operation.ts';
import { boolean, enumeration, optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

export const createKeyInput = structure({
  Policy: optional(shapes.policyDocument),
  Description: optional(shapes.description),
  KeyUsage: optional(enumeration(KEY_USAGES)),
  CustomerMasterKeySpec: optional(enumeration(CUSTOMER_MASTER_KEY_SPECS)),
  KeySpec: optional(enumeration(KEY_SPECS)),
  Origin: optional(enumeration(KEY_ORIGINS)),
  CustomKeyStoreId: optional(shapes.customKeyStoreId),
  BypassPolicyLockoutSafetyCheck: optional(boolean()),
  Tags: optional(shapes.tags),
  MultiRegion: optional(boolean()),
  XksKeyId: optional(shapes.xksKeyId),
});
export type CreateKeyInput = ReturnType<(typeof createKeyInput)['parse']>;

/** Creates a KMS key in the caller's account and Region. @source KMS API Reference, CreateKey */
export const createKey = defineOperation({
  name: 'CreateKey',
  input: createKeyInput,
  errors: [
    'CloudHsmClusterInvalidConfigurationException',
    'CustomKeyStoreInvalidStateException',
    'CustomKeyStoreNotFoundException',
    'DependencyTimeoutException',
    'InvalidArnException',
    'KMSInternalException',
    'LimitExceededException',
    'MalformedPolicyDocumentException',
    'TagException',
    'UnsupportedOperationException',
    'XksKeyAlreadyInUseException',
    'XksKeyInvalidConfigurationException',
    'XksKeyNotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (request, resolver) => {
    const create = resolver.account('kms:CreateKey');
    return request.Tags === undefined || request.Tags.length === 0
      ? ([create] as const)
      : ([create, resolver.newKey('kms:TagResource')] as const);
  },
  execute(_authorized, request, context) {
    return chain(planKey(request, context), async (plan) => {
      await requireKeyQuota(context.region, context);
      const key: KmsKey = { ...plan, keyStore: await placeKey(request, context) };
      if (key.origin === 'EXTERNAL') {
        return createWithoutMaterial(key, context);
      }
      const material = await context.materials.generate(key, context.nowMs, context);
      const complete: KmsKey = { ...key, currentMaterialId: material.materialId };
      try {
        await context.keys.commit([{ kind: 'create', key: complete, materials: [{ material }] }]);
      } catch (error) {
        await context.materials.destroy(complete);
        throw error;
      }
      return { KeyMetadata: keyMetadata(complete) };
    });
  },
});

/** A key that waits for its material to be imported. */
async function createWithoutMaterial(
  key: KmsKey,
  { imports, keys }: OperationContext,
): Promise<{ readonly KeyMetadata: KeyMetadata }> {
  const complete: KmsKey = {
    ...key,
    state: 'PendingImport',
    imported: { fingerprintKey: await imports.createFingerprintKey(key), materials: [] },
  };
  await keys.commit([{ kind: 'create', key: complete, materials: [] }]);
  return { KeyMetadata: keyMetadata(complete) };
}

/**
 * The key as requested, still without place and material.
 *
 * @param fixedKeyId an id that was chosen elsewhere, instead of a random one; it has the form that MultiRegion asks for
 * @throws KmsServiceError ValidationException, MalformedPolicyDocumentException, TagException …
 */
export function planKey(
  request: CreateKeyInput,
  context: PolicyContext & Pick<OperationContext, 'random'>,
  fixedKeyId?: string,
): MaybePromise<KmsKey> {
  const keySpec = requireSpec(request);
  const keyUsage = requireUsage(keySpec, request.KeyUsage);
  const { caller, region } = context;
  const isMultiRegion = request.MultiRegion === true;
  const keyId = fixedKeyId ?? formatKeyId(context.random.randomBytes(16), isMultiRegion);
  const arn = keyArn(region, caller.accountId, keyId);
  const bypassesLockoutCheck = request.BypassPolicyLockoutSafetyCheck === true;
  const key: Omit<KmsKey, 'policy'> = {
    region,
    accountId: caller.accountId,
    keyId,
    arn,
    manager: 'CUSTOMER',
    keySpec,
    keyUsage,
    origin: requireOrigin(keySpec, request.Origin),
    state: 'Enabled',
    description: request.Description ?? '',
    tags: requireTagMap(request.Tags ?? []),
    multiRegion: isMultiRegion ? { type: 'PRIMARY', primaryRegion: region, replicaRegions: [] } : undefined,
    currentMaterialId: undefined,
    imported: undefined,
    rotation: undefined,
    onDemandRotations: 0,
    createdMs: context.nowMs,
    deletionMs: undefined,
    pendingWindowDays: undefined,
    version: 1,
  };
  const { Policy: text } = request;
  const policy =
    text === undefined
      ? defaultKeyPolicy(region, caller.accountId)
      : requireAcceptablePolicy({ text, key, bypassesLockoutCheck }, context);
  return chain<Policy, KmsKey>(policy, (made) => ({ ...key, policy: made }));
}

function requireSpec({ KeySpec: spec, CustomerMasterKeySpec: oldSpec }: CreateKeyInput): KeySpec {
  if (spec !== undefined && oldSpec !== undefined && spec !== oldSpec) {
    throw new KmsServiceError(
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    );
  }
  return spec ?? oldSpec ?? 'SYMMETRIC_DEFAULT';
}

function requireUsage(spec: KeySpec, usage: KeyUsage | undefined): KeyUsage {
  if (usage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw new KmsServiceError(
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    );
  }
  const chosen = usage ?? 'ENCRYPT_DECRYPT';
  if (!isUsageOfSpec(chosen, spec)) {
    throw new KmsServiceError('ValidationException', `KeyUsage ${chosen} is not compatible with KeySpec ${spec}`);
  }
  return chosen;
}

function requireOrigin(spec: KeySpec, origin: KeyOrigin = 'AWS_KMS'): KeyOrigin {
  if (origin === 'EXTERNAL' && !isImportable(spec)) {
    throw new KmsServiceError(
      'UnsupportedOperationException',
      `KeySpec ${spec} is not supported for keys of origin EXTERNAL.`,
    );
  }
  return origin;
}
