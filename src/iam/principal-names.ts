import type { MaybePromise } from '../base/maybe-promise.ts';
import type { PrincipalKind, PrincipalRecord } from '../base/stored-records.ts';
import type { PrincipalDirectory } from '../service/ports.ts';

/** What names are looked up in. */
export interface NamedPrincipals {
  find(uniqueId: string): MaybePromise<PrincipalRecord | undefined>;
  findByName(accountId: string, kind: PrincipalKind, name: string): Promise<PrincipalRecord | undefined>;
  hasAny(accountId: string): Promise<boolean>;
}

/** A user, a role, or a session of a role, by ARN. */
const ARN = /^arn:aws[a-z-]*:(?:iam::(\d{12}):(user|role)\/(.+)|sts::(\d{12}):assumed-role\/([^/]+)\/(.+))$/;
/** A user or a role, or a session of a role, by unique id. */
const UNIQUE_ID = /^(A[A-Z0-9]{15,})(?::(.+))?$/;

/** A user or role that an ARN names, or of which it names a session. */
export interface NamedPrincipal {
  readonly accountId: string;
  readonly kind: 'user' | 'role';
  readonly name: string;
  readonly session: string | undefined;
}

/** Returns undefined for what names no user and no role. */
export function parsePrincipal(arn: string): NamedPrincipal | undefined {
  const match = ARN.exec(arn);
  if (match === null) {
    return undefined;
  }
  const [, ofPrincipal, kind, path, ofSession, role, session] = match;
  return {
    accountId: ofPrincipal ?? ofSession ?? '',
    kind: kind === 'user' ? 'user' : 'role',
    name: path ?? role ?? '',
    session,
  };
}

/** The users and roles of this store, behind the names that policies and grants have for them. */
export class PrincipalNames implements PrincipalDirectory {
  readonly #principals: NamedPrincipals;

  constructor(principals: NamedPrincipals) {
    this.#principals = principals;
  }

  async identify(name: string): Promise<string | undefined> {
    const [isId, uniqueId = ''] = UNIQUE_ID.exec(name) ?? [];
    if (isId !== undefined) {
      return (await this.#principals.find(uniqueId)) === undefined ? undefined : name;
    }
    const named = parsePrincipal(name);
    if (named === undefined) {
      return name;
    }
    const { accountId, session } = named;
    const found = await this.#principals.findByName(accountId, named.kind, named.name);
    if (found !== undefined && arnOf(found, session) === name) {
      return idOf(found.uniqueId, session);
    }
    return (await this.#principals.hasAny(accountId)) ? undefined : name;
  }

  async show(id: string): Promise<string> {
    const [, uniqueId, session] = UNIQUE_ID.exec(id) ?? [];
    const found = uniqueId === undefined ? undefined : await this.#principals.find(uniqueId);
    return found === undefined ? id : arnOf(found, session);
  }
}

function idOf(uniqueId: string, session: string | undefined): string {
  return session === undefined ? uniqueId : `${uniqueId}:${session}`;
}

function arnOf({ accountId, name, arn }: PrincipalRecord, session: string | undefined): string {
  return session === undefined ? arn : sessionArn(accountId, name, session);
}

/** ARN of a session of a role. */
export function sessionArn(accountId: string, role: string, session: string): string {
  return `arn:aws:sts::${accountId}:assumed-role/${role}/${session}`;
}
