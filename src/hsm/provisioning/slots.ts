import { HsmError } from './hsm-error.ts';
import type { OpenModule, Slot, Token } from './module.ts';

/** How an operator names a token: by its slot, or by its label, which stays when a module numbers its slots anew. */
export interface TokenChoice {
  readonly slot?: number | undefined;
  readonly tokenLabel?: string | undefined;
}

/** A slot with a token in it. */
export interface TokenSlot {
  readonly slotId: number;
  readonly slot: Slot;
  readonly token: Token;
}

/** Slots with a token, initialised or not. */
export function listSlots({ module }: OpenModule): readonly TokenSlot[] {
  const slots = module.getSlots(true);
  return Array.from({ length: slots.length }, (_, index) => {
    const slot = slots.items(index);
    return { slotId: idOf(slot), slot, token: slot.getToken() };
  });
}

/** The CK_SLOT_ID that graphene keeps as the bytes of a CK_ULONG. */
function idOf({ handle }: Slot): number {
  return Number(handle.length === 8 ? handle.readBigUInt64LE() : handle.readUInt32LE());
}

/**
 * The token that is meant; without a slot and a label the only initialised one.
 *
 * @throws HsmError unless exactly one token is meant; the text lists those that there are
 */
export function findToken(module: OpenModule, { slot, tokenLabel }: TokenChoice): TokenSlot {
  const slots = listSlots(module);
  const found = slots.filter(
    (each) =>
      (slot === undefined ? tokenLabel !== undefined || isInitialized(each.token) : each.slotId === slot) &&
      (tokenLabel === undefined || each.token.label === tokenLabel),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const name = tokenLabel === undefined ? 'token' : `token called "${tokenLabel}"`;
    const place = slot === undefined ? '' : ` in slot ${slot}`;
    throw new HsmError(
      `the module has ${only === undefined ? 'no' : 'more than one'} ${name}${place}. ` +
        `It has ${slots.map(describeSlot).join(', ') || 'no slot with a token'}`,
    );
  }
  return only;
}

export function describeSlot({ slotId, token }: TokenSlot): string {
  return `slot ${slotId} ${isInitialized(token) ? `"${token.label}"` : '(not initialised)'}`;
}

/** CKF_TOKEN_INITIALIZED and CKF_USER_PIN_INITIALIZED of CK_TOKEN_INFO (PKCS#11 §3.2). */
const TOKEN_INITIALIZED = 0x400;
const USER_PIN_INITIALIZED = 0x8;

export function isInitialized({ flags }: Token): boolean {
  return (flags & TOKEN_INITIALIZED) !== 0;
}

export function hasUserPin({ flags }: Token): boolean {
  return (flags & USER_PIN_INITIALIZED) !== 0;
}
