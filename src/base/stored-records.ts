/** Rows of the store that several parts of the layer above share: what one writes, another reads back unchanged. */

import type { Caller } from './caller.ts';

/** A root key, which the store never holds: only where it comes from. */
export interface RootKeyRecord {
  readonly version: number;
  /** Which provider made it, for example `passphrase-file`. */
  readonly provider: string;
  /** JSON of what the provider needs to find or derive the key again; never the key. */
  readonly parameters: string;
  readonly createdMs: number;
}

export interface RegionKeyRecord {
  readonly region: string;
  readonly version: number;
  readonly rootKeyVersion: number;
  /** The region key under the root key, bound to Region and version. */
  readonly wrapped: Uint8Array;
  readonly createdMs: number;
}

export interface AccessKeyRecord {
  readonly accessKeyId: string;
  readonly identity: Caller;
  /** Wrapped under a key derived from the root key; bound to access key id and account. */
  readonly secret: Uint8Array;
  readonly isActive: boolean;
  readonly createdMs: number;
  /** Present for the temporary credentials of a session. */
  readonly temporary: TemporaryCredential | undefined;
}

export interface TemporaryCredential {
  /** SHA-256 of the session token. */
  readonly tokenDigest: Uint8Array;
  readonly expiresMs: number;
}

export type PrincipalKind = 'user' | 'role' | 'service';

/** A principal with what it may do. Immutable: a change makes a new value with the next `version`. */
export interface PrincipalRecord {
  /** `AIDA…` for users, `AROA…` for roles, the DNS name for services; never used again after a deletion. */
  readonly uniqueId: string;
  readonly kind: PrincipalKind;
  /** 12 digits; for a service the account that runs it. */
  readonly accountId: string;
  readonly name: string;
  readonly arn: string;
  /** Inline policies: JSON text by name. */
  readonly policies: ReadonlyMap<string, string>;
  readonly permissionsBoundary: string | undefined;
  /** Who may assume a role, by unique id; present for roles only. */
  readonly trustPolicy: string | undefined;
  /** The longest session of a role, in seconds. */
  readonly maxSessionSeconds: number | undefined;
  readonly tags: ReadonlyMap<string, string>;
  readonly createdMs: number;
  /** Counts the changes, from 1. */
  readonly version: number;
}

/** The key hierarchy at rest. */
export interface HierarchyRecords {
  /** The root key of this version; by default the newest. */
  findRootKey(version?: number): Promise<RootKeyRecord | undefined>;
  /** Returns false when that version is there already: another process was first. */
  insertRootKey(record: RootKeyRecord): Promise<boolean>;
  /** All region keys, or those of one Region. */
  findRegionKeys(region?: string): Promise<readonly RegionKeyRecord[]>;
  /** Returns false when that version is there already, or its root key is not the newest: another process was first. */
  insertRegionKey(record: RegionKeyRecord): Promise<boolean>;
  /**
   * Inserts a new root key together with all region keys under it, as one change.
   *
   * @returns false, with nothing changed, when another root key came meanwhile, or a region key that is not among them
   */
  replaceRootKey(record: RootKeyRecord, regionKeys: readonly RegionKeyRecord[]): Promise<boolean>;
}

/** Principals at rest. */
export interface PrincipalRecords {
  find(uniqueId: string): Promise<PrincipalRecord | undefined>;
  findByName(accountId: string, kind: PrincipalKind, name: string): Promise<PrincipalRecord | undefined>;
  /** All principals, or those of one account, by account, kind and name. */
  list(accountId?: string): Promise<readonly PrincipalRecord[]>;
  /** Whether an account has any principal. */
  hasAny(accountId: string): Promise<boolean>;
  /** Returns false when the unique id or the name is taken. */
  insert(record: PrincipalRecord): Promise<boolean>;
  /** Returns false when the stored version is not the one before `record.version`. */
  update(record: PrincipalRecord): Promise<boolean>;
  /** Deletes the principal with its access keys and sessions; false when there is none at this version. */
  delete(record: PrincipalRecord): Promise<boolean>;
  /** Calls `listener` with the unique id of every principal that changes, in whatever process. */
  onChange(listener: (uniqueId: string) => void): void;
  /** Undefined when cached records may be used as they are, and otherwise a promise to wait for. */
  confirm(): Promise<void> | undefined;
}

/** Access keys at rest. */
export interface AccessKeyRecords {
  find(accessKeyId: string): Promise<AccessKeyRecord | undefined>;
  /**
   * Inserts the record, or replaces the one with its id; false when its principal is gone. Root users have no record,
   * and are always there.
   */
  put(record: AccessKeyRecord): Promise<boolean>;
  /** Returns false when there was no such access key. */
  setActive(accessKeyId: string, isActive: boolean): Promise<boolean>;
  /** Returns false when there was no such access key. */
  delete(accessKeyId: string): Promise<boolean>;
  /** The long-term access keys of one principal, oldest first. */
  listOfPrincipal(principalId: string): Promise<readonly AccessKeyRecord[]>;
  /** Deletes what expired at or before `nowMs`; returns how many there were. */
  deleteExpired(nowMs: number): Promise<number>;
  /** Whether there is any access key, or any of one account. */
  hasAny(accountId?: string): Promise<boolean>;
  /** Calls `listener` with the id of every access key that changes, in whatever process. */
  onChange(listener: (accessKeyId: string) => void): void;
  /** Undefined when cached records may be used as they are, and otherwise a promise to wait for. */
  confirm(): Promise<void> | undefined;
}

/** What a process asks of a token bucket. */
export interface QuotaDemand {
  readonly bucket: string;
  /** How many tokens at most. */
  readonly wanted: number;
  readonly perSecond: number;
  /** How many tokens the bucket holds when it is full. */
  readonly capacity: number;
  readonly nowMs: number;
}

/** Token buckets that all processes on a store share. */
export interface QuotaRecords {
  /** Takes as many of the wanted tokens as there are; a bucket that was never asked is full. */
  take(demand: QuotaDemand): number;
}
