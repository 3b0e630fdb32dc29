import { aliasArn } from '../../base/arn.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { Alias } from '../../keys/alias.ts';
import { PREDEFINED_ALIASES } from '../../keys/aws-managed.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation } from '../operation.ts';
import type { Target } from '../target.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** A target of ListAliases: all aliases of the account, or those of one key. */
export interface AliasListTarget extends Target {
  /** The key that the aliases are wanted of. */
  readonly targetKeyId?: string;
}

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
      return [all] as readonly [AliasListTarget];
    }
    // The action has no resource of its own: the key is only a filter, and must be the caller's. Its policy has no say.
    return chain(
      resolver.key(input.KeyId, { action: 'kms:ListAliases', forms: 'idOrArn', rule: 'any' }),
      ({ key, resourceAccountId }) =>
        [{ ...all, resourceAccountId, targetKeyId: key.keyId }] as readonly [AliasListTarget],
    );
  },
  async execute(authorized, input, { aliases, region, caller }) {
    const after = decodeMarker(input.Marker);
    const limit = Math.min(input.Limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const [{ targetKeyId }] = authorized.targets;
    const page = await aliases.list(region, caller.accountId, targetKeyId, { after, limit });
    const entries = page.items.map(aliasListEntry);
    const all = targetKeyId === undefined ? withPredefined(entries, region, caller.accountId, after) : entries;
    const shown = all.slice(0, limit);
    return {
      Aliases: shown,
      ...pageEnd(page.isTruncated || all.length > limit, shown.at(-1)?.AliasName),
    };
  },
});

/** The `AliasListEntry` structure of the API; a predefined alias that has no key yet is only a name. */
export interface AliasListEntry {
  readonly AliasName: string;
  readonly AliasArn: string;
  readonly TargetKeyId?: string;
  readonly CreationDate?: Date;
  readonly LastUpdatedDate?: Date;
}

function aliasListEntry({ region, accountId, name, targetKeyId, createdMs, updatedMs }: Alias): AliasListEntry {
  return {
    AliasName: name,
    AliasArn: aliasArn(region, accountId, name),
    TargetKeyId: targetKeyId,
    CreationDate: new Date(createdMs),
    LastUpdatedDate: new Date(updatedMs),
  };
}

/**
 * A page of stored aliases and, among them, the predefined ones that have no key yet. The first `limit` of the result
 * are right: a name that is stored on a later page sorts behind them.
 */
function withPredefined(
  stored: readonly AliasListEntry[],
  region: string,
  accountId: string,
  after = '',
): readonly AliasListEntry[] {
  const known = new Set(stored.map(({ AliasName }) => AliasName));
  const missing = PREDEFINED_ALIASES.filter((name) => name > after && !known.has(name)).map((name) => ({
    AliasName: name,
    AliasArn: aliasArn(region, accountId, name),
  }));
  return [...stored, ...missing].sort((left, right) => (left.AliasName < right.AliasName ? -1 : 1));
}
