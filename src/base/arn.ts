/**
 * Amazon Resource Names of KMS: `arn:<partition>:kms:<region>:<account>:key/<id>` and `…:alias/<name>`.
 *
 * @source KMS Developer Guide, "Key identifiers (KeyId)"
 */

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eusc-', 'aws-eusc'],
];

export function partitionOf(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

export interface KmsArn {
  readonly partition: string;
  readonly region: string;
  readonly accountId: string;
  /** `key/<id>` or `alias/<name>`. */
  readonly resource: string;
}

const KMS_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):((?:key|alias)\/.+)$/;

/** Returns undefined for anything that is not the ARN of a KMS key or alias. */
export function parseKmsArn(text: string): KmsArn | undefined {
  const match = KMS_ARN.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, partition = '', region = '', accountId = '', resource = ''] = match;
  return { partition, region, accountId, resource };
}

export function keyArn(region: string, accountId: string, keyId: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${accountId}:key/${keyId}`;
}

/** `name` includes its `alias/` prefix. */
export function aliasArn(region: string, accountId: string, name: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${accountId}:${name}`;
}
