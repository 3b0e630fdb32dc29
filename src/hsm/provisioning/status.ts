import { explaining, returnValueOf } from './hsm-error.ts';
import { namesOfFlags, USED_MECHANISMS } from './mechanisms.ts';
import { withModule, type ModuleSettings, type OpenModule, type Token } from './module.ts';
import { findToken, hasUserPin, isInitialized, listSlots, type TokenChoice, type TokenSlot } from './slots.ts';

/** A mechanism of a token. */
export interface OfferedMechanism {
  readonly type: number;
  /** `CKM_…`, where this version knows the number. */
  readonly name?: string;
  /** Smallest and largest key, in bits or bytes as the mechanism counts. */
  readonly minKeySize: number;
  readonly maxKeySize: number;
  /** Of CK_MECHANISM_INFO, and their names. */
  readonly flags: number;
  readonly can: readonly string[];
  /** What Keywright would use it for. */
  readonly use?: string;
}

export interface HsmStatus {
  readonly library: {
    readonly path: string;
    readonly description: string;
    readonly manufacturer: string;
    readonly version: string;
    /** The version of PKCS#11 that the module says it keeps. */
    readonly cryptoki: string;
  };
  readonly slots: readonly { readonly slot: number; readonly description: string; readonly label?: string }[];
  /** The token that was chosen; absent while no token is initialised. */
  readonly token?: TokenStatus;
}

export interface TokenStatus {
  readonly slot: number;
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly serialNumber: string;
  readonly hardwareVersion: string;
  readonly firmwareVersion: string;
  readonly isInitialized: boolean;
  readonly hasUserPin: boolean;
  /** What CK_TOKEN_INFO says about wrong PINs. */
  readonly pinState: 'good' | 'a wrong PIN was entered' | 'the next wrong PIN locks it' | 'locked';
  /** Counts of open and possible sessions; absent where the token does not tell, `unlimited` where it has no limit. */
  readonly sessions: { readonly open?: number; readonly most?: number | 'unlimited' };
  readonly mechanisms: readonly OfferedMechanism[];
  /** Names of mechanisms that Keywright would use and the token does not offer. */
  readonly missing: readonly string[];
}

/** Asks a module about itself and one of its tokens, without logging in. @throws HsmError */
export function readStatus(settings: ModuleSettings, choice: TokenChoice): HsmStatus {
  return withModule(settings, (open) => {
    const { module } = open;
    const slots = listSlots(open);
    const isChosen = choice.slot !== undefined || choice.tokenLabel !== undefined;
    const isAnyReady = slots.some(({ token }) => isInitialized(token));
    return {
      library: {
        path: settings.modulePath,
        description: module.libraryDescription,
        manufacturer: module.manufacturerID,
        version: versionOf(module.libraryVersion),
        cryptoki: versionOf(module.cryptokiVersion),
      },
      slots: slots.map(({ slotId, slot, token }) => ({
        slot: slotId,
        description: slot.slotDescription,
        ...(isInitialized(token) ? { label: token.label } : {}),
      })),
      ...(isChosen || isAnyReady ? { token: describeToken(open, findToken(open, choice)) } : {}),
    };
  });
}

function describeToken(module: OpenModule, chosen: TokenSlot): TokenStatus {
  const { slotId, token } = chosen;
  const mechanisms = readMechanisms(module, chosen);
  const offered = new Set(mechanisms.map(({ type }) => type));
  return {
    slot: slotId,
    label: token.label,
    manufacturer: token.manufacturerID,
    model: token.model,
    serialNumber: token.serialNumber,
    hardwareVersion: versionOf(token.hardwareVersion),
    firmwareVersion: versionOf(token.firmwareVersion),
    isInitialized: isInitialized(token),
    hasUserPin: hasUserPin(token),
    pinState: pinStateOf(token),
    sessions: sessionsOf(token),
    mechanisms,
    missing: USED_MECHANISMS.filter(({ type }) => !offered.has(type)).map(({ name }) => name),
  };
}

/** @throws HsmError */
export function readMechanisms({ functions }: OpenModule, { slot }: TokenSlot): readonly OfferedMechanism[] {
  let types: readonly number[];
  try {
    types = functions.C_GetMechanismList(slot.handle);
  } catch (error) {
    if (returnValueOf(error) === 'CKR_TOKEN_NOT_INITIALIZED') return [];
    return explaining('listing the mechanisms', () => {
      throw error;
    });
  }
  return types
    .map((type) => {
      const { minKeySize, maxKeySize, flags } = explaining(`asking about mechanism 0x${type.toString(16)}`, () =>
        functions.C_GetMechanismInfo(slot.handle, type),
      );
      const known = USED_MECHANISMS.find((each) => each.type === type);
      const can = namesOfFlags(flags);
      return {
        type,
        minKeySize,
        maxKeySize,
        flags,
        can,
        ...(known === undefined ? {} : { name: known.name, use: known.use }),
      };
    })
    .sort((a, b) => a.type - b.type);
}

/** CKF_USER_PIN_… of CK_TOKEN_INFO (PKCS#11 §3.2). */
function pinStateOf({ flags }: Token): TokenStatus['pinState'] {
  if ((flags & 0x40000) !== 0) return 'locked';
  if ((flags & 0x20000) !== 0) return 'the next wrong PIN locks it';
  return (flags & 0x10000) !== 0 ? 'a wrong PIN was entered' : 'good';
}

/** CK_UNAVAILABLE_INFORMATION is all ones; 0 as the most means CK_EFFECTIVELY_INFINITE (PKCS#11 §3.2). */
function sessionsOf({ sessionCount, maxSessionCount }: Token): TokenStatus['sessions'] {
  const isTold = (count: number): boolean => count < 0xffff_ffff;
  return {
    ...(isTold(sessionCount) ? { open: sessionCount } : {}),
    ...(maxSessionCount === 0 ? { most: 'unlimited' } : isTold(maxSessionCount) ? { most: maxSessionCount } : {}),
  };
}

function versionOf({ major, minor }: { readonly major: number; readonly minor: number }): string {
  return `${major}.${minor}`;
}
