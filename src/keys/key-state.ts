/**
 * Which operation a key allows in which state, and how the refusal reads.
 *
 * @source KMS Developer Guide, "Key states of AWS KMS keys", table of states and operations
 */

export const KEY_STATES = [
  'Creating',
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Updating',
] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** True while a key awaits its deletion. */
export function isAwaitingDeletion(state: KeyState): boolean {
  return state === 'PendingDeletion' || state === 'PendingReplicaDeletion';
}

/** A refusal: the error that AWS answers and the end of its sentence, which starts with the key's ARN. */
export interface StateRefusal {
  readonly error: 'DisabledException' | 'KMSInvalidStateException';
  readonly predicate: string;
}

const DISABLED: StateRefusal = { error: 'DisabledException', predicate: 'is disabled.' };
const PENDING_DELETION: StateRefusal = { error: 'KMSInvalidStateException', predicate: 'is pending deletion.' };
const PENDING_REPLICA_DELETION: StateRefusal = {
  error: 'KMSInvalidStateException',
  predicate: 'is pending replica deletion.',
};
const NOT_PENDING_DELETION: StateRefusal = { error: 'KMSInvalidStateException', predicate: 'is not pending deletion.' };
const PENDING_IMPORT: StateRefusal = { error: 'KMSInvalidStateException', predicate: 'is pending import.' };
const UNAVAILABLE: StateRefusal = { error: 'KMSInvalidStateException', predicate: 'is unavailable.' };
const CREATING: StateRefusal = { error: 'KMSInvalidStateException', predicate: 'is creating.' };
const UPDATING: StateRefusal = { error: 'KMSInvalidStateException', predicate: 'is updating.' };

type Column = Partial<Record<KeyState, StateRefusal>>;

const DELETION: Column = {
  PendingDeletion: PENDING_DELETION,
  PendingReplicaDeletion: PENDING_REPLICA_DELETION,
};

/**
 * The rows of the table that share their cells:
 * - `any`: works in every state;
 * - `use`: cryptographic use of the key;
 * - `offline`: what neither needs the material of a key in a custom key store nor refuses such a key for its state: new
 *   grants, and data key pairs, which those keys never make;
 * - `publicKey`: reading the public key, which a disabled key still shows, and one that lost its material;
 * - `change`: changes of the enabled state;
 * - `rotate`: rotation on demand;
 * - `rotationSchedule`: changes of the schedule of rotation, which imported keys never have;
 * - `importParameters`, `importMaterial`, `deleteMaterial`: the way of imported material;
 * - `describe`: changes of what describes the key (tags, description, a new alias);
 * - `replicate`: making a replica of the key;
 * - `schedule`, `cancel`: the deletion of the key.
 */
const RULES = {
  any: {},
  use: {
    ...DELETION,
    Disabled: DISABLED,
    PendingImport: PENDING_IMPORT,
    Unavailable: UNAVAILABLE,
    Creating: CREATING,
  },
  offline: { ...DELETION, Disabled: DISABLED, PendingImport: PENDING_IMPORT, Creating: CREATING },
  publicKey: { ...DELETION, Creating: CREATING },
  change: { ...DELETION, PendingImport: PENDING_IMPORT, Creating: CREATING, Updating: UPDATING },
  rotate: { ...DELETION, Disabled: DISABLED, PendingImport: PENDING_IMPORT, Creating: CREATING },
  rotationSchedule: { ...DELETION, Disabled: DISABLED, Creating: CREATING },
  importParameters: { ...DELETION, Creating: CREATING, Updating: UPDATING },
  importMaterial: { ...DELETION, Creating: CREATING },
  deleteMaterial: { Creating: CREATING, Updating: UPDATING },
  replicate: {
    ...DELETION,
    Disabled: DISABLED,
    PendingImport: PENDING_IMPORT,
    Creating: CREATING,
    Updating: UPDATING,
  },
  describe: DELETION,
  schedule: { ...DELETION, Updating: UPDATING },
  cancel: {
    Enabled: NOT_PENDING_DELETION,
    Disabled: NOT_PENDING_DELETION,
    PendingImport: NOT_PENDING_DELETION,
    Unavailable: NOT_PENDING_DELETION,
    Creating: NOT_PENDING_DELETION,
    Updating: NOT_PENDING_DELETION,
  },
} as const satisfies Record<string, Column>;

export type StateRule = keyof typeof RULES;

/** Returns why a key in `state` refuses an operation of this rule, or undefined when it allows it. */
export function stateRefusal(rule: StateRule, state: KeyState): StateRefusal | undefined {
  const column: Column = RULES[rule];
  return column[state];
}
