/**
 * The tables of the store, as Kysely sees them. Times are milliseconds since 1970; a Region is part of every key, so
 * that one database can hold many Regions.
 */
import type { Generated } from 'kysely';

export interface KmsKeyTable {
  region: string;
  key_id: string;
  account_id: string;
  manager: string;
  key_spec: string;
  key_usage: string;
  origin: string;
  state: string;
  description: string;
  policy: string;
  /** JSON list of [tag key, tag value]. */
  tags: string;
  multi_region_type: string | null;
  /** JSON of MultiRegionConfiguration. */
  multi_region: string | null;
  current_material_id: string | null;
  /** JSON of ImportedMaterials, bytes as base64; of keys of origin EXTERNAL. */
  imported: string | null;
  /** The first expiry of an imported material that is there. */
  material_expiry_ms: number | null;
  rotation_period_days: number | null;
  next_rotation_ms: number | null;
  on_demand_rotations: number;
  created_ms: number;
  deletion_ms: number | null;
  pending_window_days: number | null;
  key_store_id: string | null;
  /** Of a key in an external key store. */
  xks_key_id: string | null;
  version: number;
}

export interface KeyMaterialTable {
  region: string;
  key_id: string;
  material_id: string;
  /** Counts the materials of the key, from 1. */
  sequence: number;
  wrapped: Uint8Array;
  region_key_version: number;
  rotation_type: string | null;
  rotated_ms: number | null;
  created_ms: number;
}

export interface CustomKeyStoreTable {
  region: string;
  store_id: string;
  account_id: string;
  name: string;
  type: string;
  /** Of a CloudHSM store, as the next column. */
  cluster_id: string | null;
  trust_anchor_certificate: string | null;
  /** Of an external key store, as the next columns. */
  connectivity: string | null;
  uri_endpoint: string | null;
  uri_path: string | null;
  vpc_service_name: string | null;
  vpc_service_owner: string | null;
  access_key_id: string | null;
  /** Password or secret access key, sealed under the region key; bound to account, Region, store and its user. */
  sealed_secret: string;
  connection_state: string;
  connection_error_code: string | null;
  created_ms: number;
  version: number;
}

export interface AliasTable {
  region: string;
  account_id: string;
  name: string;
  target_key_id: string;
  created_ms: number;
  updated_ms: number;
}

export interface GrantTable {
  region: string;
  key_id: string;
  grant_id: string;
  /** What makes two grants the same one; see grantFingerprint. */
  fingerprint: string;
  /** What a request is matched with the grant by; see grantSelector. */
  selector: string;
  name: string | null;
  grantee_kind: string;
  grantee: string;
  /** What callers are matched by: a unique id, or the same as `grantee`. */
  grantee_id: string;
  retiring_kind: string | null;
  retiring: string | null;
  retiring_id: string | null;
  issuing_account_id: string;
  /** JSON list. */
  operations: string;
  /** JSON object. */
  constraints: string | null;
  created_ms: number;
}

/** One row for each key that was used. */
export interface KeyLastUseTable {
  region: string;
  key_id: string;
  operation: string;
  used_ms: number;
  request_id: string;
}

export interface RootKeyTable {
  version: number;
  /** Which provider made it, for example `passphrase-file`. */
  provider: string;
  /** What the provider needs to find or derive the key again, as JSON; never the key. */
  parameters: string;
  created_ms: number;
}

export interface RegionKeyTable {
  region: string;
  version: number;
  root_key_version: number;
  wrapped: Uint8Array;
  created_ms: number;
}

export interface AccessKeyTable {
  access_key_id: string;
  account_id: string;
  principal_arn: string;
  principal_id: string;
  /** JSON of CallerSession; null for long-term keys. */
  session: string | null;
  /** Wrapped; bound to access key id and account. */
  secret: Uint8Array;
  /** SHA-256 of the session token; null for long-term keys. */
  token_digest: Uint8Array | null;
  expires_ms: number | null;
  is_active: number;
  created_ms: number;
}

export interface PrincipalTable {
  unique_id: string;
  kind: string;
  account_id: string;
  name: string;
  arn: string;
  /** JSON list of [policy name, policy text]. */
  policies: string;
  permissions_boundary: string | null;
  trust_policy: string | null;
  max_session_seconds: number | null;
  /** JSON list of [tag key, tag value]. */
  tags: string;
  created_ms: number;
  version: number;
}

/** One row for every change, in the order of the commits; readers tail it to drop what they cached. */
export interface OutboxTable {
  sequence: Generated<number>;
  entity: 'key' | 'alias' | 'grant' | 'accessKey' | 'keyStore' | 'principal';
  region: string;
  /**
   * Key id, alias `<account>:<name>`, key id of a grant, access key id, id of a custom key store, or unique id of a
   * principal.
   */
  entity_id: string;
  version: number;
  at_ms: number;
}

export interface Database {
  kms_keys: KmsKeyTable;
  key_materials: KeyMaterialTable;
  custom_key_stores: CustomKeyStoreTable;
  aliases: AliasTable;
  grants: GrantTable;
  key_last_uses: KeyLastUseTable;
  root_keys: RootKeyTable;
  region_keys: RegionKeyTable;
  access_keys: AccessKeyTable;
  principals: PrincipalTable;
  outbox: OutboxTable;
}
