/**
 * Keys of origin EXTERNAL: their materials come from outside, may expire or be deleted, and come again as the same
 * bytes.
 *
 * @source KMS Developer Guide, "Importing key material for AWS KMS keys"
 */
import type { KeyState } from './key-state.ts';
import type { KmsKey } from './kms-key.ts';

/** A secret at rest, under a version of the region key. */
export interface WrappedSecret {
  readonly wrapped: Uint8Array;
  readonly regionKeyVersion: number;
}

/** The public key of an imported key pair, which outlives the material. */
export interface ImportedPublicKey {
  /** SubjectPublicKeyInfo (RFC 5280), DER. */
  readonly spki: Uint8Array;
  /** HMAC-SHA-256 under the fingerprint key of the KMS key: nobody else can say what the public key is. */
  readonly mac: Uint8Array;
}

/** What a key of origin EXTERNAL knows of its materials; related multi-Region keys share all of it but `presence`. */
export interface ImportedMaterials {
  /** Recognises a material that comes again: an `hmac` key that is the key's own, the same in every Region. */
  readonly fingerprintKey: WrappedSecret;
  /** In the order in which they were first imported. */
  readonly materials: readonly ImportedMaterial[];
}

export interface ImportedMaterial {
  readonly materialId: string;
  readonly description: string | undefined;
  /** When a rotation on demand made it the current one; undefined for the first material and for a pending one. */
  readonly rotatedMs: number | undefined;
  /** True until a rotation makes it the current one, and with that associates it with the key for good. */
  readonly isPending: boolean;
  /** Undefined while this Region does not have the bytes: not yet imported, deleted, or expired. */
  readonly presence: MaterialPresence | undefined;
  /** Present for key pairs only. */
  readonly publicKey: ImportedPublicKey | undefined;
}

export interface MaterialPresence {
  /** When the material goes by itself; undefined for never. */
  readonly validToMs: number | undefined;
}

/** The materials of a key in order; none for a key whose origin is not EXTERNAL. */
export function importedMaterialsOf({ imported }: KmsKey): readonly ImportedMaterial[] {
  return imported?.materials ?? [];
}

/** The material that waits for a rotation on demand; there is one at most. */
export function pendingMaterial(key: KmsKey): ImportedMaterial | undefined {
  return importedMaterialsOf(key).find(({ isPending }) => isPending);
}

/** When the first of the materials that are there goes by itself; undefined when none does. */
export function nextMaterialExpiryMs(key: KmsKey): number | undefined {
  return earliestExpiryMs(importedMaterialsOf(key));
}

/** How long a key can be used as it is: `validToMs` is the first expiry; undefined while it has no material at all. */
export function materialValidity(key: KmsKey): MaterialPresence | undefined {
  const present = importedMaterialsOf(key).filter(({ isPending, presence }) => !isPending && presence !== undefined);
  return present.length === 0 ? undefined : { validToMs: earliestExpiryMs(present) };
}

function earliestExpiryMs(materials: readonly ImportedMaterial[]): number | undefined {
  return materials
    .map(({ presence }) => presence?.validToMs)
    .filter((ms) => ms !== undefined)
    .reduce<number | undefined>((first, ms) => Math.min(first ?? ms, ms), undefined);
}

/** The key with other materials, and with the state and current material that follow from them. */
export function withMaterials(key: KmsKey, materials: readonly ImportedMaterial[]): KmsKey {
  if (key.imported === undefined) {
    return key;
  }
  const changed: KmsKey = {
    ...key,
    imported: { ...key.imported, materials },
    currentMaterialId: materials.findLast(({ isPending }) => !isPending)?.materialId,
  };
  return { ...changed, state: stateOf(changed) };
}

/** A key without material waits for it; one that has got all of it back is usable. */
function stateOf(key: KmsKey): KeyState {
  switch (key.state) {
    case 'PendingImport':
      return lacksMaterial(key) ? 'PendingImport' : 'Enabled';
    case 'Enabled':
    case 'Disabled':
      return lacksMaterial(key) ? 'PendingImport' : key.state;
    case 'Creating':
    case 'PendingDeletion':
    case 'PendingReplicaDeletion':
    case 'Unavailable':
    case 'Updating':
      return key.state;
  }
}

/** True when any material that belongs to the key for good is not there. */
function lacksMaterial(key: KmsKey): boolean {
  const associated = importedMaterialsOf(key).filter(({ isPending }) => !isPending);
  return associated.length === 0 || associated.some(({ presence }) => presence === undefined);
}

/** The state of a key that is taken back from its scheduled deletion. */
export function stateAfterCancellation(key: KmsKey): KeyState {
  return key.origin === 'EXTERNAL' && lacksMaterial(key) ? 'PendingImport' : 'Disabled';
}

/**
 * The key as it is at `nowMs`: what has expired counts as gone, whether or not maintenance has deleted it yet. The very
 * same key when nothing has.
 */
export function asOf(key: KmsKey, nowMs: number): KmsKey {
  if (key.imported === undefined) {
    return key;
  }
  const isGone = ({ presence }: ImportedMaterial): boolean =>
    presence?.validToMs !== undefined && presence.validToMs <= nowMs;
  const gone = key.imported.materials.filter(isGone).map(({ materialId }) => materialId);
  return gone.length === 0 ? key : withMaterials(key, removeMaterials(key, gone));
}

/**
 * The materials of a key when some are deleted. One that belongs to the key for good leaves its entry; a pending one
 * goes altogether, but a replica keeps the entry, which is its primary's.
 */
export function removeMaterials(key: KmsKey, materialIds: readonly string[]): readonly ImportedMaterial[] {
  const isReplica = key.multiRegion?.type === 'REPLICA';
  return importedMaterialsOf(key).flatMap((material) => {
    if (!materialIds.includes(material.materialId)) {
      return [material];
    }
    return material.isPending && !isReplica ? [] : [{ ...material, presence: undefined }];
  });
}

/** The materials of `member` when its primary has those of `primary`: the same ones, present where they were. */
export function sharedMaterials(primary: KmsKey, member: KmsKey): readonly ImportedMaterial[] {
  const own = new Map(importedMaterialsOf(member).map(({ materialId, presence }) => [materialId, presence]));
  return importedMaterialsOf(primary).map((material) => ({ ...material, presence: own.get(material.materialId) }));
}
