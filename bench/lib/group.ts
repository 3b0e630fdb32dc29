/** A measurement that counts the time of all processors too. */
export interface Timed {
  /** Nanoseconds per message. */
  readonly ns: number;
  /** Nanoseconds of processor time per message, of all threads of the process. */
  readonly cpuNs: number;
}

/** Nanoseconds per message. */
export type Sample = number | Timed;

/** One way of doing what a group compares: a row of its table. */
export interface Row {
  readonly name: string;
  /** Name of the row that does the same with nothing around it: the most that is possible. */
  readonly limit?: string;
  /**
   * The results of `samples` measurements, each over at least `minimumMs` milliseconds of repetition.
   *
   * @throws Error when what is measured fails.
   */
  measure(minimumMs: number, samples: number): Sample[] | Promise<Sample[]>;
}

/** Rows that do the same work, measured in turns, so that their ratios hold when the machine's speed does not. */
export interface Group {
  readonly name: string;
  /** Bytes of plaintext in one message; 0 where there is no plaintext. */
  readonly sizeBytes: number;
  /** Name of the row that ratios refer to. */
  readonly baseline: string;
  /** Makes the rows with their keys and buffers; called when the turn of the group comes. */
  open(): readonly Row[];
}
