export const MAX_TAGS_PER_KEY = 50;

export interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

export type TagProblem = 'Duplicate tag keys' | 'Tags beginning with aws: are reserved';

/**
 * Keys that differ only in letter case count as duplicates: policies ask for tags without it, and two values for one
 * condition key would let the one be checked and the other be used.
 *
 * @source KMS API Reference, TagResource; the texts are those that AWS answers.
 */
export function findTagProblem(tagKeys: readonly string[]): TagProblem | undefined {
  if (new Set(tagKeys.map((key) => key.toLowerCase())).size !== tagKeys.length) {
    return 'Duplicate tag keys';
  }
  if (tagKeys.some((key) => key.toLowerCase().startsWith('aws:'))) {
    return 'Tags beginning with aws: are reserved';
  }
  return undefined;
}
