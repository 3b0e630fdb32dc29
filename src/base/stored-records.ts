/** Rows of the store that several parts of the layer above share: what one writes, another reads back unchanged. */

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
  readonly accountId: string;
  readonly principalArn: string;
  readonly principalId: string;
  /** Wrapped under a key derived from the root key; bound to access key id and account. */
  readonly secret: Uint8Array;
  readonly isActive: boolean;
  readonly createdMs: number;
}

/** The key hierarchy at rest. */
export interface HierarchyRecords {
  /** The newest root key. */
  findRootKey(): Promise<RootKeyRecord | undefined>;
  /** Returns false when that version is there already: another process was first. */
  insertRootKey(record: RootKeyRecord): Promise<boolean>;
  findRegionKeys(region: string): Promise<readonly RegionKeyRecord[]>;
  /** Returns false when that version is there already: another process was first. */
  insertRegionKey(record: RegionKeyRecord): Promise<boolean>;
}

/** Access keys at rest. */
export interface AccessKeyRecords {
  find(accessKeyId: string): Promise<AccessKeyRecord | undefined>;
  /** Inserts the record, or replaces the one with its id. */
  put(record: AccessKeyRecord): Promise<void>;
  /** Whether there is any access key, or any of one account. */
  hasAny(accountId?: string): Promise<boolean>;
  /** Calls `listener` with the id of every access key that changes, in whatever process. */
  onChange(listener: (accessKeyId: string) => void): void;
  /** Undefined when cached records may be used as they are, and otherwise a promise to wait for. */
  confirm(): Promise<void> | undefined;
}
