/** What is left of noisy numbers: the middle, and how wide the middle half lies around it. */
export interface Summary {
  readonly median: number;
  /** Half the distance between the quartiles, as a fraction of the median. */
  readonly spread: number;
}

/** @throws RangeError when there are no values. */
export function summarize(values: readonly number[]): Summary {
  const median = quantile(values, 0.5);
  return { median, spread: (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median };
}

/** @throws RangeError when there are no values. */
export function medianOf(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Interpolated between the two nearest values. */
function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError('no values');
  return below + (above - below) * (position - Math.floor(position));
}
