export const MAX_TAGS_PER_KEY = 50;

export interface Tag {
  readonly TagKey: string;
  readonly TagValue: string;
}

export type TagProblem = 'Duplicate tag keys' | 'Tags beginning with aws: are reserved';

/** @source KMS API Reference, TagResource; the texts are those that AWS answers. */
export function findTagProblem(tagKeys: readonly string[]): TagProblem | undefined {
  if (new Set(tagKeys).size !== tagKeys.length) {
    return 'Duplicate tag keys';
  }
  if (tagKeys.some((key) => key.toLowerCase().startsWith('aws:'))) {
    return 'Tags beginning with aws: are reserved';
  }
  return undefined;
}
