/** The history of the store's tables. A released migration is never edited; a change is a new one behind the last. */
import { sql, type Kysely, type Migration, type MigrationProvider } from 'kysely';

/** SQLite checks the types of the columns of such a table. */
const strict = sql`strict`;

type Schema = Kysely<unknown>['schema'];

async function createKmsKeys(schema: Schema): Promise<void> {
  await schema
    .createTable('kms_keys')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('manager', 'text', (column) => column.notNull())
    .addColumn('key_spec', 'text', (column) => column.notNull())
    .addColumn('key_usage', 'text', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('policy', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('multi_region_type', 'text')
    .addColumn('multi_region', 'text')
    .addColumn('current_material_id', 'text')
    .addColumn('imported', 'text')
    .addColumn('material_expiry_ms', 'integer')
    .addColumn('rotation_period_days', 'integer')
    .addColumn('next_rotation_ms', 'integer')
    .addColumn('on_demand_rotations', 'integer', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addColumn('deletion_ms', 'integer')
    .addColumn('pending_window_days', 'integer')
    .addColumn('key_store_id', 'text')
    .addColumn('xks_key_id', 'text')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('kms_keys_pk', ['region', 'key_id'])
    .addForeignKeyConstraint('kms_keys_store', ['region', 'key_store_id'], 'custom_key_stores', ['region', 'store_id'])
    .modifyEnd(strict)
    .execute();
  await schema
    .createIndex('kms_keys_by_account')
    .on('kms_keys')
    // With the manager, so that counting needs the index alone.
    .columns(['region', 'account_id', 'key_id', 'manager'])
    .execute();
  await schema
    .createIndex('kms_keys_by_deletion')
    .on('kms_keys')
    .column('deletion_ms')
    .where(sql.ref('deletion_ms'), 'is not', null)
    .execute();
  await schema
    .createIndex('kms_keys_by_rotation')
    .on('kms_keys')
    .column('next_rotation_ms')
    .where(sql.ref('next_rotation_ms'), 'is not', null)
    .execute();
  await schema
    .createIndex('kms_keys_by_material_expiry')
    .on('kms_keys')
    .column('material_expiry_ms')
    .where(sql.ref('material_expiry_ms'), 'is not', null)
    .execute();
}

/** Also finds the keys of a store; several keys without an external key may be in one. */
async function createKeysByStore(schema: Schema): Promise<void> {
  await schema
    .createIndex('kms_keys_by_store')
    .unique()
    .on('kms_keys')
    .columns(['region', 'key_store_id', 'xks_key_id'])
    .where(sql.ref('key_store_id'), 'is not', null)
    .execute();
}

const IS_WHOLE_CLUSTER = sql`cluster_id is not null and trust_anchor_certificate is not null`;
const IS_WHOLE_PROXY = sql`
  connectivity is not null and uri_endpoint is not null and uri_path is not null and access_key_id is not null`;

async function createCustomKeyStores(schema: Schema): Promise<void> {
  const owner = ['region', 'account_id'] as const;
  await schema
    .createTable('custom_key_stores')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('store_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('cluster_id', 'text')
    .addColumn('trust_anchor_certificate', 'text')
    .addColumn('connectivity', 'text')
    .addColumn('uri_endpoint', 'text')
    .addColumn('uri_path', 'text')
    .addColumn('vpc_service_name', 'text')
    .addColumn('vpc_service_owner', 'text')
    .addColumn('access_key_id', 'text')
    .addColumn('sealed_secret', 'text', (column) => column.notNull())
    .addColumn('connection_state', 'text', (column) => column.notNull())
    .addColumn('connection_error_code', 'text')
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('custom_key_stores_pk', ['region', 'store_id'])
    .addUniqueConstraint('custom_key_stores_name', [...owner, 'name'])
    .addUniqueConstraint('custom_key_stores_cluster', [...owner, 'cluster_id'])
    .addUniqueConstraint('custom_key_stores_uri', [...owner, 'uri_endpoint', 'uri_path'])
    .addUniqueConstraint('custom_key_stores_vpc_service', [...owner, 'vpc_service_name'])
    .addCheckConstraint(
      'custom_key_stores_backing',
      sql`(type = 'AWS_CLOUDHSM' and ${IS_WHOLE_CLUSTER}) or (type = 'EXTERNAL_KEY_STORE' and ${IS_WHOLE_PROXY})`,
    )
    .modifyEnd(strict)
    .execute();
}

async function createKeyMaterials(schema: Schema): Promise<void> {
  await schema
    .createTable('key_materials')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('material_id', 'text', (column) => column.notNull())
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('wrapped', 'blob', (column) => column.notNull())
    .addColumn('region_key_version', 'integer', (column) => column.notNull())
    .addColumn('rotation_type', 'text')
    .addColumn('rotated_ms', 'integer')
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('key_materials_pk', ['region', 'key_id', 'material_id'])
    .addUniqueConstraint('key_materials_sequence', ['region', 'key_id', 'sequence'])
    .addForeignKeyConstraint('key_materials_key', ['region', 'key_id'], 'kms_keys', ['region', 'key_id'], (key) =>
      key.onDelete('cascade'),
    )
    .modifyEnd(strict)
    .execute();
}

async function createAliases(schema: Schema): Promise<void> {
  await schema
    .createTable('aliases')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('target_key_id', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addColumn('updated_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('aliases_pk', ['region', 'account_id', 'name'])
    .addForeignKeyConstraint('aliases_key', ['region', 'target_key_id'], 'kms_keys', ['region', 'key_id'])
    .modifyEnd(strict)
    .execute();
  await schema.createIndex('aliases_by_key').on('aliases').columns(['region', 'target_key_id', 'name']).execute();
}

async function createGrants(schema: Schema): Promise<void> {
  await schema
    .createTable('grants')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('grant_id', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('selector', 'text', (column) => column.notNull())
    .addColumn('name', 'text')
    .addColumn('grantee_kind', 'text', (column) => column.notNull())
    .addColumn('grantee', 'text', (column) => column.notNull())
    .addColumn('grantee_id', 'text', (column) => column.notNull())
    .addColumn('retiring_kind', 'text')
    .addColumn('retiring', 'text')
    .addColumn('retiring_id', 'text')
    .addColumn('issuing_account_id', 'text', (column) => column.notNull())
    .addColumn('operations', 'text', (column) => column.notNull())
    .addColumn('constraints', 'text')
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('grants_pk', ['region', 'key_id', 'grant_id'])
    .addForeignKeyConstraint('grants_key', ['region', 'key_id'], 'kms_keys', ['region', 'key_id'], (key) =>
      key.onDelete('cascade'),
    )
    .modifyEnd(strict)
    .execute();
  await schema.createIndex('grants_by_fingerprint').on('grants').columns(['region', 'key_id', 'fingerprint']).execute();
  await schema
    .createIndex('grants_by_grantee')
    .on('grants')
    .columns(['region', 'key_id', 'grantee_id', 'selector'])
    .execute();
  await schema.createIndex('grants_by_retiring').on('grants').columns(['region', 'retiring_id', 'grant_id']).execute();
}

async function createKeyLastUses(schema: Schema): Promise<void> {
  await schema
    .createTable('key_last_uses')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('key_id', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('used_ms', 'integer', (column) => column.notNull())
    .addColumn('request_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('key_last_uses_pk', ['region', 'key_id'])
    .addForeignKeyConstraint('key_last_uses_key', ['region', 'key_id'], 'kms_keys', ['region', 'key_id'], (key) =>
      key.onDelete('cascade'),
    )
    .modifyEnd(strict)
    .execute();
}

async function createHierarchy(schema: Schema): Promise<void> {
  await schema
    .createTable('root_keys')
    .addColumn('version', 'integer', (column) => column.primaryKey())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('parameters', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
  await schema
    .createTable('region_keys')
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('root_key_version', 'integer', (column) => column.notNull())
    .addColumn('wrapped', 'blob', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('region_keys_pk', ['region', 'version'])
    .modifyEnd(strict)
    .execute();
}

async function createAccessKeys(schema: Schema): Promise<void> {
  await schema
    .createTable('access_keys')
    .addColumn('access_key_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('principal_arn', 'text', (column) => column.notNull())
    .addColumn('principal_id', 'text', (column) => column.notNull())
    .addColumn('session', 'text')
    .addColumn('secret', 'blob', (column) => column.notNull())
    .addColumn('token_digest', 'blob')
    .addColumn('expires_ms', 'integer')
    .addColumn('is_active', 'integer', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
  await schema.createIndex('access_keys_by_principal').on('access_keys').column('principal_id').execute();
  await schema
    .createIndex('access_keys_by_expiry')
    .on('access_keys')
    .column('expires_ms')
    .where(sql.ref('expires_ms'), 'is not', null)
    .execute();
}

async function createPrincipals(schema: Schema): Promise<void> {
  await schema
    .createTable('principals')
    .addColumn('unique_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('arn', 'text', (column) => column.notNull())
    .addColumn('policies', 'text', (column) => column.notNull())
    .addColumn('permissions_boundary', 'text')
    .addColumn('trust_policy', 'text')
    .addColumn('max_session_seconds', 'integer')
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'integer', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addUniqueConstraint('principals_name', ['account_id', 'kind', 'name'])
    .modifyEnd(strict)
    .execute();
}

async function createOutbox(schema: Schema): Promise<void> {
  await schema
    .createTable('outbox')
    .addColumn('sequence', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('entity', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('entity_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('at_ms', 'integer', (column) => column.notNull())
    .modifyEnd(strict)
    .execute();
}

const first: Migration = {
  async up({ schema }: Kysely<unknown>): Promise<void> {
    await createCustomKeyStores(schema);
    await createKmsKeys(schema);
    await createKeysByStore(schema);
    await createKeyMaterials(schema);
    await createAliases(schema);
    await createGrants(schema);
    await createKeyLastUses(schema);
    await createHierarchy(schema);
    await createAccessKeys(schema);
    await createPrincipals(schema);
    await createOutbox(schema);
  },
};

export const MIGRATIONS: MigrationProvider = {
  getMigrations: () => Promise.resolve({ '0001-first-tables': first }),
};
