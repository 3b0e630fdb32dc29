/** Source of the current time; injected, so that tests run years in milliseconds. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
}

export const MS_PER_DAY = 86_400_000;
