import { MAX_TAGS_PER_KEY } from '../../keys/tags.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

/** Lists the tags of a key. @source KMS API Reference, ListResourceTags */
export const listResourceTags = defineOperation({
  name: 'ListResourceTags',
  input: structure({
    KeyId: required(shapes.keyId),
    Limit: optional(shapes.limit),
    Marker: optional(shapes.marker),
  }),
  errors: ['InvalidArnException', 'InvalidMarkerException', 'KMSInternalException', 'NotFoundException'],
  allowsCrossAccount: false,
  resolve: onKey({ action: 'kms:ListResourceTags', forms: 'idOrArn', rule: 'any' }),
  execute(authorized, input) {
    const after = decodeMarker(input.Marker);
    const limit = Math.min(input.Limit ?? MAX_TAGS_PER_KEY, MAX_TAGS_PER_KEY);
    const following = [...authorized.targets[0].key.tags]
      .map(([TagKey, TagValue]) => ({ TagKey, TagValue }))
      .sort((left, right) => (left.TagKey < right.TagKey ? -1 : 1))
      .filter(({ TagKey }) => after === undefined || TagKey > after);
    const page = following.slice(0, limit);
    return { Tags: page, ...pageEnd(following.length > limit, page.at(-1)?.TagKey) };
  },
});
