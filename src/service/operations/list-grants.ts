import { grantListEntry, identifyParty, requireParty } from '../grants.ts';
import { decodeMarker, pageEnd } from '../markers.ts';
import { MANAGEMENT_ERRORS } from '../error-lists.ts';
import { defineOperation, onKey } from '../operation.ts';
import { optional, required, structure } from '../schema.ts';
import * as shapes from '../shapes.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** Lists the grants on a key. @source KMS API Reference, ListGrants */
export const listGrants = defineOperation({
  name: 'ListGrants',
  input: structure({
    KeyId: required(shapes.keyId),
    Limit: optional(shapes.limit),
    Marker: optional(shapes.marker),
    GrantId: optional(shapes.grantId),
    GranteePrincipal: optional(shapes.principal),
    GranteeServicePrincipal: optional(shapes.servicePrincipal),
  }),
  errors: [...MANAGEMENT_ERRORS, 'InvalidGrantIdException', 'InvalidMarkerException'],
  allowsCrossAccount: true,
  resolve: onKey({ action: 'kms:ListGrants', forms: 'idOrArn', rule: 'any' }),
  async execute(authorized, input, { grants, principals }) {
    const { key } = authorized.targets[0];
    const named = requireParty('Grantee', input.GranteePrincipal, input.GranteeServicePrincipal);
    const grantee = named && ((await identifyParty(named, principals)) ?? named);
    const page = await grants.list(
      key.region,
      { keyId: key.keyId, grantId: input.GrantId, grantee },
      { after: decodeMarker(input.Marker), limit: Math.min(input.Limit ?? DEFAULT_LIMIT, MAX_LIMIT) },
    );
    return {
      Grants: await Promise.all(page.items.map((grant) => grantListEntry(grant, key.accountId, principals))),
      ...pageEnd(page.isTruncated, page.items.at(-1)?.grantId),
    };
  },
});
