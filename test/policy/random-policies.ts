/** Random policies and requests, small enough in their alphabet that they often meet. */
import type { ConditionValue } from '../../src/policy/condition-values.ts';
import {
  ACCOUNT,
  ALICE,
  BOB,
  FEDERATED,
  KEY,
  OTHER_ACCOUNT,
  OTHER_ROOT,
  ROLE,
  ROOT,
  SERVICE,
  SESSION,
  STRANGER,
} from './support.ts';

/** A policy as JSON has it. */
export interface PolicyJson {
  readonly Version: string;
  readonly Statement: readonly StatementJson[];
}

export type StatementJson = Readonly<Record<string, unknown>> & { readonly Effect: 'Allow' | 'Deny' };

export interface RandomPolicies {
  readonly resource: PolicyJson;
  readonly identity: readonly PolicyJson[];
  readonly boundary: PolicyJson | undefined;
  readonly session: PolicyJson | undefined;
  readonly vpcEndpoint: PolicyJson | undefined;
}

export interface RandomRequest {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** By condition key. */
  readonly context: Readonly<Record<string, ConditionValue>>;
}

/** Draws from a seed: the same seed, the same policies and requests. */
export class Draw {
  /** Whether also to draw what the oracle takes otherwise than the IAM User Guide: see oracle.test.ts. */
  readonly isDisputed: boolean;
  #state: number;

  constructor(seed: number, isDisputed = false) {
    this.#state = seed >>> 0;
    this.isDisputed = isDisputed;
  }

  /** At least 0, less than 1. Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  of<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#next() * items.length)]!;
  }

  /** From `least` to `most` items. */
  some<Item>(least: number, most: number, draw: () => Item): Item[] {
    const count = least + Math.floor(this.#next() * (most - least + 1));
    return Array.from({ length: count }, draw);
  }

  /** A list, or sometimes its only item. */
  oneOrMore<Item>(draw: () => Item): Item | Item[] {
    return this.chance(0.5) ? draw() : this.some(1, 3, draw);
  }
}

const ALIAS = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/shop`;
const CALLERS = [BOB, ALICE, SESSION, SESSION, STRANGER, SERVICE];
const TARGETS: readonly (readonly [action: string, resource: string])[] = [
  ['kms:Decrypt', KEY],
  ['kms:Decrypt', KEY],
  ['kms:Encrypt', KEY],
  ['kms:DescribeKey', KEY],
  ['kms:PutKeyPolicy', KEY],
];
const ACTIONS = [
  ...[
    '*',
    '*',
    'kms:*',
    'kms:*',
    'kms:Decrypt',
    'kms:decrypt',
    'KMS:De*',
    'kms:En*pt',
    'kms:?ecrypt',
    'kms:Put*',
    'kms:D*y',
  ],
  ...['s3:*', 's3:GetObject', 'kms:GetPublicKey', 'kms:*Key*'],
];
const RESOURCES = [
  ...['*', '*', '*', KEY, `arn:aws:kms:*:${ACCOUNT}:key/*`, 'arn:aws:kms:us-east-?:*:*', 'arn:aws:kms:us-west-2:*:*'],
  ...['arn:aws:kms:*:*:key/1234*890ab', `arn:aws:kms:us-*-1:${OTHER_ACCOUNT}:key/*`, 'arn:aws:kms:*:*:*', ALIAS],
  ...['arn:aws:kms:*:*:key/${aws:PrincipalTag/key}', "arn:aws:kms:*:*:key/${aws:PrincipalTag/none, '1234'}*"],
  ...[`arn:aws:kms::${ACCOUNT}:key/*`, 'arn:aws:s3:::bucket/*', 'arn:aws:kms:*:*:key/${*}*'],
];
const NOT_RESOURCES = RESOURCES.filter((resource) => !resource.includes('${aws:PrincipalTag/key}'));
const PRINCIPALS: readonly unknown[] = [
  '*',
  { AWS: '*' },
  { AWS: ROOT },
  { AWS: ROOT },
  { AWS: ACCOUNT },
  { AWS: OTHER_ROOT },
  { AWS: BOB },
  { AWS: [BOB, ROOT] },
  { AWS: [ALICE, STRANGER] },
  { AWS: ROLE },
  { AWS: [SESSION, ROLE, ROOT] },
  { AWS: SESSION },
  { Service: SERVICE },
  { AWS: STRANGER, Service: [SERVICE, 'ec2.amazonaws.com'] },
];

interface Family {
  readonly operators: readonly string[];
  readonly keys: readonly string[];
  readonly policyValues: readonly string[];
  readonly requestValues: readonly string[];
}

const FAMILIES: readonly Family[] = [
  {
    operators: ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    keys: ['aws:username', 'aws:PrincipalTag/team', 'aws:tagkeys', 'aws:userid'],
    policyValues: ['shop', 'Shop', 'bob', 's*', '${aws:userid}', "${aws:PrincipalTag/none, 'shop'}", 'x${aws:userid}'],
    requestValues: ['shop', 'SHOP', 'bob', 's*', 'xbob'],
  },
  {
    operators: ['StringLike', 'StringNotLike'],
    keys: ['aws:username', 'aws:PrincipalTag/team', 'aws:TagKeys', 'aws:userid'],
    policyValues: ['s*', '?o?', '*', 'b${*}b', '*${?}', '${aws:userid}*', 's??p', "${aws:PrincipalTag/none, 's'}*"],
    requestValues: ['shop', 'bob', 's*', 'b*b', 'what?', ''],
  },
  {
    operators: [
      ...['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals'],
      ...['NumericGreaterThan', 'NumericGreaterThanEquals'],
    ],
    keys: ['aws:MultiFactorAuthAge'],
    policyValues: ['5', '5.0', '10', '-3', '7.25'],
    requestValues: ['5', '9', '10', '-3', '7.25'],
  },
  {
    operators: [
      ...['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan'],
      'DateGreaterThanEquals',
    ],
    keys: ['aws:CurrentTime'],
    policyValues: ['2026-01-01', '2026-01-01T00:00:00Z', '2026-01-01T02:00:00+01:00', '2026-02-01T00:00:00.500Z'],
    requestValues: ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', '2026-03-01T00:00:00Z'],
  },
  {
    operators: ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateGreaterThanEquals', 'NumericLessThan'],
    keys: ['aws:EpochTime'],
    policyValues: ['1767225600', '1767225601'],
    requestValues: ['1767225600', '1767225601', '1767225602'],
  },
  {
    operators: ['Bool'],
    keys: ['aws:SecureTransport', 'aws:ViaAWSService'],
    policyValues: ['true', 'false', 'True'],
    requestValues: ['true', 'false', 'TRUE'],
  },
  {
    operators: ['IpAddress', 'NotIpAddress'],
    keys: ['aws:SourceIp'],
    policyValues: ['10.0.0.0/8', '10.1.2.0/23', '0.0.0.0/1', '2001:db8::/32', '2001:db8:8000::/33', '10.1.2.3/32'],
    requestValues: ['10.1.2.3', '10.1.3.255', '192.0.2.7', '2001:db8::1', '2001:db8:8000::2'],
  },
  {
    operators: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'],
    keys: ['aws:PrincipalArn', 'aws:SourceArn'],
    policyValues: [BOB, 'arn:aws:iam::*:user/*', `arn:*:iam::${ACCOUNT}:role/?ps`, 'arn:aws:iam::*:user/${aws:userid}'],
    requestValues: [BOB, ALICE, ROLE, STRANGER, 'arn:aws:s3:::bucket/a:b'],
  },
];

/** Drawn only together with what the oracle takes otherwise. */
const DISPUTED = {
  callers: [ROOT, FEDERATED],
  resources: ['arn:aws:kms:*', 'arn:*', 'arn:aws:kms:us*', 'arn:aws:kms:*:*:key/${aws:PrincipalTag/key}'],
  policyValues: [
    ...['${aws:PrincipalTag/none}', '${*}', '${aws:TagKeys}', '7e1', '1767225600', '2001:db8::1', '10.1.2.3', ''],
    ...['not comparable', 'arn:aws:iam::*', "${aws:TagKeys, 'shop'}"],
  ],
};

const MULTI_VALUED = new Set(['aws:tagkeys']);
/** Always in the request, so that a variable may stand in negated comparisons. */
const ALWAYS = 'aws:userid';

function drawPolicyValue(draw: Draw, { policyValues }: Family): string {
  return draw.of(draw.isDisputed && draw.chance(0.3) ? DISPUTED.policyValues : policyValues);
}

function drawCondition(draw: Draw): Readonly<Record<string, unknown>> {
  const clauses = draw.some(1, 2, () => {
    const family = draw.of(FAMILIES);
    const key = draw.of(family.keys);
    if (draw.chance(0.1)) {
      return ['Null', key, draw.of(['true', 'false'])] as const;
    }
    const isList = MULTI_VALUED.has(key.toLowerCase());
    const prefix = draw.chance(isList ? 0.9 : 0.05) ? draw.of(['ForAllValues:', 'ForAnyValue:']) : '';
    const suffix = draw.chance(0.25) ? 'IfExists' : '';
    const operator = `${prefix}${draw.of(family.operators)}${suffix}`;
    return [operator, key, draw.oneOrMore(() => drawPolicyValue(draw, family))] as const;
  });
  return Object.fromEntries(clauses.map(([operator, key, value]) => [operator, { [key]: value }]));
}

function drawStatement(draw: Draw, hasPrincipal: boolean): StatementJson {
  const isNegativePrincipal = hasPrincipal && draw.chance(0.1);
  return {
    Effect: draw.chance(0.88) ? 'Allow' : 'Deny',
    ...(hasPrincipal ? { [isNegativePrincipal ? 'NotPrincipal' : 'Principal']: draw.of(PRINCIPALS) } : {}),
    [draw.chance(0.85) ? 'Action' : 'NotAction']: draw.oneOrMore(() => draw.of(ACTIONS)),
    ...(draw.chance(0.9)
      ? { Resource: draw.oneOrMore(() => draw.of(RESOURCES)) }
      : { NotResource: draw.oneOrMore(() => draw.of(draw.isDisputed ? DISPUTED.resources : NOT_RESOURCES)) }),
    ...(draw.chance(0.4) ? { Condition: drawCondition(draw) } : {}),
  };
}

function drawPolicy(draw: Draw, hasPrincipal = false): PolicyJson {
  const version = draw.isDisputed && draw.chance(0.2) ? '2008-10-17' : '2012-10-17';
  return { Version: version, Statement: draw.some(1, 4, () => drawStatement(draw, hasPrincipal)) };
}

/** An endpoint policy for everybody: the oracle takes no other. */
function drawEndpointPolicy(draw: Draw): PolicyJson {
  const { Version, Statement } = drawPolicy(draw);
  return { Version, Statement: Statement.map((statement) => ({ ...statement, Principal: '*' })) };
}

export function drawPolicies(draw: Draw): RandomPolicies {
  return {
    resource: drawPolicy(draw, true),
    identity: draw.some(0, 2, () => drawPolicy(draw)),
    boundary: draw.chance(0.2) ? drawPolicy(draw) : undefined,
    session: draw.chance(0.2) ? drawPolicy(draw) : undefined,
    vpcEndpoint: draw.chance(0.15) ? drawEndpointPolicy(draw) : undefined,
  };
}

export function drawRequest(draw: Draw): RandomRequest {
  const [action, resource] = draw.of(TARGETS);
  const entries = FAMILIES.flatMap(({ keys, requestValues }) =>
    keys
      .filter((key) => key === ALWAYS || draw.chance(0.7))
      .map((key): readonly [string, ConditionValue] => [
        key.toLowerCase(),
        MULTI_VALUED.has(key.toLowerCase())
          ? draw.some(1, 3, () => draw.of(requestValues))
          : draw.of(requestValues.filter((value) => key !== ALWAYS || value !== '')),
      ]),
  );
  const tags = draw.chance(0.5) ? { 'aws:principaltag/key': '1234abcd-12ab-34cd-56ef-1234567890ab' } : {};
  const callers = draw.isDisputed ? [...CALLERS, ...DISPUTED.callers] : CALLERS;
  return { principal: draw.of(callers), action, resource, context: { ...Object.fromEntries(entries), ...tags } };
}
