import { aliasArn } from '../../base/arn.ts';
import { chain } from '../../base/maybe-promise.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation } from '../operation.ts';
import type { Target } from '../target.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** Lists the aliases of the account and Region, or of one key. @source KMS API Reference, ListAliases */
export const listAliases = defineOperation({
  name: 'ListAliases',
  input: structure({
    KeyId: optional(shapes.keyId),
    Limit: optional(shapes.limit),
    Marker: optional(shapes.marker),
  }),
  errors: [
    'DependencyTimeoutException',
    'InvalidArnException',
    'InvalidMarkerException',
    'KMSInternalException',
    'NotFoundException',
  ],
  allowsCrossAccount: false,
  resolve: (input, resolver) => {
    const all = resolver.account('kms:ListAliases');
    if (input.KeyId === undefined) {
      return [all] as readonly [Target];
    }
    // The action has no resource of its own; the key is only a filter, and must be the caller's.
    return chain(
      resolver.key(input.KeyId, { action: 'kms:ListAliases', forms: 'idOrArn', rule: 'any' }),
      ({ key, resourceAccountId }) => [{ ...all, resourceAccountId, key }] as readonly [Target],
    );
  },
  async execute(authorized, input, { aliases, region, caller }) {
    const after = decodeMarker(input.Marker);
    const limit = Math.min(input.Limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const targetKeyId = authorized.targets[0].key?.keyId;
    const page = await aliases.list(region, caller.accountId, targetKeyId, { after, limit });
    return {
      Aliases: page.items.map((alias) => ({
        AliasName: alias.name,
        AliasArn: aliasArn(region, alias.accountId, alias.name),
        TargetKeyId: alias.targetKeyId,
        CreationDate: new Date(alias.createdMs),
        LastUpdatedDate: new Date(alias.updatedMs),
      })),
      ...pageEnd(page.isTruncated, page.items.at(-1)?.name),
    };
  },
});
