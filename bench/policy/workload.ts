import type { PolicySet } from '#policy/decide';

/** Policies as JSON has them, and one request that they allow. */
export interface PolicyWorkload {
  readonly policies: { readonly resource: object; readonly identity: readonly object[] };
  readonly request: {
    readonly principal: string;
    readonly action: string;
    readonly resource: string;
    readonly accountId: string;
    /** By condition key in lower case. */
    readonly context: Readonly<Record<string, string>>;
  };
}

/** What both sides answer with; a workload that is refused would be measured up to the refusal only. */
export const ALLOWED = 'Allowed';

export const NO_LIMITS: Pick<PolicySet, 'boundary' | 'session' | 'vpcEndpoint'> = {
  boundary: undefined,
  session: [],
  vpcEndpoint: undefined,
};

const ACCOUNT = '111122223333';
const ROOT = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
const VERSION = '2012-10-17';
const USE = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'];
const GRANTS = ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'];

const role = (name: string): string => `arn:aws:iam::${ACCOUNT}:role/${name}`;

const request: PolicyWorkload['request'] = {
  principal: `arn:aws:iam::${ACCOUNT}:user/shop`,
  action: 'kms:Decrypt',
  resource: `arn:aws:kms:us-east-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  accountId: ACCOUNT,
  context: {
    'aws:securetransport': 'true',
    'aws:userid': 'AIDAEXAMPLE',
    'aws:sourceip': '10.1.2.3',
    'aws:principaltag/team': 'shop',
    'aws:resourcetag/team': 'shop',
    'kms:encryptioncontext:app': 'shop',
    'kms:viaservice': 's3.us-east-1.amazonaws.com',
  },
};

/** The key policy that the console writes, which leaves it to the account, and an identity policy with conditions. */
export const TYPICAL: PolicyWorkload = {
  policies: {
    resource: {
      Version: VERSION,
      Statement: [
        { Sid: 'Account', Effect: 'Allow', Principal: ROOT, Action: 'kms:*', Resource: '*' },
        {
          Sid: 'Admins',
          Effect: 'Allow',
          Principal: { AWS: role('admin') },
          Action: ['kms:Create*', 'kms:Put*'],
          Resource: '*',
        },
        { Sid: 'Use', Effect: 'Allow', Principal: { AWS: [role('app'), role('job')] }, Action: USE, Resource: '*' },
        {
          Sid: 'Attach',
          Effect: 'Allow',
          Principal: { AWS: [role('app'), role('job')] },
          Action: GRANTS,
          Resource: '*',
          Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
        },
      ],
    },
    identity: [
      {
        Version: VERSION,
        Statement: [
          { Effect: 'Deny', Action: '*', Resource: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          {
            Effect: 'Allow',
            Action: USE,
            Resource: `arn:aws:kms:*:${ACCOUNT}:key/*`,
            Condition: {
              StringEquals: {
                'aws:ResourceTag/Team': '${aws:PrincipalTag/Team}',
                'kms:EncryptionContext:App': 'shop',
              },
              IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.168.0.0/16'] },
            },
          },
        ],
      },
    ],
  },
  request,
};

const STATEMENTS = 200;

/** As large as a key policy may be: 200 statements, most for another role each, the last of which allows. */
export const LARGE: PolicyWorkload = {
  policies: {
    resource: {
      Version: VERSION,
      Statement: Array.from({ length: STATEMENTS }, (_, index) => {
        const isLast = index === STATEMENTS - 1;
        return {
          Effect: index % 20 === 7 ? 'Deny' : 'Allow',
          Principal: { AWS: isLast ? request.principal : index % 10 === 7 ? ROOT.AWS : role(`r${index}`) },
          Action: index % 4 === 0 ? ['kms:Enc*'] : 'kms:Dec*',
          Resource: '*',
          Condition: isLast
            ? { StringLike: { 'kms:ViaService': 's3.*' } }
            : { StringEquals: { 'aws:userid': `a${index}` } },
        };
      }),
    },
    identity: [],
  },
  request,
};
