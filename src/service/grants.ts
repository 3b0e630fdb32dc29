/** What the grant operations share: tokens, list entries and the parties of a grant. */
import { keyArn } from '../base/arn.ts';
import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import { isGrantPrincipal, partyId, type Grant, type GrantOperation, type GrantParty } from '../policy/grant.ts';
import type { GrantRepository, PrincipalDirectory, TokenSealer } from './ports.ts';

const TOKEN_PURPOSE = 'grant';

/** What a grant token stands for. */
export interface GrantReference {
  readonly keyId: string;
  readonly grantId: string;
}

const NO_GRANTS: readonly GrantReference[] = [];

interface TokenContext {
  readonly region: string;
  readonly tokens: TokenSealer;
}

export function sealGrantToken({ region, tokens }: TokenContext, grant: GrantReference): MaybePromise<string> {
  return tokens.seal(region, TOKEN_PURPOSE, Buffer.from(`${grant.keyId} ${grant.grantId}`, 'utf8'));
}

/** @throws KmsServiceError InvalidGrantTokenException for a text that is no grant token of this Region */
export function openGrantToken({ region, tokens }: TokenContext, token: string): MaybePromise<GrantReference> {
  return chain(tokens.open(region, TOKEN_PURPOSE, token), (content) => {
    const [keyId, grantId] = content === undefined ? [] : Buffer.from(content).toString('utf8').split(' ');
    if (keyId === undefined || grantId === undefined) {
      throw new KmsServiceError('InvalidGrantTokenException', 'Grant token is not valid.');
    }
    return { keyId, grantId };
  });
}

/** What the tokens that come with a request stand for. @throws KmsServiceError InvalidGrantTokenException */
export function openGrantTokens(
  context: TokenContext,
  given: readonly string[] | undefined,
): MaybePromise<readonly GrantReference[]> {
  const next = (index: number, opened: readonly GrantReference[]): MaybePromise<readonly GrantReference[]> => {
    const token = given?.[index];
    return token === undefined
      ? opened
      : chain(openGrantToken(context, token), (reference) => next(index + 1, [...opened, reference]));
  };
  return next(0, NO_GRANTS);
}

/**
 * The one party out of the two members that can name it.
 *
 * @throws KmsServiceError ValidationException for both; InvalidArnException for what is no ARN of a principal
 */
export function requireParty(
  role: string,
  principal: string | undefined,
  service: string | undefined,
): GrantParty | undefined {
  if (principal !== undefined && service !== undefined) {
    throw new KmsServiceError(
      'ValidationException',
      `You cannot specify both ${role}Principal and ${role}ServicePrincipal.`,
    );
  }
  if (principal !== undefined && !isGrantPrincipal(principal)) {
    throw new KmsServiceError('InvalidArnException', `ARN ${principal} is not valid.`);
  }
  if (principal !== undefined) {
    return { kind: 'principal', name: principal };
  }
  return service === undefined ? undefined : { kind: 'service', name: service };
}

/**
 * The party with its unique id.
 *
 * @throws KmsServiceError InvalidArnException for a user or role that there is not
 */
export async function requireIdentified(party: GrantParty, principals: PrincipalDirectory): Promise<GrantParty> {
  const identified = await identifyParty(party, principals);
  if (identified === undefined) {
    throw new KmsServiceError('InvalidArnException', `ARN does not refer to a valid principal: ${party.name}`);
  }
  return identified;
}

/** The party with its unique id, or undefined for a user or role that there is not. */
export async function identifyParty(
  party: GrantParty,
  principals: PrincipalDirectory,
): Promise<GrantParty | undefined> {
  const id = party.kind === 'service' ? party.name : await principals.identify(party.name);
  if (id === undefined) {
    return undefined;
  }
  return id === party.name ? party : { ...party, uniqueId: id };
}

/** @throws KmsServiceError NotFoundException */
export async function requireGrant(
  grants: GrantRepository,
  region: string,
  { keyId, grantId }: GrantReference,
): Promise<Grant> {
  const grant = await grants.find(region, keyId, grantId);
  if (grant === undefined) {
    throw new KmsServiceError('NotFoundException', `Grant ID ${grantId} not found`);
  }
  return grant;
}

/** The `GrantListEntry` structure of the API. */
export interface GrantListEntry {
  readonly KeyId: string;
  readonly GrantId: string;
  readonly Name?: string;
  readonly CreationDate: Date;
  readonly GranteePrincipal?: string;
  readonly GranteeServicePrincipal?: string;
  readonly RetiringPrincipal?: string;
  readonly RetiringServicePrincipal?: string;
  readonly IssuingAccount: string;
  readonly Operations: GrantOperation[];
  readonly Constraints?: NonNullable<Grant['constraints']>;
}

/** Principals that are gone are shown by their unique ids, so that nobody takes them for those who came after them. */
export async function grantListEntry(
  grant: Grant,
  keyAccountId: string,
  principals: PrincipalDirectory,
): Promise<GrantListEntry> {
  const { grantee, retiring } = grant;
  return {
    KeyId: keyArn(grant.region, keyAccountId, grant.keyId),
    GrantId: grant.grantId,
    ...(grant.name === undefined ? {} : { Name: grant.name }),
    CreationDate: new Date(grant.createdMs),
    ...(grantee.kind === 'principal'
      ? { GranteePrincipal: await principals.show(partyId(grantee)) }
      : { GranteeServicePrincipal: grantee.name }),
    ...(retiring?.kind === 'principal' ? { RetiringPrincipal: await principals.show(partyId(retiring)) } : {}),
    ...(retiring?.kind === 'service' ? { RetiringServicePrincipal: retiring.name } : {}),
    IssuingAccount: `arn:aws:iam::${grant.issuingAccountId}:root`,
    Operations: [...grant.operations],
    ...(grant.constraints === undefined ? {} : { Constraints: grant.constraints }),
  };
}
