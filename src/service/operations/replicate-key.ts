import { keyArn, partitionOf } from '../../base/arn.ts';
import { InvariantError, KmsServiceError } from '../../base/errors.ts';
import { chain, type MaybePromise } from '../../base/maybe-promise.ts';
import { importedMaterialsOf, withMaterials } from '../../keys/imported-materials.ts';
import type { KmsKey } from '../../keys/kms-key.ts';
import { defaultKeyPolicy } from '../../policy/default-policy.ts';
import type { Policy } from '../../policy/policy.ts';
import { findRelatedKeys, nextVersion } from '../change-key.ts';
import { keyMetadata } from '../key-metadata.ts';
import { requireKeyQuota } from '../key-quota.ts';
import { requireAcceptablePolicy, type PolicyContext } from '../key-policy.ts';
import { requireTagMap } from '../key-tags.ts';
import { defineOperation, type OperationContext } from '../operation.ts';
import type { KeyChange, NewMaterial } from '../ports.ts';
import { boolean, optional, required, structure } from '../schema.ts';
import { showPrincipals } from '../principal-names.ts';
import * as shapes from '../shapes.ts';
import type { Target } from '../target.ts';

export const replicateKeyInput = structure({
  KeyId: required(shapes.keyId),
  ReplicaRegion: required(shapes.region),
  Policy: optional(shapes.policyDocument),
  BypassPolicyLockoutSafetyCheck: optional(boolean()),
  Description: optional(shapes.description),
  Tags: optional(shapes.tags),
});
type Input = ReturnType<(typeof replicateKeyInput)['parse']>;

export type ReplicaRequest = Omit<Input, 'KeyId'>;
type ReplicationContext = PolicyContext & Pick<OperationContext, 'regions' | 'keys' | 'materials' | 'imports'>;

/** Materials that are copied at a time. */
const BATCH = 100;

/**
 * Makes a replica of a multi-Region primary key in another Region of this service: same id and material, with policy,
 * tags and description of its own. The answer says `Creating`, as at AWS; the replica is ready when it arrives.
 *
 * @source KMS API Reference, ReplicateKey
 */
export const replicateKey = defineOperation({
  name: 'ReplicateKey',
  input: replicateKeyInput,
  errors: [
    'AlreadyExistsException',
    'DisabledException',
    'InvalidArnException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'MalformedPolicyDocumentException',
    'NotFoundException',
    'TagException',
    'UnsupportedOperationException',
  ],
  allowsCrossAccount: false,
  resolve: (request, resolver) =>
    chain(
      resolver.key(request.KeyId, { action: 'kms:ReplicateKey', forms: 'idOrArn', rule: 'replicate' }),
      (primary) => {
        // In its own Region the replica is a key that is created there.
        const { ReplicaRegion: region, Tags: tags = [] } = request;
        const create: Target = { ...resolver.account('kms:CreateKey'), region };
        return tags.length === 0
          ? ([primary, create] as const)
          : ([primary, create, resolver.newKey('kms:TagResource', { region, keyId: primary.key.keyId })] as const);
      },
    ),
  async execute(authorized, request, context) {
    await requireKeyQuota(request.ReplicaRegion, context);
    const replica = await addReplica(authorized.targets[0].key, request, context);
    return {
      ReplicaKeyMetadata: { ...keyMetadata(replica), KeyState: 'Creating' as const, Enabled: false },
      ReplicaPolicy: await showPrincipals(replica.policy.text, context.principals),
      ReplicaTags: [...replica.tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    };
  },
});

/**
 * Makes a replica of `primary` in one transaction.
 *
 * @param state what the replica begins with
 * @throws KmsServiceError UnsupportedOperationException, AlreadyExistsException, MalformedPolicyDocumentException …;
 *   VersionConflictError when a related key changed meanwhile
 */
export async function addReplica(
  primary: KmsKey,
  request: ReplicaRequest,
  context: ReplicationContext,
  state: 'Enabled' | 'Disabled' = 'Enabled',
): Promise<KmsKey> {
  await requireReplicable(primary, request.ReplicaRegion, context);
  const planned = { ...(await planReplica(primary, request, context)), state };
  const replica = await withSharedImports(primary, planned, context);
  const materials = primary.imported === undefined ? await copyMaterials(primary, replica, context) : [];
  const related = [primary, ...(await findRelatedKeys(context.keys, primary))];
  const updates = related.map((member): KeyChange => ({
    kind: 'update',
    key: nextVersion(member, { multiRegion: withReplica(member, replica.region) }),
  }));
  await context.keys.commit([...updates, { kind: 'create', key: replica, materials }]);
  return replica;
}

async function requireReplicable(primary: KmsKey, region: string, context: ReplicationContext): Promise<void> {
  if (primary.multiRegion?.type !== 'PRIMARY') {
    throw new KmsServiceError('UnsupportedOperationException', `${primary.arn} is not a multi-region primary key.`);
  }
  if (!context.regions.has(region) || partitionOf(region) !== partitionOf(primary.region)) {
    throw new KmsServiceError('ValidationException', `Region ${region} is not served here.`);
  }
  if ((await context.keys.find(region, primary.keyId)) !== undefined) {
    throw new KmsServiceError(
      'AlreadyExistsException',
      `Unable to replicate key ${primary.arn} to region ${region}, as there is already a related key there.`,
    );
  }
}

/** The replica as requested. @throws KmsServiceError MalformedPolicyDocumentException, TagException … */
export function planReplica(
  primary: KmsKey,
  request: ReplicaRequest,
  context: Omit<PolicyContext, 'region'>,
): MaybePromise<KmsKey> {
  const { ReplicaRegion: region, Policy: text } = request;
  const bypassesLockoutCheck = request.BypassPolicyLockoutSafetyCheck === true;
  const arn = keyArn(region, primary.accountId, primary.keyId);
  const replica: Omit<KmsKey, 'policy'> = {
    ...primary,
    region,
    arn,
    description: request.Description ?? '',
    tags: requireTagMap(request.Tags ?? []),
    multiRegion: { ...withReplica(primary, region), type: 'REPLICA' },
    createdMs: context.nowMs,
    version: 1,
  };
  const policy =
    text === undefined
      ? defaultKeyPolicy(region, primary.accountId)
      : // The request is made in the Region of the primary.
        requireAcceptablePolicy({ text, key: replica, bypassesLockoutCheck }, { ...context, region: primary.region });
  return chain<Policy, KmsKey>(policy, (made) => ({ ...replica, policy: made }));
}

/** A replica of an imported key needs the same bytes, and waits for them. */
async function withSharedImports(primary: KmsKey, replica: KmsKey, { imports }: ReplicationContext): Promise<KmsKey> {
  if (primary.imported === undefined) {
    return replica;
  }
  const fingerprintKey = await imports.copyFingerprintKey(primary, primary.imported.fingerprintKey, replica);
  const materials = importedMaterialsOf(primary).map((material) => ({ ...material, presence: undefined }));
  return withMaterials({ ...replica, imported: { fingerprintKey, materials } }, materials);
}

function withReplica(key: KmsKey, region: string): NonNullable<KmsKey['multiRegion']> {
  if (key.multiRegion === undefined) {
    throw new InvariantError(`key ${key.arn} is related to a multi-Region key and is none`);
  }
  return { ...key.multiRegion, replicaRegions: [...key.multiRegion.replicaRegions, region] };
}

/** Every material of the primary, wrapped for the replica's Region: what any of them encrypted must open there. */
async function copyMaterials(primary: KmsKey, replica: KmsKey, context: ReplicationContext): Promise<NewMaterial[]> {
  const copies: NewMaterial[] = [];
  for (let after = 0; ;) {
    const page = await context.keys.listMaterials(primary, after, BATCH);
    for (const { materialId, rotation, sequence } of page.items) {
      const stored = await context.keys.findMaterial(primary, materialId);
      if (stored === undefined) {
        throw new InvariantError(`material ${materialId} of key ${primary.arn} vanished`);
      }
      copies.push({ material: await context.materials.copy(primary, stored, replica), rotation });
      after = sequence;
    }
    if (!page.isTruncated) {
      return copies;
    }
  }
}
