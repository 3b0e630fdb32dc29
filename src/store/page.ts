import type { Page } from '../service/ports.ts';

/** Makes a page out of up to `limit + 1` rows: the extra row only tells that the list goes on. */
export function cutPage<T>(rows: readonly T[], limit: number): Page<T> {
  return { items: rows.slice(0, limit), isTruncated: rows.length > limit };
}
