import type { Policy } from '../policy/policy.ts';
import type { KeyManager } from './aws-managed.ts';
import type { ImportedMaterials } from './imported-materials.ts';
import type { KeyOrigin, KeySpec, KeyUsage } from './key-spec.ts';
import type { KeyState } from './key-state.ts';
import type { KeyStoreMembership } from './key-store.ts';

export type MultiRegionKeyType = 'PRIMARY' | 'REPLICA';

/** One KMS key as a Region knows it. Immutable: a change makes a new value with the next `version`. */
export interface KmsKey {
  readonly region: string;
  readonly accountId: string;
  /** UUID, or `mrk-` and 32 hexadecimal digits for a multi-Region key. */
  readonly keyId: string;
  readonly arn: string;
  /** Who may change the key: its account, or nobody but the service that it is for. */
  readonly manager: KeyManager;
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: KeyOrigin;
  /** What {@link reportedState} begins with: a key in a custom key store may be out of reach as well. */
  readonly state: KeyState;
  readonly description: string;
  /** The policy named `default`. */
  readonly policy: Policy;
  readonly tags: ReadonlyMap<string, string>;
  /** Present for a multi-Region key only. */
  readonly multiRegion: MultiRegionConfiguration | undefined;
  /** 64 hexadecimal digits: the material that new ciphertext is made under; undefined before the first import. */
  readonly currentMaterialId: string | undefined;
  /** Present for origin EXTERNAL only. */
  readonly imported: ImportedMaterials | undefined;
  /** The schedule of automatic rotation; undefined while it is switched off. */
  readonly rotation: RotationSchedule | undefined;
  /** How often the key was rotated on demand, of a lifetime's 25. */
  readonly onDemandRotations: number;
  readonly createdMs: number;
  /** When the key may be deleted for good; present while its state is PendingDeletion. */
  readonly deletionMs: number | undefined;
  /** The waiting period of a primary that waits for its replicas to go; present in PendingReplicaDeletion only. */
  readonly pendingWindowDays: number | undefined;
  /** Present for a key in a custom key store only. */
  readonly keyStore?: KeyStoreMembership | undefined;
  /** Counts the changes of this key, from 1. */
  readonly version: number;
}

export interface RotationSchedule {
  /** 90 to 2560 days. */
  readonly periodDays: number;
  readonly nextMs: number;
}

/**
 * The state that the key shows. While its custom key store is not connected, an enabled or disabled key is Unavailable;
 * it may be enabled and disabled all the same, which shows when the store is connected again.
 */
export function reportedState({ state, keyStore }: KmsKey): KeyState {
  const isOutOfReach = keyStore?.isConnected === false && (state === 'Enabled' || state === 'Disabled');
  return isOutOfReach ? 'Unavailable' : state;
}

/** Every Region that has the key or one related to it; the primary's first. */
export function relatedRegions({ region, multiRegion }: KmsKey): readonly string[] {
  return multiRegion === undefined ? [region] : [multiRegion.primaryRegion, ...multiRegion.replicaRegions];
}

export interface MultiRegionConfiguration {
  readonly type: MultiRegionKeyType;
  readonly primaryRegion: string;
  /** Regions of the replicas, in order of their creation. */
  readonly replicaRegions: readonly string[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MULTI_REGION_ID = /^mrk-[0-9a-f]{32}$/;

export function isKeyId(text: string): boolean {
  return UUID.test(text) || MULTI_REGION_ID.test(text);
}

/** Lays 16 random bytes out as a key id: a version 4 UUID (RFC 9562 §5.4), or `mrk-` and its digits without dashes. */
export function formatKeyId(random: Uint8Array, isMultiRegion: boolean): string {
  const bytes = Buffer.from(random.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  if (isMultiRegion) {
    return `mrk-${hex}`;
  }
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
