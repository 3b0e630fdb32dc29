import { ERROR_CATALOGUE, KmsServiceError, type ErrorName } from '../../base/errors.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { REGION_PATTERN } from '../../base/regions.ts';
import { isOperationName, type OperationName } from '../../service/registry.ts';

/** Longest delay that a rule may add, in milliseconds. */
export const MAX_LATENCY_MS = 60_000;
const MAX_RULES = 1000;

/** Which calls go wrong, and how. Conditions that are absent fit every call. */
export interface FaultRule {
  readonly operation?: OperationName;
  /** Id of a key that the request names, as id, ARN, alias or in its ciphertext. */
  readonly keyId?: string;
  readonly region?: string;
  /** The error that the caller gets; ThrottlingException has the text of AWS unless `message` says otherwise. */
  readonly error?: ErrorName;
  readonly message?: string;
  /** Delay of the answer, 0 to 60,000. */
  readonly latencyMs?: number;
  /** `before` (default): the operation is not performed. `after`: it is, and only its answer gets lost. */
  readonly when?: 'before' | 'after';
  /** Only every n-th call that fits. */
  readonly every?: number;
  /** At most so often. */
  readonly times?: number;
  /** Share of the calls, 0 to 1, drawn from a sequence that `seed` (default 1) determines. */
  readonly probability?: number;
  readonly seed?: number;
}

/** A rule at work, with the calls that it fitted and those that it made go wrong. */
export interface FaultRuleStatus extends FaultRule {
  readonly matched: number;
  readonly fired: number;
}

/** What rules look at in a call. */
export interface FaultyCall {
  readonly operation: OperationName;
  readonly region: string;
  /** Ids of the keys that the request names; asked only when a rule wants to know. */
  keyIds(): MaybePromise<ReadonlySet<string>>;
}

interface RuleState {
  readonly rule: FaultRule;
  readonly draw: () => number;
  matched: number;
  fired: number;
}

/** Injected faults: rules that make calls slow or fail, in their order. */
export class Faults {
  #states: readonly RuleState[] = [];

  /** The rules that are at work. */
  get rules(): readonly FaultRuleStatus[] {
    return this.#states.map(({ rule, matched, fired }) => ({ ...rule, matched, fired }));
  }

  /** Puts these rules in place of all others, counting from zero. @throws TypeError for a rule that makes no sense */
  set(rules: readonly FaultRule[]): void {
    const given: unknown = rules;
    if (!Array.isArray(given) || given.length > MAX_RULES) {
      throw new TypeError(`rules must be a list of at most ${String(MAX_RULES)}`);
    }
    rules.forEach(requireRule);
    this.#states = rules.map((rule) => ({ rule, draw: createDraw(rule.seed ?? 1), matched: 0, fired: 0 }));
  }

  clear(): void {
    this.#states = [];
  }

  /** Performs a call as the rules let it. @throws KmsServiceError the error of the first rule that has one */
  perform<T>(call: FaultyCall, run: () => MaybePromise<T>): MaybePromise<T> {
    return this.#states.length === 0 ? run() : this.#performSlowly(call, run);
  }

  async #performSlowly<T>(call: FaultyCall, run: () => MaybePromise<T>): Promise<T> {
    let error: KmsServiceError | undefined;
    for (const state of this.#states) {
      const { rule } = state;
      if (!(await fits(rule, call)) || !fires(state)) {
        continue;
      }
      const { latencyMs = 0 } = rule;
      if (latencyMs > 0) {
        await new Promise((resolve) => setTimeout(resolve, latencyMs));
      }
      if (rule.error !== undefined) {
        error = new KmsServiceError(rule.error, rule.message ?? DEFAULT_TEXTS[rule.error]);
        if (rule.when !== 'after') {
          throw error;
        }
        break;
      }
    }
    const answer = await run();
    if (error !== undefined) {
      throw error;
    }
    return answer;
  }
}

/** @source KMS Developer Guide, "Throttling AWS KMS requests" */
const DEFAULT_TEXTS: Readonly<Partial<Record<ErrorName, string>>> = {
  ThrottlingException: 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
  KMSInternalException: 'An internal error occurred.',
};

async function fits({ operation, region, keyId }: FaultRule, call: FaultyCall): Promise<boolean> {
  return (
    (operation === undefined || operation === call.operation) &&
    (region === undefined || region === call.region) &&
    (keyId === undefined || (await call.keyIds()).has(keyId))
  );
}

function fires(state: RuleState): boolean {
  const { every = 1, times = Number.POSITIVE_INFINITY, probability = 1 } = state.rule;
  state.matched++;
  const isChosen = state.matched % every === 0 && state.fired < times && state.draw() < probability;
  state.fired += isChosen ? 1 : 0;
  return isChosen;
}

/** The same numbers for the same seed: mulberry32, which is good enough to draw lots and for nothing else. */
function createDraw(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value.length <= 2048;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 1;

const MEMBERS: Readonly<Record<keyof FaultRule, readonly [check: Check, describe: string]>> = {
  operation: [(value) => typeof value === 'string' && isOperationName(value), 'an operation'],
  keyId: [isText, 'a key id'],
  region: [(value) => typeof value === 'string' && REGION_PATTERN.test(value), 'a Region'],
  error: [(value) => typeof value === 'string' && Object.hasOwn(ERROR_CATALOGUE, value), 'an error of the API'],
  message: [isText, 'a text'],
  latencyMs: [
    (value) => typeof value === 'number' && value >= 0 && value <= MAX_LATENCY_MS,
    `0 to ${String(MAX_LATENCY_MS)}`,
  ],
  when: [(value) => value === 'before' || value === 'after', 'before or after'],
  every: [isCount, 'a number from 1'],
  times: [isCount, 'a number from 1'],
  probability: [(value) => typeof value === 'number' && value >= 0 && value <= 1, '0 to 1'],
  seed: [(value) => Number.isSafeInteger(value), 'a whole number'],
};

/** @throws TypeError */
function requireRule(given: unknown): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError('a rule must be an object');
  }
  const rule = given as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(rule)) {
    const member = Object.hasOwn(MEMBERS, name) ? MEMBERS[name as keyof FaultRule] : undefined;
    if (member === undefined) {
      throw new TypeError(`a rule has no member ${name}`);
    }
    if (!member[0](value)) {
      throw new TypeError(`${name} of a rule must be ${member[1]}`);
    }
  }
  if (rule['error'] === undefined && rule['latencyMs'] === undefined) {
    throw new TypeError('a rule needs an error or a latencyMs');
  }
}
