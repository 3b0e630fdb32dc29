import { isTokenFailure } from '../token-failures.ts';
import type { Pkcs11Token } from '../../pkcs11/token.ts';
import { Latencies } from './latencies.ts';
import { TOKEN_OPERATIONS, type TokenOperation } from './token-operations.ts';

export interface BenchmarkPlan {
  /** Requests that are under way at the same time: one measurement of each operation for each number. */
  readonly inFlight: readonly number[];
  /** How long a measurement lasts at least, in milliseconds; the latencies are measured after it, as long again. */
  readonly milliseconds: number;
}

/** How fast a token does one operation. */
export interface TokenSpeed {
  readonly operation: string;
  readonly inFlight: number;
  readonly opsPerSecond: number;
  /** From call to answer, in microseconds; see {@link Latencies.percentiles} for what is left out. */
  readonly p50Us?: number;
  readonly p99Us?: number;
  readonly p999Us?: number;
  /** Processor time of this process per operation, in microseconds: that of a module in software, none of an HSM's. */
  readonly cpuUs: number;
}

/** An operation that the token does not do. */
export interface OperationMissing {
  readonly operation: string;
  /** `notOffered`, or why else it does not. */
  readonly reason: string;
}

/**
 * Measures what Keywright has a use for, with keys of its own that are not kept in the token and are destroyed at the
 * end, also when it fails.
 *
 * @throws Pkcs11Error when the token goes away
 */
export async function measureToken(
  token: Pkcs11Token,
  { inFlight, milliseconds }: BenchmarkPlan,
): Promise<readonly (TokenSpeed | OperationMissing)[]> {
  const rows: (TokenSpeed | OperationMissing)[] = [];
  for (const operation of TOKEN_OPERATIONS) {
    const keys = operation.newKeyIds();
    try {
      const call = await prepare(token, operation, keys);
      if (typeof call === 'string') {
        rows.push({ operation: operation.name, reason: call });
        continue;
      }
      for (const lanes of inFlight) {
        const speed = await measure(call, operation.messages, lanes, milliseconds);
        rows.push({ operation: operation.name, inFlight: lanes, ...speed });
      }
    } finally {
      await Promise.allSettled(keys.map((id) => token.destroyKey(id)));
    }
  }
  return rows;
}

type Call = () => Promise<unknown>;

/** Makes the keys, and calls once; or tells why the token does not do it. */
async function prepare(token: Pkcs11Token, operation: TokenOperation, keys: readonly Buffer[]): Promise<Call | string> {
  try {
    const call = await operation.prepare(token, keys);
    await call();
    return call;
  } catch (error) {
    const isGone = isTokenFailure(error) && ['timedOut', 'unavailable', 'closed', 'queueFull'].includes(error.reason);
    if (!isTokenFailure(error) || isGone) {
      throw error;
    }
    return error.reason;
  }
}

type Speed = Omit<TokenSpeed, 'operation' | 'inFlight'>;

/** The latencies come out of a run of their own: asking the clock twice for each call would slow the first one down. */
async function measure(call: Call, messages: number, lanes: number, milliseconds: number): Promise<Speed> {
  // What the first calls of a session take, such as finding the key, is not the speed of the token.
  await repeat(call, lanes, milliseconds / 10);
  const cpu = process.cpuUsage();
  const { calls, elapsedMs } = await repeat(call, lanes, milliseconds);
  const { user, system } = process.cpuUsage(cpu);
  const latencies = new Latencies();
  const timed = async (): Promise<void> => {
    const beginMs = performance.now();
    await call();
    latencies.add(performance.now() - beginMs);
  };
  await repeat(timed, lanes, milliseconds);
  const done = calls * messages;
  return { opsPerSecond: (done / elapsedMs) * 1000, ...latencies.percentiles(), cpuUs: (user + system) / done };
}

/** Keeps as many calls under way as there are lanes, until the time is over, and waits for the last. */
async function repeat(
  call: Call,
  lanes: number,
  milliseconds: number,
): Promise<{ readonly calls: number; readonly elapsedMs: number }> {
  const beginMs = performance.now();
  let calls = 0;
  const run = async (): Promise<void> => {
    do {
      await call();
      calls += 1;
    } while (performance.now() - beginMs < milliseconds);
  };
  await Promise.all(Array.from({ length: lanes }, run));
  return { calls, elapsedMs: performance.now() - beginMs };
}
