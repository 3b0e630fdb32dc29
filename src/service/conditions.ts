/**
 * The values that conditions of policies ask for, as far as they follow from the request, its origin and its key; what
 * follows from the caller is added where the policies are evaluated.
 *
 * @source KMS Developer Guide, "Condition keys for AWS KMS"; IAM User Guide, "AWS global condition context keys"
 */
import type { KmsKey } from '../keys/kms-key.ts';
import type { ConditionValue, ConditionValues } from '../policy/condition-values.ts';
import type { OperationConditions } from './operation-conditions.ts';
import { NOTHING_ATTESTED, type AttestedValues } from './recipient.ts';
import type { RequestContext, RequestOrigin, Target } from './target.ts';

const CONTEXT_PREFIX = 'kms:encryptioncontext:';
const RESOURCE_TAG_PREFIX = 'aws:resourcetag/';

/** Looks the values up one by one, when a condition asks. */
export function requestConditions(
  request: ConditionRequest,
  target: ConditionTarget,
  operation: OperationConditions,
  attested: AttestedValues = NOTHING_ATTESTED,
): ConditionValues {
  return {
    get: (key) =>
      operation.values[key] ??
      attested[key] ??
      contextValue(key, operation.encryptionContext) ??
      (target.key === undefined ? undefined : keyValue(key, target.key)) ??
      GLOBAL_VALUES.get(key)?.({ origin: NOWHERE, ...request, region: target.region ?? request.region }, target),
  };
}

function contextValue(key: string, context: Readonly<Record<string, string>> | undefined): ConditionValue | undefined {
  if (context === undefined) {
    return undefined;
  }
  if (key === 'kms:encryptioncontextkeys') {
    return Object.keys(context);
  }
  if (!key.startsWith(CONTEXT_PREFIX)) {
    return undefined;
  }
  // Condition keys have no letter case, and so neither has the part of them that names a pair. Names that differ only
  // in that have no single value: otherwise the order in which the caller gives them would choose one.
  const wanted = key.slice(CONTEXT_PREFIX.length);
  const values = Object.entries(context).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));
  return values.length > 1 ? values : values[0];
}

function keyValue(key: string, kmsKey: Omit<KmsKey, 'policy'>): ConditionValue | undefined {
  switch (key) {
    case 'kms:keyspec':
    case 'kms:customermasterkeyspec':
      return kmsKey.keySpec;
    case 'kms:keyusage':
    case 'kms:customermasterkeyusage':
      return kmsKey.keyUsage;
    case 'kms:keyorigin':
      return kmsKey.origin;
    case 'kms:multiregion':
      return String(kmsKey.multiRegion !== undefined);
    case 'kms:multiregionkeytype':
      return kmsKey.multiRegion?.type;
    default:
      return key.startsWith(RESOURCE_TAG_PREFIX)
        ? findTag(kmsKey.tags, key.slice(RESOURCE_TAG_PREFIX.length))
        : undefined;
  }
}

function findTag(tags: ReadonlyMap<string, string>, wanted: string): string | undefined {
  for (const [name, value] of tags) {
    if (name.toLowerCase() === wanted) {
      return value;
    }
  }
  return undefined;
}

/** What of a target the values look at. */
export type ConditionTarget = Pick<Target, 'resourceArn' | 'resourceAccountId' | 'region' | 'requestAlias'> & {
  readonly action: string;
  readonly key?: Omit<KmsKey, 'policy'>;
};

/** What of a request the values look at. Planned ones have no origin. */
export type ConditionRequest = Pick<RequestContext, 'caller' | 'region' | 'nowMs'> &
  Partial<Pick<RequestContext, 'origin'>>;

const NOWHERE: RequestOrigin = {};

const KMS_RESOURCE = /^arn:[a-z-]+:kms:/;
const KEY_STORE_ACTION = /^kms:\w+CustomKeyStores?$/;

/** Whether an action is on a key or an alias, so that the condition keys of operations on keys come with it. */
function isOnKeyOrAlias({ resourceArn }: ConditionTarget): boolean {
  return KMS_RESOURCE.test(resourceArn);
}

type Lookup = (request: Required<ConditionRequest>, target: ConditionTarget) => ConditionValue | undefined;

/** By condition key; each looks at the request alone. */
const GLOBAL_VALUES: ReadonlyMap<string, Lookup> = new Map<string, Lookup>([
  ['aws:currenttime', ({ nowMs }) => new Date(nowMs).toISOString()],
  ['aws:epochtime', ({ nowMs }) => String(Math.floor(nowMs / 1000))],
  ['aws:requestedregion', ({ region }) => region],
  ['aws:resourceaccount', (_request, target) => (target.resourceArn === '*' ? undefined : target.resourceAccountId)],
  ['aws:securetransport', ({ origin }) => origin.isSecureTransport?.toString()],
  ['aws:useragent', ({ origin }) => origin.userAgent],
  ['aws:referer', ({ origin }) => origin.referer],
  // Requests through a VPC endpoint have an address of the VPC, which has a key of its own.
  ['aws:sourceip', ({ origin }) => (origin.vpcEndpoint === undefined ? origin.sourceIp : undefined)],
  ['aws:vpcsourceip', ({ origin }) => (origin.vpcEndpoint === undefined ? undefined : origin.sourceIp)],
  ['aws:sourcevpce', ({ origin }) => origin.vpcEndpoint?.id],
  ['aws:sourcevpc', ({ origin }) => origin.vpcEndpoint?.vpcId],
  ['aws:sourcearn', ({ origin }) => origin.sourceArn],
  ['aws:sourceaccount', ({ origin }) => origin.sourceAccount],
  ['aws:viaawsservice', ({ origin }) => String(origin.viaService !== undefined)],
  ['aws:calledvia', ({ origin }) => calledVia(origin.viaService)],
  ['aws:calledviafirst', ({ origin }) => calledVia(origin.viaService)?.[0]],
  ['aws:calledvialast', ({ origin }) => calledVia(origin.viaService)?.[0]],
  [
    'kms:viaservice',
    ({ origin, region }, target) =>
      origin.viaService === undefined || !isOnKeyOrAlias(target)
        ? undefined
        : `${origin.viaService}.${region}.amazonaws.com`,
  ],
  [
    'kms:calleraccount',
    ({ caller }, target) =>
      caller.arn.startsWith('arn:') && (isOnKeyOrAlias(target) || KEY_STORE_ACTION.test(target.action))
        ? caller.accountId
        : undefined,
  ],
  ['aws:tokenissuetime', ({ caller }) => sessionTime(caller.session?.issuedMs)],
  ['aws:sourceidentity', ({ caller }) => caller.session?.sourceIdentity],
  // Long-term credentials do not supply this key at all.
  ['aws:multifactorauthpresent', ({ caller }) => (caller.session === undefined ? undefined : 'false')],
  ['kms:requestalias', (_request, { requestAlias }) => requestAlias],
]);

function calledVia(service: string | undefined): readonly string[] | undefined {
  return service === undefined ? undefined : [`${service}.amazonaws.com`];
}

function sessionTime(issuedMs: number | undefined): string | undefined {
  return issuedMs === undefined ? undefined : new Date(issuedMs).toISOString();
}
