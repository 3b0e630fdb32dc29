import type { Histogram } from './latency.ts';

/** A measurement that counts the time of all processors too. */
export interface Timed {
  /** Nanoseconds per message. */
  readonly ns: number;
  /** Nanoseconds of processor time per message, of all threads of the process. */
  readonly cpuNs: number;
}

/** Nanoseconds per message. */
export type Sample = number | Timed;

/** What a row may tell besides its speed. */
export interface Measured {
  readonly samples: Sample[];
  /** From call to answer. Taken in a run of their own, so that asking the clock is in none of the samples. */
  readonly latencies: Histogram;
}

/** One way of doing what a group compares: a row of its table. */
export interface Row {
  readonly name: string;
  /** Name of the row that does the same with nothing around it: the most that is possible. */
  readonly limit?: string;
  /** Name of the row that ratios of this one refer to, where it is not that of the group. */
  readonly baseline?: string;
  /** The line of a chart that the row is a point of; `inFlight` is its place. */
  readonly series?: string;
  /** Messages that are under way at the same time. A row without it stands for all places of its line. */
  readonly inFlight?: number;
  /**
   * The results of `samples` measurements, each over at least `minimumMs` milliseconds of repetition.
   *
   * @throws Error when what is measured fails.
   */
  measure(minimumMs: number, samples: number): Sample[] | Measured | Promise<Sample[] | Measured>;
}

/** Rows that do the same work, measured in turns, so that their ratios hold when the machine's speed does not. */
export interface Group {
  readonly name: string;
  /** Bytes of plaintext in one message; 0 where there is no plaintext. */
  readonly sizeBytes: number;
  /** Name of the row that ratios refer to. */
  readonly baseline: string;
  /** Milliseconds that a sample of a full run lasts at least; where one operation takes longer than usual. */
  readonly minimumMs?: number;
  /** Makes the rows with their keys and buffers; called when the turn of the group comes. No rows: it is left out. */
  open(): readonly Row[] | Promise<readonly Row[]>;
}
