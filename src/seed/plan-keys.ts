import { partitionOf } from '../base/arn.ts';
import { wipeAfter } from '../base/wipe.ts';
import { hmacKeyBytes, isAsymmetric, type KeySpec } from '../keys/key-spec.ts';
import { isAwaitingDeletion } from '../keys/key-state.ts';
import { relatedRegions, type KmsKey } from '../keys/kms-key.ts';
import { DEFAULT_ROTATION_PERIOD_DAYS, startSchedule } from '../keys/rotation.ts';
import { createKeyInput, planKey } from '../service/operations/create-key.ts';
import { enableKeyRotation } from '../service/operations/enable-key-rotation.ts';
import {
  addReplica,
  planReplica,
  replicateKeyInput,
  type ReplicaRequest,
} from '../service/operations/replicate-key.ts';
import type { OperationContext } from '../service/operation.ts';
import type { WrappedMaterial } from '../service/ports.ts';
import { requireRotatable } from '../service/rotate-key.ts';
import { parseRequest } from '../service/schema.ts';
import { planAliases } from './plan-aliases.ts';
import { planGrants } from './plan-grants.ts';
import { VersionConflictError } from '../service/ports.ts';
import type { SeedKey, SeedReplica } from './seed-file.ts';
import type { SeedSession } from './session.ts';

/** Plans a key, its replicas, and the aliases and grants of each. @throws SeedError */
export async function planKeyFamily(session: SeedSession, given: SeedKey, accountId: string): Promise<void> {
  const { keyId, at } = given;
  claimRegion(session, given, keyId);
  const { keys } = session.ports;
  const planned = await planFromFile(session, given, session.planningContext(accountId, given.region));
  const material = await adoptMaterial(session, given, planned);
  const existing = await keys.find(given.region, keyId);
  await requireNoStranger(session, given, existing);
  if (existing !== undefined) {
    await requireSameKey(session, given, planned, existing, material);
    session.noteExisting();
  } else {
    session.add(async () => {
      const made = material ?? (await session.ports.materials.generate(planned, session.nowMs));
      // Now that its principals are there, the policy gets their unique ids.
      const { policy } = await planFromFile(session, given, session.context(accountId, given.region));
      const key = { ...planned, policy, currentMaterialId: made.materialId };
      await keys.commit([{ kind: 'create', key, materials: [{ material: made }] }]);
    });
  }
  const key = existing ?? planned;
  await planAliases(session, given.aliases ?? [], key, existing !== undefined);
  await planGrants(session, given.grants ?? [], key, existing !== undefined);
  if (given.replicas !== undefined && planned.multiRegion === undefined) {
    throw session.error(at, `only multi-Region keys, whose id begins with mrk-, have replicas; ${keyId} is none`);
  }
  for (const replica of given.replicas ?? []) {
    await planReplicaOf(session, key, replica);
  }
}

function claimRegion(session: SeedSession, { region, at }: SeedReplica, keyId: string): void {
  session.claim(at, `key ${keyId} in ${region}`);
  if (!session.ports.regions.has(region)) {
    throw session.error(at, `Region ${region} is not served here`);
  }
}

/** What a key and a replica ask for in the words of the API. */
function describe(
  session: SeedSession,
  { description, policy, tags, at, ...given }: SeedReplica,
): Omit<ReplicaRequest, 'ReplicaRegion'> {
  return {
    ...(description === undefined ? {} : { Description: description }),
    ...(policy === undefined ? {} : { Policy: session.policyText(at, policy) }),
    ...(given.bypassPolicyLockoutSafetyCheck === true ? { BypassPolicyLockoutSafetyCheck: true } : {}),
    Tags: [...(tags ?? [])].map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
  };
}

function planFromFile(session: SeedSession, given: SeedKey, context: OperationContext): Promise<KmsKey> {
  const { at, keyId, keySpec, keyUsage, rotation } = given;
  return session.check(at, async () => {
    const request = {
      ...describe(session, given),
      ...(keySpec === undefined ? {} : { KeySpec: keySpec }),
      ...(keyUsage === undefined ? {} : { KeyUsage: keyUsage }),
      MultiRegion: keyId.startsWith('mrk-'),
    };
    const key = await planKey(parseRequest(createKeyInput, request, 'native'), context, keyId);
    const state = given.enabled === false ? 'Disabled' : 'Enabled';
    if (rotation === undefined) {
      return { ...key, state };
    }
    requireRotatable(key, 'AUTOMATIC');
    const periodDays = rotation.periodInDays ?? DEFAULT_ROTATION_PERIOD_DAYS;
    parseRequest(enableKeyRotation.input, { KeyId: keyId, RotationPeriodInDays: periodDays }, 'native');
    return { ...key, state, rotation: startSchedule(periodDays, session.nowMs) };
  });
}

/** The fixed material of the file, ready for the store; its bytes are wiped before this returns. */
async function adoptMaterial(
  session: SeedSession,
  { material }: SeedKey,
  key: KmsKey,
): Promise<WrappedMaterial | undefined> {
  if (material === undefined) {
    return undefined;
  }
  const bytes = decodeMaterial(material);
  if (bytes === undefined) {
    throw session.error(material.at, 'material must have one of base64 and hex, and be valid');
  }
  const adopted = await wipeAfter(bytes, (plaintext) => session.ports.materials.adopt(key, plaintext, session.nowMs));
  if (adopted === undefined) {
    throw session.error(
      material.at,
      `material of a key of spec ${key.keySpec} must be ${describeMaterial(key.keySpec)}`,
    );
  }
  return adopted;
}

function decodeMaterial({ base64, hex }: NonNullable<SeedKey['material']>): Buffer | undefined {
  if ((base64 === undefined) === (hex === undefined)) {
    return undefined;
  }
  const digits = (base64 ?? hex ?? '').replaceAll(/\s/g, '');
  const isValid = base64 === undefined ? /^(?:[0-9a-f]{2})+$/i : /^[A-Za-z0-9+/]+={0,2}$/;
  if (!isValid.test(digits) || (base64 !== undefined && digits.length % 4 !== 0)) {
    return undefined;
  }
  return Buffer.from(digits, base64 === undefined ? 'hex' : 'base64');
}

function describeMaterial(spec: KeySpec): string {
  if (isAsymmetric(spec)) {
    return 'a private key of exactly that kind as PKCS#8, DER, not encrypted';
  }
  return `${String(hmacKeyBytes(spec) ?? 32)} bytes`;
}

/** @throws SeedError when a Region has a key of this id that is not related to the one of the file */
async function requireNoStranger(session: SeedSession, given: SeedKey, existing: KmsKey | undefined): Promise<void> {
  if (!given.keyId.startsWith('mrk-')) {
    return;
  }
  const family = existing === undefined ? [] : relatedRegions(existing);
  for (const region of session.ports.regions) {
    const found = family.includes(region) ? undefined : await session.ports.keys.find(region, given.keyId);
    if (found !== undefined) {
      if (relatedRegions(found).includes(given.region)) {
        throw new VersionConflictError('the key came to be while the file was looked at');
      }
      throw session.error(
        given.at,
        `key ${given.keyId}: the file has it in ${given.region}, the store has an unrelated one in ${region}`,
      );
    }
  }
}

async function requireSameKey(
  session: SeedSession,
  { at, keyId, region }: SeedKey,
  planned: KmsKey,
  existing: KmsKey,
  material: WrappedMaterial | undefined,
): Promise<void> {
  const same = (fact: string, inFile: string, inStore: string): void => {
    session.requireSame(at, `${fact} of key ${keyId} in ${region}`, inFile, inStore);
  };
  same('account', planned.accountId, existing.accountId);
  same('keySpec', planned.keySpec, existing.keySpec);
  same('keyUsage', planned.keyUsage, existing.keyUsage);
  same('origin', planned.origin, existing.origin);
  if (material !== undefined && (await session.ports.keys.findMaterial(existing, material.materialId)) === undefined) {
    const { items } = await session.ports.keys.listMaterials(existing, 0, 1);
    same('material', `one whose id is ${material.materialId}`, items[0]?.materialId ?? 'none');
  }
}

async function planReplicaOf(session: SeedSession, primary: KmsKey, given: SeedReplica): Promise<void> {
  const { at, region } = given;
  const { keyId, accountId } = primary;
  const { keys } = session.ports;
  claimRegion(session, given, keyId);
  const request = { KeyId: keyId, ReplicaRegion: region, ...describe(session, given) };
  const replica = await session.check(at, () =>
    planReplica(
      primary,
      parseRequest(replicateKeyInput, request, 'native'),
      session.planningContext(accountId, primary.region),
    ),
  );
  if (partitionOf(region) !== partitionOf(primary.region)) {
    throw session.error(at, `Regions ${region} and ${primary.region} belong to different partitions`);
  }
  const existing = await keys.find(region, keyId);
  if (existing !== undefined || isAwaitingDeletion(primary.state)) {
    session.noteExisting();
  } else {
    session.add(async () => {
      // Another Region may have become the primary's since the file was written.
      const stored = await keys.find(primary.region, keyId);
      const current = await keys.find(stored?.multiRegion?.primaryRegion ?? primary.region, keyId);
      if (current !== undefined) {
        const context = session.context(accountId, current.region);
        await addReplica(current, request, context, given.enabled === false ? 'Disabled' : 'Enabled');
      }
    });
  }
  await planAliases(session, given.aliases ?? [], existing ?? replica, existing !== undefined);
  await planGrants(session, given.grants ?? [], existing ?? replica, existing !== undefined);
}
