/**
 * Grants: permissions on one key for one principal, and which of them can be given for which key.
 *
 * @source KMS Developer Guide, "Grants in AWS KMS"; KMS API Reference, CreateGrant
 */

export const GRANT_OPERATIONS = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const;
export type GrantOperation = (typeof GRANT_OPERATIONS)[number];

const OPERATION_NAMES: ReadonlySet<string> = new Set(GRANT_OPERATIONS);

/** Whether grants can allow the operation of this name. */
export function isGrantOperation(name: string): name is GrantOperation {
  return OPERATION_NAMES.has(name);
}

export interface GrantConstraints {
  readonly EncryptionContextSubset?: Readonly<Record<string, string>> | undefined;
  readonly EncryptionContextEquals?: Readonly<Record<string, string>> | undefined;
  readonly SourceArn?: string | undefined;
}

/** Who a grant is for, or who may retire it: a principal of an account, or a service. */
export interface GrantParty {
  readonly kind: 'principal' | 'service';
  /** ARN of the principal when it was named, or DNS name of the service. */
  readonly name: string;
  /** What callers are matched by instead, where the principal has one: somebody else may have its ARN later. */
  readonly uniqueId?: string | undefined;
}

/** What a party of a grant is recognised by. */
export function partyId({ name, uniqueId }: GrantParty): string {
  return uniqueId ?? name;
}

export interface Grant {
  readonly region: string;
  readonly keyId: string;
  /** 64 hexadecimal digits. */
  readonly grantId: string;
  readonly name: string | undefined;
  readonly grantee: GrantParty;
  readonly retiring: GrantParty | undefined;
  readonly issuingAccountId: string;
  readonly operations: readonly GrantOperation[];
  readonly constraints: GrantConstraints | undefined;
  readonly createdMs: number;
}

const ANY_KEY: readonly GrantOperation[] = ['DescribeKey', 'CreateGrant', 'RetireGrant'];

const BY_USAGE: Readonly<Record<string, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['Sign', 'Verify', 'GetPublicKey'],
  KEY_AGREEMENT: ['DeriveSharedSecret', 'GetPublicKey'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate', 'Decapsulate', 'GetPublicKey'],
};

const SYMMETRIC_ONLY: readonly GrantOperation[] = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
];

/** Whether a grant on a key of this spec and usage may allow `operation`. */
export function isGrantable(operation: GrantOperation, keySpec: string, keyUsage: string): boolean {
  const isSymmetric = keySpec === 'SYMMETRIC_DEFAULT';
  return (
    ANY_KEY.includes(operation) ||
    (BY_USAGE[keyUsage] ?? []).includes(operation) ||
    (isSymmetric && SYMMETRIC_ONLY.includes(operation)) ||
    (!isSymmetric && keyUsage === 'ENCRYPT_DECRYPT' && operation === 'GetPublicKey')
  );
}

const MAX_CONTEXT_PAIRS = 8;
const MAX_CONTEXT_CHARACTERS = 384;

/** Why constraints cannot stand in a grant on a key of this spec; undefined when they can. */
export function findConstraintProblem(constraints: GrantConstraints, keySpec: string): string | undefined {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints;
  if (equals !== undefined && subset !== undefined) {
    return 'Grant constraints cannot have both EncryptionContextEquals and EncryptionContextSubset.';
  }
  const context = equals ?? subset;
  if (context === undefined) {
    return undefined;
  }
  if (keySpec !== 'SYMMETRIC_DEFAULT') {
    return 'Encryption context constraints are only valid for symmetric encryption KMS keys.';
  }
  const entries = Object.entries(context);
  const characters = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return entries.length > MAX_CONTEXT_PAIRS || characters > MAX_CONTEXT_CHARACTERS
    ? 'An encryption context constraint has at most ' +
        `${String(MAX_CONTEXT_PAIRS)} pairs and ${String(MAX_CONTEXT_CHARACTERS)} characters.`
    : undefined;
}

const IAM_PRINCIPAL_ARN = /^arn:aws[a-z-]*:iam::\d{12}:(?:root|(?:user|role)\/[\w+=,.@/-]+)$/;
const SESSION_ARN = /^arn:aws[a-z-]*:sts::\d{12}:(?:assumed-role|federated-user)\/[\w+=,.@/-]+$/;

/** @source IAM User Guide, "IAM identifiers"; groups and organisations are no principals of grants */
export function isGrantPrincipal(arn: string): boolean {
  return IAM_PRINCIPAL_ARN.test(arn) || SESSION_ARN.test(arn);
}

/** The text that two grants share exactly when they have the same name and parameters: then they are one grant. */
export function grantFingerprint(grant: Omit<Grant, 'grantId' | 'createdMs'>): string {
  const sorted = (context: Readonly<Record<string, string>> | undefined): unknown =>
    context === undefined ? null : Object.entries(context).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([
    grant.name ?? null,
    grant.grantee.kind,
    partyId(grant.grantee),
    grant.retiring?.kind ?? null,
    grant.retiring === undefined ? null : partyId(grant.retiring),
    grant.issuingAccountId,
    [...new Set(grant.operations)].sort(),
    sorted(grant.constraints?.EncryptionContextEquals),
    sorted(grant.constraints?.EncryptionContextSubset),
    grant.constraints?.SourceArn ?? null,
  ]);
}
