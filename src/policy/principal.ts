import type { Caller } from '../base/caller.ts';
import type { ConditionValues } from './condition-values.ts';

/**
 * What a caller is:
 * - `root`: the account itself, signed in as its root user;
 * - `user`, `role-session`, `federated-user`: principals of an account;
 * - `service`: an AWS service that acts for itself; `arn` is its name, such as `s3.amazonaws.com`;
 * - `provider`: somebody whom an identity provider vouches for, before a role is taken; `arn` is the provider's name.
 *
 * @source IAM User Guide, "AWS JSON policy elements: Principal"
 */
export type PrincipalKind = 'root' | 'user' | 'role-session' | 'federated-user' | 'service' | 'provider';

/** The caller of a request as policies see it. */
export interface Principal extends Caller {
  readonly kind: PrincipalKind;
  /** The role of a role session, or the user who issued a federated session. */
  readonly issuer?: Pick<Caller, 'arn' | 'principalId'> | undefined;
  /** Tags of the user or role, with those of the session before them. */
  readonly tags?: ReadonlyMap<string, string>;
}

const ASSUMED_ROLE = /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)\//;

/**
 * What the ARN tells of a caller. A session does not tell the path of its role: the role is taken to have none.
 *
 * @source IAM User Guide, "IAM identifiers"
 */
export function principalOf(caller: Caller): Principal {
  const role = ASSUMED_ROLE.exec(caller.arn);
  if (role !== null) {
    const [, partition = '', accountId = '', name = ''] = role;
    const [roleId = ''] = caller.principalId.split(':');
    const issuer = { arn: `arn:${partition}:iam::${accountId}:role/${name}`, principalId: roleId };
    return { ...caller, kind: 'role-session', issuer };
  }
  if (!caller.arn.startsWith('arn:')) {
    return { ...caller, kind: 'service' };
  }
  const resource = caller.arn.split(':')[5] ?? '';
  const kind = resource === 'root' ? 'root' : resource.startsWith('federated-user/') ? 'federated-user' : 'user';
  return { ...caller, kind };
}

const PRINCIPAL_TYPES: Readonly<Record<PrincipalKind, string | undefined>> = {
  root: 'Account',
  user: 'User',
  'role-session': 'AssumedRole',
  'federated-user': 'FederatedUser',
  service: undefined,
  provider: undefined,
};

const PRINCIPAL_TAG = 'aws:principaltag/';

/**
 * The condition keys that follow from the caller alone.
 *
 * @source IAM User Guide, "AWS global condition context keys", properties of the principal
 */
export function principalValues(principal: Principal): ConditionValues {
  const { kind, arn, accountId, principalId, issuer, tags } = principal;
  const isOfAccount = PRINCIPAL_TYPES[kind] !== undefined;
  return {
    get(key) {
      switch (key) {
        case 'aws:principalarn':
          return isOfAccount ? (kind === 'role-session' ? (issuer?.arn ?? arn) : arn) : undefined;
        case 'aws:principalaccount':
          return isOfAccount ? accountId : undefined;
        case 'aws:principaltype':
          return PRINCIPAL_TYPES[kind];
        case 'aws:userid':
          return isOfAccount ? principalId : undefined;
        case 'aws:username':
          return kind === 'user' ? arn.slice(arn.lastIndexOf('/') + 1) : undefined;
        case 'aws:principalisawsservice':
          return String(kind === 'service');
        case 'aws:principalservicename':
          return kind === 'service' ? arn : undefined;
        default:
          return key.startsWith(PRINCIPAL_TAG) && tags !== undefined
            ? findTag(tags, key.slice(PRINCIPAL_TAG.length))
            : undefined;
      }
    },
  };
}

/** Tag names in condition keys do not depend on letter case. */
function findTag(tags: ReadonlyMap<string, string>, lowerName: string): string | undefined {
  for (const [name, value] of tags) {
    if (name.toLowerCase() === lowerName) {
      return value;
    }
  }
  return undefined;
}
