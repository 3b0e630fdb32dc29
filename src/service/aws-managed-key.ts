/** AWS managed keys come to be when DescribeKey first asks for their predefined alias. */
import { keyArn } from '../base/arn.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { AWS_MANAGED_ROTATION_DAYS, awsManagedKeyDescription, type AwsService } from '../keys/aws-managed.ts';
import { formatKeyId, type KmsKey } from '../keys/kms-key.ts';
import { startSchedule } from '../keys/rotation.ts';
import { awsManagedKeyPolicy } from '../policy/aws-managed-policy.ts';
import type { OperationContext } from './operation.ts';
import type { RandomSource } from './ports.ts';
import type { RequestContext } from './target.ts';

/** The key of a service in the caller's account and Region as it will be; nothing is stored yet. */
export function planAwsManagedKey(
  { caller: { accountId }, region, nowMs }: RequestContext,
  service: AwsService,
  random: RandomSource,
): KmsKey {
  const keyId = formatKeyId(random.randomBytes(16), false);
  return {
    region,
    accountId,
    keyId,
    arn: keyArn(region, accountId, keyId),
    manager: 'AWS',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: 'AWS_KMS',
    state: 'Enabled',
    description: awsManagedKeyDescription(service),
    policy: awsManagedKeyPolicy(region, accountId, service),
    tags: new Map(),
    multiRegion: undefined,
    currentMaterialId: undefined,
    imported: undefined,
    rotation: startSchedule(AWS_MANAGED_ROTATION_DAYS, nowMs),
    onDemandRotations: 0,
    createdMs: nowMs,
    deletionMs: undefined,
    pendingWindowDays: undefined,
    version: 1,
  };
}

/**
 * Gives a planned key its material and stores it together with its alias.
 *
 * @throws VersionConflictError when another request made the key of this alias first
 */
export function storeAwsManagedKey(
  planned: KmsKey,
  aliasName: string,
  { keys, materials, nowMs }: OperationContext,
): MaybePromise<KmsKey> {
  return chain(materials.generate(planned, nowMs), async (material) => {
    const { region, accountId, keyId } = planned;
    const key = { ...planned, currentMaterialId: material.materialId };
    const alias = { region, accountId, name: aliasName, targetKeyId: keyId, createdMs: nowMs, updatedMs: nowMs };
    await keys.commit([{ kind: 'create', key, materials: [{ material }], alias }]);
    return key;
  });
}
