import { InvariantError, KmsServiceError } from '../../base/errors.ts';
import { accessDenied } from '../authorize.ts';
import { grantListEntry, identifyParty, requireParty, type GrantListEntry } from '../grants.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { defineOperation } from '../operation.ts';
import { optional, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/**
 * Lists the grants of the Region that a principal may retire, on keys of whatever account.
 *
 * @source KMS API Reference, ListRetirableGrants
 */
export const listRetirableGrants = defineOperation({
  name: 'ListRetirableGrants',
  input: structure({
    Limit: optional(shapes.limit),
    Marker: optional(shapes.marker),
    RetiringPrincipal: optional(shapes.principal),
    RetiringServicePrincipal: optional(shapes.servicePrincipal),
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
    const target = resolver.account('kms:ListRetirableGrants');
    const retiring = requireParty('Retiring', input.RetiringPrincipal, input.RetiringServicePrincipal);
    // The resource is the principal itself, which belongs to the account in its ARN.
    return retiring?.kind === 'principal'
      ? ([{ ...target, resourceArn: retiring.name, resourceAccountId: retiring.name.split(':')[4] ?? '' }] as const)
      : ([target] as const);
  },
  async execute(authorized, input, context) {
    const { grants, keys, principals, region } = context;
    const retiring = requireParty('Retiring', input.RetiringPrincipal, input.RetiringServicePrincipal);
    if (retiring === undefined) {
      throw new KmsServiceError(
        'ValidationException',
        'You must specify a RetiringPrincipal or RetiringServicePrincipal.',
      );
    }
    if (retiring.kind === 'service' && retiring.name !== context.caller.arn) {
      const [target] = authorized.targets;
      throw accessDenied(context, target, 'because a service is the only one to list the grants that it may retire');
    }
    const page = await grants.list(
      region,
      { retiring: (await identifyParty(retiring, principals)) ?? retiring },
      { after: decodeMarker(input.Marker), limit: Math.min(input.Limit ?? DEFAULT_LIMIT, MAX_LIMIT) },
    );
    const entries = await Promise.all(
      page.items.map(async (grant): Promise<GrantListEntry> => {
        const key = await keys.find(region, grant.keyId);
        if (key === undefined) {
          throw new InvariantError(`grant ${grant.grantId} is on a key that does not exist`);
        }
        return grantListEntry(grant, key.accountId, principals);
      }),
    );
    return { Grants: entries, ...pageEnd(page.isTruncated, page.items.at(-1)?.grantId) };
  },
});
