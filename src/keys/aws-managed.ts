/**
 * The services of AWS that have a predefined alias, `alias/aws/<name>`, and behind it an AWS managed key: one in each
 * account and Region, made when it is first asked for.
 *
 * @source KMS Developer Guide, "AWS managed keys" and "Default key policies"; the documentation of each service
 */
import { AWS_ALIAS_PREFIX } from './alias.ts';

export type KeyManager = 'AWS' | 'CUSTOMER';

/** @source KMS Developer Guide, "Rotate AWS KMS keys": every year, since May 2022 */
export const AWS_MANAGED_ROTATION_DAYS = 365;

export interface AwsService {
  /** What follows `alias/aws/`. */
  readonly name: string;
  /** What kms:ViaService begins with, before the Region; the name, but for EBS. */
  readonly viaService: string;
  /** As the key policy calls it. */
  readonly title: string;
  /** As the key's description calls what it protects. */
  readonly content: string;
  /** False for services that never hold a key longer than a request takes. */
  readonly usesGrants: boolean;
}

type Row = readonly [name: string, title: string, content: string, other?: Partial<AwsService>];

const ROWS: readonly Row[] = [
  ['acm', 'ACM', 'ACM private keys'],
  ['airflow', 'MWAA', 'MWAA data'],
  ['backup', 'Backup', 'Backup data'],
  ['cloud9', 'Cloud9', 'Cloud9 data'],
  ['codeartifact', 'CodeArtifact', 'CodeArtifact data'],
  ['codecommit', 'CodeCommit', 'CodeCommit data'],
  ['connect', 'Connect', 'Connect data'],
  ['dms', 'DMS', 'DMS replication instances'],
  ['dynamodb', 'Amazon DynamoDB', 'DynamoDB data'],
  ['ebs', 'EBS', 'EBS volumes', { viaService: 'ec2' }],
  ['elasticfilesystem', 'EFS', 'EFS filesystems'],
  ['es', 'OpenSearch Service', 'OpenSearch Service data'],
  ['fsx', 'FSx', 'FSx filesystems'],
  ['glue', 'Glue', 'Glue data'],
  ['kafka', 'Kafka', 'Kafka data'],
  ['kinesis', 'Kinesis', 'Kinesis data'],
  ['kinesisvideo', 'Kinesis Video Streams', 'kinesis video data'],
  ['lambda', 'AWS Lambda', 'Lambda functions'],
  ['lex', 'Lex', 'Lex data'],
  ['lightsail', 'Lightsail', 'Lightsail data'],
  ['mq', 'MQ', 'MQ data'],
  ['rds', 'RDS', 'RDS database volumes'],
  ['redshift', 'Redshift', 'Redshift clusters'],
  ['s3', 'S3', 'S3 objects', { usesGrants: false }],
  ['secretsmanager', 'AWS Secrets Manager', 'Secrets Manager data'],
  ['ses', 'SES', 'SES data'],
  ['sns', 'SNS', 'SNS data'],
  ['sqs', 'SQS', 'SQS messages'],
  ['ssm', 'SSM', 'SSM parameters', { usesGrants: false }],
  ['timestream', 'Timestream', 'Timestream data'],
  ['workmail', 'WorkMail', 'WorkMail data'],
  ['workspaces', 'WorkSpaces', 'WorkSpaces volumes'],
  ['xray', 'X-Ray', 'X-Ray data'],
];

/** By predefined alias, in the order of the aliases. */
const SERVICES: ReadonlyMap<string, AwsService> = new Map(
  ROWS.map(([name, title, content, other]) => [
    AWS_ALIAS_PREFIX + name,
    { name, viaService: name, title, content, usesGrants: true, ...other },
  ]),
);

/** All predefined aliases in the order of their names, whether they have a key yet or not. */
export const PREDEFINED_ALIASES: readonly string[] = [...SERVICES.keys()];

/** The service that an alias is predefined for. */
export function serviceOfAlias(alias: string): AwsService | undefined {
  return SERVICES.get(alias);
}

/** How AWS describes the key of a service. */
export function awsManagedKeyDescription({ content }: AwsService): string {
  return `Default key that protects my ${content} when no other key is defined`;
}
