/**
 * Which operation works in which key state, as data, in the notation of the table that AWS publishes.
 *
 * @source KMS Developer Guide, "Key states of AWS KMS keys"
 */

/** Columns of the table; `PD` is PendingDeletion and PendingReplicaDeletion. */
export const COLUMNS = ['Enabled', 'Disabled', 'PD', 'PendingImport', 'Unavailable', 'Creating', 'Updating'] as const;
export type Column = (typeof COLUMNS)[number];

interface Row {
  readonly operations: readonly string[];
  readonly cells: Readonly<Record<Column, string>>;
}

function row(operations: string, ...cells: readonly string[]): Row {
  if (cells.length !== COLUMNS.length) {
    throw new Error(`the row of ${operations} has ${String(cells.length)} cells`);
  }
  return {
    operations: operations.split(', '),
    cells: Object.fromEntries(COLUMNS.map((column, index) => [column, cells[index]])) as Record<Column, string>,
  };
}

/**
 * A cell is `ok`, `N/A` (no key that the operation is for can have the state), or a footnote: `[n]` refuses, `?n`
 * refuses some keys, `ok[n]` does not refuse. Where the table allows two errors, the cell is the one that AWS answers.
 * Rows without a published counterpart (Encapsulate, Decapsulate, GetKeyLastUsage) are taken from their kin.
 */
const ROWS: readonly Row[] = [
  row('CancelKeyDeletion', '[4]', '[4]', 'ok', '[4]', '[4]', '[4]', '[4]'),
  row('CreateAlias', 'ok', 'ok', '[3]', 'ok', 'ok', 'ok', 'ok'),
  row('CreateGrant', 'ok', '[1]', '[3]', '[5]', 'ok', '[14]', 'ok'),
  row(
    'Decrypt, Encrypt, ReEncrypt (source), ReEncrypt (destination)',
    ...['ok', '[1]', '[3]', '[5]', '[11]', '[14]', 'ok'],
  ),
  row('DeleteAlias', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('DeleteImportedKeyMaterial', '?9', '?9', '?9', 'ok', 'N/A', '[14]', '[15]'),
  row('DeriveSharedSecret', 'ok', '[1]', '[3]', '[5]', 'N/A', '[14]', 'ok'),
  row('DescribeKey', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('DisableKey, EnableKey', 'ok', 'ok', '[3]', '[5]', 'ok[12]', '[14]', '[15]'),
  row('DisableKeyRotation, EnableKeyRotation', '?7', '[1]', '[3]', '[6]', '[7]', '[14]', '?7'),
  row('GenerateDataKey, GenerateDataKeyWithoutPlaintext', 'ok', '[1]', '[3]', '[5]', '[11]', '[14]', 'ok'),
  row('GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext', 'ok', '[1]', '[3]', '[5]', '[7]', '[14]', 'ok'),
  row('GenerateMac, VerifyMac, Sign, Verify', 'ok', '[1]', '[3]', '[5]', 'N/A', '[14]', 'ok'),
  row('Encapsulate, Decapsulate', 'ok', '[1]', '[3]', '[5]', 'N/A', '[14]', 'ok'),
  row('GetKeyLastUsage', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('GetKeyPolicy, ListKeyPolicies, PutKeyPolicy', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('GetKeyRotationStatus', '?7', '?7', '?7', '[6]', '[7]', '?7', '?7'),
  row('GetParametersForImport', '?9', '?9', '[8]', 'ok', '[9]', '[14]', '[15]'),
  row('GetPublicKey', 'ok', 'ok', '[3]', 'ok', 'N/A', '[14]', 'ok'),
  row('ImportKeyMaterial', '?9', '?9', '[8]', 'ok', '[9]', '[14]', 'ok'),
  row('ListAliases, ListGrants, ListResourceTags', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('ListKeyRotations', '?7', '?7', '?7', 'ok', '[7]', '?7', '?7'),
  row('ReplicateKey', 'ok', '[1]', '[3]', '[5]', 'N/A', '[14]', '[15]'),
  row('RetireGrant, RevokeGrant', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('RotateKeyOnDemand', '?7', '[1]', '[3]', '[5]', '[7]', '[14]', '?7'),
  row('ScheduleKeyDeletion', 'ok', 'ok', '[3]', 'ok', 'ok', 'ok', '[15]'),
  row('TagResource, UntagResource, UpdateKeyDescription', 'ok', 'ok', '[3]', 'ok', 'ok', 'ok', 'ok'),
  row('UpdateAlias (old target)', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'),
  row('UpdateAlias (new target)', 'ok', 'ok', '[3]', 'ok', 'ok', 'ok', 'ok'),
  row('UpdatePrimaryRegion', 'ok', '[1]', '[3]', '[5]', 'N/A', '[14]', 'ok'),
];

/** The cells of each operation, by its name; by name and role where it is about two keys. */
export const KEY_STATE_TABLE: ReadonlyMap<string, Row['cells']> = new Map(
  ROWS.flatMap(({ operations, cells }) => operations.map((operation) => [operation, cells] as const)),
);
