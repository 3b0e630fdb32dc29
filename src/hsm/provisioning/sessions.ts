import { explaining, HsmError } from './hsm-error.ts';
import type { OpenModule, Session } from './module.ts';
import type { TokenSlot } from './slots.ts';

const LOGIN_HINTS = {
  CKR_PIN_INCORRECT: 'after a few wrong ones a token locks its PIN',
  CKR_PIN_LOCKED: 'too many wrong ones; the security officer can set a new PIN',
  CKR_USER_PIN_NOT_INITIALIZED: 'keywright hsm init sets one',
  CKR_USER_TYPE_INVALID: 'the token has no such PIN yet',
};

/** CKF_PROTECTED_AUTHENTICATION_PATH: the token has a pad of its own for PINs (PKCS#11 §3.2). */
const PROTECTED_AUTHENTICATION_PATH = 0x100;

/**
 * Opens a read-write session, logged in as user or as security officer, for `use`. The login lasts as long: it
 * counts for all sessions that this process opens meanwhile.
 *
 * @throws HsmError when the token refuses the PIN
 */
export function withLogin<T>(
  { graphene }: OpenModule,
  { slot, token }: TokenSlot,
  who: 'user' | 'security officer',
  pin: string,
  use: (session: Session) => T,
): T {
  if ((token.flags & PROTECTED_AUTHENTICATION_PATH) !== 0) {
    throw new HsmError(`the token "${token.label}" takes PINs at a pad of its own, which this command cannot use`);
  }
  const { SessionFlag, UserType } = graphene;
  const session = explaining('opening a session', () => slot.open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION));
  try {
    explaining(
      `logging in as ${who} of "${token.label}"`,
      () => {
        session.login(pin, who === 'user' ? UserType.USER : UserType.SO);
      },
      LOGIN_HINTS,
    );
    try {
      return use(session);
    } finally {
      session.logout();
    }
  } finally {
    session.close();
  }
}

/** Opens one more session beside that of {@link withLogin}; closing it destroys the session objects that it made. */
export function withSession<T>({ graphene }: OpenModule, { slot }: TokenSlot, use: (session: Session) => T): T {
  const { SessionFlag } = graphene;
  const session = explaining('opening a session', () => slot.open(SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION));
  try {
    return use(session);
  } finally {
    session.close();
  }
}
