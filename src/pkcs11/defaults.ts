/** What a token is opened with unless something else is said. */
export const DEFAULTS = { sessions: 4, queueLength: 1024, timeoutMs: 10_000 } as const;

/** A module over a network connects and logs in when it is opened. */
const LEAST_OPENING_MS = 30_000;

/** How long opening a token may take, in milliseconds, when a request to it may take `timeoutMs`. */
export function openingMs(timeoutMs: number): number {
  return Math.max(timeoutMs, LEAST_OPENING_MS);
}
