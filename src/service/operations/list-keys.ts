import { keyArn } from '../../base/arn.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation } from '../operation.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 100;

/** Lists the keys of the caller's account and Region. @source KMS API Reference, ListKeys */
export const listKeys = defineOperation({
  name: 'ListKeys',
  input: structure({ Limit: optional(shapes.limit), Marker: optional(shapes.marker) }),
  errors: ['DependencyTimeoutException', 'InvalidMarkerException', 'KMSInternalException'],
  allowsCrossAccount: false,
  resolve: (_input, resolver) => [resolver.account('kms:ListKeys')] as const,
  async execute(_authorized, input, { keys, region, caller }) {
    const after = decodeMarker(input.Marker);
    const page = await keys.list(region, caller.accountId, { after, limit: input.Limit ?? DEFAULT_LIMIT });
    return {
      Keys: page.items.map(({ keyId }) => ({ KeyId: keyId, KeyArn: keyArn(region, caller.accountId, keyId) })),
      ...pageEnd(page.isTruncated, page.items.at(-1)?.keyId),
    };
  },
});
