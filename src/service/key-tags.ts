import { KmsServiceError } from '../base/errors.ts';
import { findTagProblem, MAX_TAGS_PER_KEY, type Tag } from '../keys/tags.ts';

/** @throws KmsServiceError TagException for duplicates, reserved names or more than 50 tags */
export function requireTagMap(tags: readonly Tag[]): ReadonlyMap<string, string> {
  if (tags.length > MAX_TAGS_PER_KEY) {
    throw new KmsServiceError('TagException', 'Too many tags');
  }
  const problem = findTagProblem(tags.map((tag) => tag.TagKey));
  if (problem !== undefined) {
    throw new KmsServiceError('TagException', problem);
  }
  return new Map(tags.map((tag) => [tag.TagKey, tag.TagValue]));
}
