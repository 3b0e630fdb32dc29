/**
 * The actions of the Security Token Service that AWS clients need to get at credentials.
 *
 * @source AWS STS API Reference: AssumeRole, GetCallerIdentity, GetSessionToken
 */
import type { Caller, CallerSession } from '../base/caller.ts';
import type { Clock } from '../base/clock.ts';
import { KmsServiceError } from '../base/errors.ts';
import type { PrincipalRecord } from '../base/stored-records.ts';
import { readPolicy } from '../policy/policy.ts';
import type { RequestQuotas } from '../service/ports.ts';
import { requestConditions } from '../service/conditions.ts';
import type { RequestContext, RequestOrigin } from '../service/target.ts';
import { integer, list, optional, parseRequest, required, string, structure } from '../service/schema.ts';
import type { AccessKeys, TemporaryCredentials } from './access-keys.ts';
import type { Identities } from './identities.ts';
import type { LoadedPrincipal } from './loaded-principal.ts';
import type { PolicyAccess } from './policy-access.ts';
import { sessionArn } from './principal-names.ts';

/** Who calls, and the facts of the request that trust policies can ask for. */
export interface StsContext {
  readonly caller: Caller;
  readonly region: string;
  readonly origin: RequestOrigin;
}

const tagKey = string({ min: 1, max: 128, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+' });
const tag = structure({
  Key: required(tagKey),
  Value: required(string({ min: 0, max: 256, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*' })),
});

const assumeRoleInput = structure({
  RoleArn: required(string({ min: 20, max: 2048 })),
  RoleSessionName: required(string({ min: 2, max: 64, pattern: '[\\w+=,.@-]*' })),
  Policy: optional(string({ min: 1, max: 2048, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' })),
  DurationSeconds: optional(integer({ min: 900, max: 43_200 })),
  Tags: optional(list(tag, { max: 50 })),
  TransitiveTagKeys: optional(list(tagKey, { max: 50 })),
  ExternalId: optional(string({ min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' })),
  SourceIdentity: optional(string({ min: 2, max: 64, pattern: '[\\w+=,.@-]*' })),
});

const getSessionTokenInput = structure({ DurationSeconds: optional(integer({ min: 900, max: 129_600 })) });

const ROLE_ARN = /^arn:aws[a-z-]*:iam::(\d{12}):role\/(?:[\w+=,.@/-]*\/)?([\w+=,.@-]{1,64})$/;
const DEFAULT_SESSION_SECONDS = 3_600;
const DEFAULT_TOKEN_SECONDS = 43_200;
const ROOT_TOKEN_SECONDS = 3_600;
/** A session that was made by a session lives for an hour at most. */
const CHAINED_SESSION_SECONDS = 3_600;

export const STS_ACTIONS = ['AssumeRole', 'GetCallerIdentity', 'GetSessionToken'] as const;
export type StsAction = (typeof STS_ACTIONS)[number];

export function isStsAction(name: string): name is StsAction {
  return (STS_ACTIONS as readonly string[]).includes(name);
}

/** Members of an answer, by the names of the API; texts, dates and structures of them. */
export interface StsResult {
  readonly [member: string]: string | Date | StsResult | undefined;
}

export class Sts {
  readonly #identities: Identities;
  readonly #accessKeys: AccessKeys;
  readonly #access: PolicyAccess;
  readonly #clock: Clock;
  readonly #quotas: RequestQuotas | undefined;

  constructor(
    identities: Identities,
    accessKeys: AccessKeys,
    access: PolicyAccess,
    clock: Clock,
    quotas: RequestQuotas | undefined,
  ) {
    this.#identities = identities;
    this.#accessKeys = accessKeys;
    this.#access = access;
    this.#clock = clock;
    this.#quotas = quotas;
  }

  /**
   * @param parameters as they came, texts throughout
   * @throws KmsServiceError ValidationException, AccessDeniedException, MalformedPolicyDocumentException,
   *   ThrottlingException
   */
  async call(
    action: StsAction,
    parameters: Readonly<Record<string, unknown>>,
    context: StsContext,
  ): Promise<StsResult> {
    if (this.#quotas?.take(context.caller.accountId, context.region, 'SecurityTokenService') === false) {
      throw new KmsServiceError('ThrottlingException', 'Rate exceeded');
    }
    // Credentials that a service got in the name of a user would no longer say that a service uses them.
    if (action !== 'GetCallerIdentity' && (context.origin.viaService !== undefined || isService(context.caller))) {
      throw new KmsServiceError('AccessDeniedException', `Services cannot call ${action}`);
    }
    switch (action) {
      case 'GetCallerIdentity':
        return describeCaller(context.caller);
      case 'GetSessionToken':
        return this.#getSessionToken(parseRequest(getSessionTokenInput, withNumbers(parameters), 'json'), context);
      case 'AssumeRole':
        return this.#assumeRole(parseRequest(assumeRoleInput, withNumbers(parameters), 'json'), context);
    }
  }

  async #getSessionToken(
    { DurationSeconds: wanted }: { readonly DurationSeconds?: number | undefined },
    { caller }: StsContext,
  ): Promise<StsResult> {
    if (caller.session !== undefined) {
      throw new KmsServiceError('AccessDeniedException', 'Cannot call GetSessionToken with session credentials');
    }
    const isRoot = caller.arn.endsWith(':root');
    const seconds = Math.min(wanted ?? DEFAULT_TOKEN_SECONDS, isRoot ? ROOT_TOKEN_SECONDS : Number.POSITIVE_INFINITY);
    const nowMs = this.#clock.nowMs();
    const session: CallerSession = {
      issuerArn: caller.arn,
      policy: undefined,
      tags: new Map(),
      transitiveTagKeys: [],
      sourceIdentity: undefined,
      issuedMs: nowMs,
    };
    const made = await this.#accessKeys.createTemporary({ ...caller, session }, nowMs + seconds * 1000);
    return { Credentials: credentialMembers(made) };
  }

  async #assumeRole(input: AssumeRoleInput, context: StsContext): Promise<StsResult> {
    const { caller } = context;
    if (caller.arn.endsWith(':root')) {
      throw new KmsServiceError('AccessDeniedException', 'Roles may not be assumed by root accounts.');
    }
    const found = await this.#findRole(input.RoleArn);
    const inherited = inheritedTags(caller);
    const tags = requireSessionTags(input, inherited);
    if (found === undefined) {
      throw this.#denied(caller, input.RoleArn);
    }
    await this.#requirePermission(found, input, tags, context);
    const role = found.record;
    const seconds = sessionSeconds(input.DurationSeconds, role, caller);
    if (input.Policy !== undefined) {
      const result = readPolicy(input.Policy, 'session');
      if (!result.ok) {
        throw new KmsServiceError('MalformedPolicyDocumentException', result.problem);
      }
    }
    const nowMs = this.#clock.nowMs();
    const passedOn = new Set((input.TransitiveTagKeys ?? []).map((key) => key.toLowerCase()));
    const session: CallerSession = {
      issuerArn: role.arn,
      policy: input.Policy,
      tags: new Map([...tags, ...inherited]),
      // Only a tag that the session has can be passed on.
      transitiveTagKeys: [...[...tags.keys()].filter((key) => passedOn.has(key.toLowerCase())), ...inherited.keys()],
      sourceIdentity: caller.session?.sourceIdentity ?? input.SourceIdentity,
      issuedMs: nowMs,
    };
    const identity: Caller = {
      accountId: role.accountId,
      arn: sessionArn(role.accountId, role.name, input.RoleSessionName),
      principalId: `${role.uniqueId}:${input.RoleSessionName}`,
      session,
    };
    const made = await this.#accessKeys.createTemporary(identity, nowMs + seconds * 1000);
    return {
      Credentials: credentialMembers(made),
      AssumedRoleUser: { AssumedRoleId: identity.principalId, Arn: identity.arn },
      SourceIdentity: session.sourceIdentity,
    };
  }

  async #findRole(arn: string): Promise<LoadedPrincipal | undefined> {
    const match = ROLE_ARN.exec(arn);
    if (match === null) {
      throw new KmsServiceError('ValidationException', `${arn} is invalid`);
    }
    const [, accountId = '', name = ''] = match;
    const found = await this.#identities.findByName({ accountId, kind: 'role', name });
    return found && this.#identities.load(found.uniqueId);
  }

  /** The trust policy of the role must allow the caller, and tags and source identity have permissions of their own. */
  async #requirePermission(
    role: LoadedPrincipal,
    input: AssumeRoleInput,
    tags: ReadonlyMap<string, string>,
    { caller, region, origin }: StsContext,
  ): Promise<void> {
    const actions = ['sts:AssumeRole'];
    if (tags.size > 0) {
      actions.push('sts:TagSession');
    }
    const inherited = caller.session?.sourceIdentity;
    if (input.SourceIdentity !== undefined || inherited !== undefined) {
      actions.push('sts:SetSourceIdentity');
    }
    const sourceIdentity = caller.session?.sourceIdentity ?? input.SourceIdentity;
    if ((input.SourceIdentity ?? sourceIdentity) !== sourceIdentity) {
      // Once it is set, nobody changes it.
      throw this.#denied(caller, input.RoleArn, 'sts:SetSourceIdentity');
    }
    const members: Readonly<Record<string, string | readonly string[] | undefined>> = {
      'sts:rolesessionname': input.RoleSessionName,
      'sts:externalid': input.ExternalId,
      'sts:sourceidentity': sourceIdentity,
      'sts:transitivetagkeys': input.TransitiveTagKeys,
      'aws:tagkeys': tags.size === 0 ? undefined : [...tags.keys()],
      ...Object.fromEntries([...tags].map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value])),
    };
    const request: RequestContext = { caller, region, origin, requestId: '', nowMs: this.#clock.nowMs() };
    for (const action of actions) {
      const { arn: resourceArn, accountId: resourceAccountId } = role.record;
      const target = { action, resourceArn, resourceAccountId };
      const values = requestConditions(request, target, { values: members });
      const endpointPolicy = origin.vpcEndpoint?.policy.compiled;
      const decision = await this.#access.decideOnTrust({ caller, action, role, values, endpointPolicy });
      if (decision.effect === 'deny') {
        throw this.#denied(caller, input.RoleArn, action);
      }
    }
  }

  /** One text for every cause: a stranger does not learn which roles there are. */
  #denied(caller: Caller, roleArn: string, action = 'sts:AssumeRole'): KmsServiceError {
    return new KmsServiceError(
      'AccessDeniedException',
      `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${roleArn}`,
    );
  }
}

interface AssumeRoleInput {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly Policy?: string | undefined;
  readonly DurationSeconds?: number | undefined;
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[] | undefined;
  readonly TransitiveTagKeys?: readonly string[] | undefined;
  readonly ExternalId?: string | undefined;
  readonly SourceIdentity?: string | undefined;
}

/**
 * The tags that a request gives its session; those that the caller's own session passes on come besides.
 *
 * @throws KmsServiceError ValidationException for a tag that is there twice, that the caller's session passes on, or
 *   that is to be passed on and is not there
 */
function requireSessionTags(
  { Tags: tags = [], TransitiveTagKeys: transitive = [] }: AssumeRoleInput,
  inherited: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const keys = new Set(tags.map(({ Key }) => Key.toLowerCase()));
  if ([...keys].some((key) => key.startsWith('aws:'))) {
    throw new KmsServiceError('ValidationException', 'Tag keys beginning with aws: are reserved.');
  }
  if (keys.size < tags.length) {
    throw new KmsServiceError(
      'ValidationException',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    );
  }
  if (transitive.some((key) => !keys.has(key.toLowerCase()))) {
    throw new KmsServiceError('ValidationException', 'The specified transitive tag key must be included in the tags.');
  }
  if ([...inherited.keys()].some((key) => keys.has(key.toLowerCase()))) {
    throw new KmsServiceError(
      'ValidationException',
      'A tag cannot be set because it conflicts with a transitive tag key from the calling session.',
    );
  }
  return new Map(tags.map(({ Key, Value }) => [Key, Value]));
}

function isService({ arn }: Caller): boolean {
  return !arn.startsWith('arn:');
}

function describeCaller({ accountId, arn, principalId }: Caller): StsResult {
  return { UserId: principalId, Account: accountId, Arn: arn };
}

/** The tags that a session passes on to those that it makes. */
function inheritedTags({ session }: Caller): ReadonlyMap<string, string> {
  const keys = session?.transitiveTagKeys ?? [];
  return new Map([...(session?.tags ?? [])].filter(([key]) => keys.includes(key)));
}

/** The form carries numbers as text. */
function withNumbers(parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { DurationSeconds: seconds } = parameters;
  const isNumber = typeof seconds === 'string' && /^-?\d{1,9}$/.test(seconds);
  return isNumber ? { ...parameters, DurationSeconds: Number(seconds) } : parameters;
}

/** @throws KmsServiceError ValidationException for a session longer than the role, or a session of a session, may be */
function sessionSeconds(wanted: number | undefined, role: PrincipalRecord, caller: Caller): number {
  const seconds = wanted ?? DEFAULT_SESSION_SECONDS;
  const isChained = caller.session !== undefined && caller.arn.includes(':assumed-role/');
  if (isChained && seconds > CHAINED_SESSION_SECONDS) {
    throw new KmsServiceError(
      'ValidationException',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  if (seconds > (role.maxSessionSeconds ?? DEFAULT_SESSION_SECONDS)) {
    throw new KmsServiceError(
      'ValidationException',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
  return seconds;
}

function credentialMembers(made: TemporaryCredentials): StsResult {
  return {
    AccessKeyId: made.accessKeyId,
    SecretAccessKey: made.secretAccessKey,
    SessionToken: made.sessionToken,
    Expiration: new Date(made.expiresMs),
  };
}
