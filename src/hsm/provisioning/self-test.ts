import { ASYMMETRIC_CHECKS } from './asymmetric-checks.ts';
import { Bench, NoKey, type Check } from './check.ts';
import { returnValueOf } from './hsm-error.ts';
import { CKF, nameOfMechanism } from './mechanisms.ts';
import { withModule, type ModuleSettings, type OpenModule } from './module.ts';
import { withLogin, withSession } from './sessions.ts';
import { findToken, type TokenChoice, type TokenSlot } from './slots.ts';
import { readMechanisms } from './status.ts';
import { SYMMETRIC_CHECKS } from './symmetric-checks.ts';

/** How one check of the self test ended. */
export interface CheckResult {
  readonly name: string;
  /** `CKM_…` */
  readonly mechanism: string;
  /**
   * - `ok`: the mechanism works, and gives what other implementations give.
   * - `not offered`: the token does not list it, or its making of keys, for this use.
   * - `refused`: it is listed, and the token refuses these parameters, or makes no temporary key of this kind.
   * - `FAILED`: it is listed, and does not work or answers wrongly.
   */
  readonly outcome: 'ok' | 'not offered' | 'refused' | 'FAILED';
  /** `CKR_…` of a refusal, what is wrong, or what is worth knowing although all is well. */
  readonly detail?: string;
}

const CHECKS: readonly Check[] = [...SYMMETRIC_CHECKS, ...ASYMMETRIC_CHECKS];

/** Return values by which a module says that it does not do it this way, rather than that something went wrong. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CKR_ARGUMENTS_BAD',
  'CKR_CURVE_NOT_SUPPORTED',
  'CKR_DOMAIN_PARAMS_INVALID',
  'CKR_FUNCTION_NOT_SUPPORTED',
  'CKR_KEY_SIZE_RANGE',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
  'CKR_PARAMETER_SET_NOT_SUPPORTED',
]);

/**
 * Tries every mechanism that Keywright has a use for, with keys that live in sessions of their own and are gone after;
 * results are compared with node:crypto, those of ML-DSA with the core.
 *
 * @throws HsmError when the token cannot be used at all
 */
export function runSelfTest(settings: ModuleSettings, choice: TokenChoice, pin: string): readonly CheckResult[] {
  return withModule(settings, (module) => {
    const token = findToken(module, choice);
    return withLogin(module, token, 'user', pin, () => {
      const flags = new Map(readMechanisms(module, token).map(({ type, flags: offered }) => [type, offered]));
      return CHECKS.map((check) => ({
        name: check.name,
        mechanism: nameOfMechanism(check.mechanism),
        ...(missingFor(check, flags) ?? runCheck(module, token, check)),
      }));
    });
  });
}

type Ending = Pick<CheckResult, 'outcome' | 'detail'>;

function missingFor(check: Check, offered: ReadonlyMap<number, number>): Ending | undefined {
  const flags = offered.get(check.mechanism);
  if (flags === undefined || (flags & check.flags) !== check.flags) {
    return { outcome: 'not offered', ...(flags === undefined ? {} : { detail: 'listed for other uses' }) };
  }
  const { generation } = check;
  const makes = generation === undefined ? 0 : (offered.get(generation) ?? 0);
  return generation === undefined || (makes & (CKF.GENERATE | CKF.GENERATE_KEY_PAIR)) !== 0
    ? undefined
    : { outcome: 'not offered', detail: `no ${nameOfMechanism(generation)}` };
}

function runCheck(module: OpenModule, token: TokenSlot, check: Check): Ending {
  try {
    const note = withSession(module, token, (session) => check.run(new Bench(module, session)));
    return { outcome: 'ok', ...(note === undefined ? {} : { detail: note }) };
  } catch (error) {
    if (error instanceof NoKey) {
      return { outcome: 'refused', detail: error.message };
    }
    const name = returnValueOf(error);
    // Others are wrong answers, such as public keys that node:crypto cannot read.
    const detail = name ?? (error instanceof Error ? error.message : String(error));
    return { outcome: name !== undefined && REFUSALS.has(name) ? 'refused' : 'FAILED', detail };
  }
}
