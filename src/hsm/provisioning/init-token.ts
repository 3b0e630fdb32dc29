import { explaining, HsmError } from './hsm-error.ts';
import { withModule, type ModuleSettings, type OpenModule } from './module.ts';
import { withLogin } from './sessions.ts';
import { describeSlot, findToken, hasUserPin, isInitialized, listSlots, type TokenSlot } from './slots.ts';

export interface TokenInitialization {
  /** 1 to 32 bytes of UTF-8. */
  readonly label: string;
  /** The slot to use; otherwise the first one whose token is not initialised. */
  readonly slot?: number | undefined;
  /** Whether an initialised token may be initialised anew, which destroys all that is on it. */
  readonly isErasing: boolean;
  /** May be empty, as NSS softokn wants it before a password is set. */
  readonly soPin: string;
  readonly userPin: string;
}

export interface InitializedToken {
  readonly slot: number;
  readonly label: string;
  readonly serialNumber: string;
}

/** CK_TOKEN_INFO has a label of this many bytes, padded with blanks (PKCS#11 §3.2). */
const LABEL_BYTES = 32;

/**
 * Initialises a token (C_InitToken), sets the user's PIN as security officer (C_InitPIN), and tells where the token
 * is from the next start of the module on: SoftHSM2 gives it another slot then.
 *
 * @throws HsmError for a token that is initialised and may not be erased, a label that another token has, a PIN that is
 *   refused
 */
export function initToken(settings: ModuleSettings, wanted: TokenInitialization): InitializedToken {
  if (wanted.label === '' || Buffer.byteLength(wanted.label) > LABEL_BYTES) {
    throw new HsmError(`a token label has 1 to ${LABEL_BYTES} bytes`);
  }
  const serialNumber = withModule(settings, (module) => initialize(module, wanted));
  return withModule(settings, (module) => {
    const made = listSlots(module).filter(({ token }) => token.label === wanted.label);
    const [found] = made.length > 1 ? made.filter(({ token }) => token.serialNumber === serialNumber) : made;
    if (found === undefined || !hasUserPin(found.token)) {
      const slots = listSlots(module).map(describeSlot).join(', ');
      throw new HsmError(`the module initialised a token, and has no ready one called "${wanted.label}": ${slots}`);
    }
    return { slot: found.slotId, label: found.token.label, serialNumber: found.token.serialNumber };
  });
}

/** @returns the serial number that the token has now */
function initialize(module: OpenModule, wanted: TokenInitialization): string {
  const target = chooseTarget(module, wanted);
  // graphene takes the answer of C_InitToken for a text, and leaves the label as short as it is.
  const label = Buffer.alloc(LABEL_BYTES, ' ');
  label.write(wanted.label);
  explaining(
    `initialising the token in slot ${target.slotId}`,
    () => {
      module.functions.C_InitToken(target.slot.handle, wanted.soPin, label.toString());
    },
    {
      CKR_PIN_INCORRECT: 'an initialised token needs the PIN of its security officer',
      CKR_PIN_LEN_RANGE: 'the PIN of the security officer is too short or too long',
      CKR_SESSION_EXISTS: 'another program uses the token',
    },
  );
  const made = findToken(module, { slot: target.slotId });
  withLogin(module, made, 'security officer', wanted.soPin, (session) => {
    const { minPinLen, maxPinLen } = made.token;
    explaining(
      `setting the user PIN of "${wanted.label}"`,
      () => {
        session.initPin(wanted.userPin);
      },
      { CKR_PIN_LEN_RANGE: `it must have ${minPinLen} to ${maxPinLen} bytes` },
    );
  });
  return made.token.serialNumber;
}

function chooseTarget(module: OpenModule, { label, slot, isErasing }: TokenInitialization): TokenSlot {
  const slots = listSlots(module);
  const target =
    slot === undefined ? slots.find(({ token }) => !isInitialized(token)) : slots.find(({ slotId }) => slotId === slot);
  const list = slots.map(describeSlot).join(', ') || 'no slot with a token';
  if (target === undefined) {
    throw new HsmError(
      slot === undefined
        ? `no token is left to initialise; the module has ${list}. --slot with --erase initialises one anew`
        : `there is no token in slot ${slot}; the module has ${list}`,
    );
  }
  if (isInitialized(target.token) && !isErasing) {
    throw new HsmError(
      `the token "${target.token.label}" in slot ${target.slotId} is initialised: doing it again would destroy every ` +
        'key on it, which --erase allows',
    );
  }
  const namesake = slots.find((other) => other !== target && isInitialized(other.token) && other.token.label === label);
  if (namesake !== undefined) {
    throw new HsmError(`a token called "${label}" is there already, in slot ${namesake.slotId}`);
  }
  return target;
}
