/**
 * The table of condition keys, which the reference of operations shows, is what requests supply: each key that it names
 * comes with the operation, has the value of the request, and no other key comes.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import type { Caller } from '../../src/base/caller.ts';
import { CONDITION_KEYS, type ConditionKey } from '../../src/service/condition-keys.ts';
import type { OperationInput, OperationName } from '../../src/service/registry.ts';
import type { Decision } from '../../src/service/ports.ts';
import { declaredDemands, OPERATION_NAMES } from '../support/declared-demands.ts';
import { ACCOUNT, openEngine, OTHER_REGION, REGION, type OpenEngine } from '../support/doors.ts';
import { Nitro } from '../support/nitro.ts';
import { actionsOf, prepare, SAMPLES } from './access-samples.ts';
import type { Call } from './key-scenarios.ts';

const nitro = await Nitro.create();
const spki = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'der', type: 'spki' });
const PCRS = new Map(Array.from({ length: 16 }, (_, index) => [index, new Uint8Array(48).fill(index)]));
const pcr = (index: number): string => index.toString(16).padStart(2, '0').repeat(48);

const ROOT = rootOf(ACCOUNT);
const VIA = 's3';
const SOURCE = `arn:aws:s3:::${ACCOUNT}:bucket`.replace(':::', `:${REGION}:`);
const CONTEXT = { tenant: '42' };
const USE = { EncryptionContext: CONTEXT };
const DAY_MS = 86_400_000;

/** Members that a sample request lacks and condition keys are made of. */
const MORE: Readonly<Partial<Record<OperationName, object>>> = {
  CreateGrant: {
    GranteeServicePrincipal: 'a.s3.amazonaws.com',
    RetiringPrincipal: ROOT.arn,
    RetiringServicePrincipal: 'b.s3.amazonaws.com',
    Constraints: { EncryptionContextSubset: CONTEXT, SourceArn: SOURCE },
  },
  CreateKey: { MultiRegion: true, BypassPolicyLockoutSafetyCheck: true },
  Decrypt: USE,
  EnableKeyRotation: { RotationPeriodInDays: 100 },
  Encrypt: USE,
  GenerateDataKey: USE,
  GenerateDataKeyPair: USE,
  GenerateDataKeyPairWithoutPlaintext: USE,
  GenerateDataKeyWithoutPlaintext: USE,
  ImportKeyMaterial: { ExpirationModel: 'KEY_MATERIAL_EXPIRES' },
  PutKeyPolicy: { BypassPolicyLockoutSafetyCheck: true },
  ReEncrypt: { SourceEncryptionContext: CONTEXT, DestinationEncryptionContext: CONTEXT },
  ReplicateKey: { BypassPolicyLockoutSafetyCheck: true },
  ScheduleKeyDeletion: { PendingWindowInDays: 9 },
};

type Values = Readonly<Partial<Record<string, string | readonly string[]>>>;

const ENCRYPTION: Values = {
  'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
  'kms:EncryptionContext:tenant': '42',
  'kms:EncryptionContextKeys': ['tenant'],
};
const SIGNATURE: Values = { 'kms:MessageType': 'RAW', 'kms:SigningAlgorithm': 'ECDSA_SHA_256' };
const ENCLAVE: Values = {
  'kms:RecipientAttestation:ImageSha384': pcr(0),
  'kms:RecipientAttestation:PCR3': pcr(3),
};
const TPM: Values = { 'kms:RecipientAttestation:NitroTPMPCR3': pcr(3) };

/** What requests supply besides what their key is. */
const OWN_VALUES: Readonly<Partial<Record<OperationName, Values>>> = {
  CreateGrant: {
    'kms:EncryptionContext:tenant': '42',
    'kms:EncryptionContextKeys': ['tenant'],
    'kms:GrantConstraintSourceArn': SOURCE,
    'kms:GrantConstraintType': 'EncryptionContextSubset',
    'kms:GrantIsForAWSResource': 'true',
    'kms:GrantOperations': ['Encrypt'],
    'kms:GranteePrincipal': ROOT.arn,
    'kms:GranteeServicePrincipal': 'a.s3.amazonaws.com',
    'kms:RetiringPrincipal': ROOT.arn,
    'kms:RetiringServicePrincipal': 'b.s3.amazonaws.com',
  },
  CreateKey: { 'kms:BypassPolicyLockoutSafetyCheck': 'true' },
  Decrypt: ENCRYPTION,
  DeriveSharedSecret: { 'kms:KeyAgreementAlgorithm': 'ECDH' },
  DisableKey: { 'kms:TrailingDaysWithoutKeyUsage': '3' },
  EnableKeyRotation: { 'kms:RotationPeriodInDays': '100' },
  Encrypt: ENCRYPTION,
  GenerateDataKey: ENCRYPTION,
  GenerateDataKeyPair: { ...ENCRYPTION, 'kms:DataKeyPairSpec': 'ECC_NIST_P256' },
  GenerateDataKeyPairWithoutPlaintext: { ...ENCRYPTION, 'kms:DataKeyPairSpec': 'ECC_NIST_P256' },
  GenerateDataKeyWithoutPlaintext: ENCRYPTION,
  GenerateMac: { 'kms:MacAlgorithm': 'HMAC_SHA_256' },
  GetParametersForImport: { 'kms:WrappingAlgorithm': 'RSAES_OAEP_SHA_256', 'kms:WrappingKeySpec': 'RSA_2048' },
  ImportKeyMaterial: { 'kms:ExpirationModel': 'KEY_MATERIAL_EXPIRES' },
  ListGrants: { 'kms:GrantIsForAWSResource': 'true' },
  PutKeyPolicy: { 'kms:BypassPolicyLockoutSafetyCheck': 'true' },
  ReEncrypt: { ...ENCRYPTION, 'kms:ReEncryptOnSameKey': 'true' },
  ReplicateKey: { 'kms:BypassPolicyLockoutSafetyCheck': 'true', 'kms:ReplicaRegion': OTHER_REGION },
  RetireGrant: {
    'kms:EncryptionContext:tenant': '42',
    'kms:EncryptionContextKeys': ['tenant'],
    'kms:GrantConstraintType': 'EncryptionContextEquals',
  },
  RevokeGrant: { 'kms:GrantIsForAWSResource': 'true' },
  ScheduleKeyDeletion: {
    'kms:ScheduleKeyDeletionPendingWindowInDays': '9',
    'kms:TrailingDaysWithoutKeyUsage': '3',
  },
  Sign: SIGNATURE,
  UpdatePrimaryRegion: { 'kms:PrimaryRegion': OTHER_REGION },
  Verify: SIGNATURE,
  VerifyMac: { 'kms:MacAlgorithm': 'HMAC_SHA_256' },
};

/** A name of the table as it stands in a policy. */
const inPolicy = (key: ConditionKey): string => key.replace('<key>', 'tenant').replace('<n>', '3');
const ALL_KEYS = [...new Set(Object.values(CONDITION_KEYS).flat())].sort();

/** A question that authorization asked, put again for another caller. */
type Ask = (caller: Caller) => Promise<Decision>;

/** One request of an operation: what was asked, and the values that it must supply. */
interface Asked {
  readonly questions: readonly Ask[];
  readonly values: Values;
}

let open: OpenEngine;
const call: Call = (name, input) => open.engine.call(name, input, { caller: ROOT, region: REGION });

beforeAll(async () => {
  open = await openEngine({ attestationRoots: nitro.rootPem });
});

afterAll(async () => {
  await open.engine.close();
  open.remove();
});

/** Sends the request as the root user through a service, and keeps the questions about the operation's own actions. */
async function send(operation: OperationName, request: object): Promise<readonly Ask[]> {
  const { access } = open.engine;
  const decide = vi.spyOn(access, 'decide');
  const decideOnRetirement = vi.spyOn(access, 'decideOnRetirement');
  const input = request as OperationInput<typeof operation>;
  const failure = await open.engine
    .call(operation, input, { caller: ROOT, region: REGION, origin: { viaService: VIA } })
    .then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  expect(failure?.name).not.toBe('AccessDeniedException');
  const actions = operation === 'ReEncrypt' ? actionsOf(operation) : [`kms:${operation}`];
  const questions = [
    ...decide.mock.calls
      .filter(([asked]) => actions.includes(asked.action))
      .map(
        ([asked]): Ask =>
          async (caller) =>
            access.decide({ ...asked, caller }),
      ),
    ...decideOnRetirement.mock.calls.map(
      ([asked, grant]): Ask =>
        async (caller) =>
          access.decideOnRetirement({ ...asked, caller }, grant),
    ),
  ];
  decide.mockRestore();
  decideOnRetirement.mockRestore();
  expect(questions.length).toBeGreaterThan(0);
  return questions;
}

const ALIAS_MEMBERS = ['KeyId', 'SourceKeyId', 'DestinationKeyId'] as const;

/** A request of the operation with everything that it can have, one for each kind of recipient. */
async function ask(operation: OperationName): Promise<readonly Asked[]> {
  const sample = SAMPLES.find((each) => each.operation === operation);
  if (sample === undefined) {
    throw new Error(`access-samples.ts has no request of ${operation}`);
  }
  const { scenario } = sample;
  const multiRegion = scenario && { ...scenario, key: { ...scenario.key, MultiRegion: true } };
  const { request: plain, keyId } = await prepare({ ...sample, scenario: multiRegion }, call);
  const request: Record<string, unknown> = { ...plain, ...MORE[operation] };
  if (operation === 'ImportKeyMaterial') {
    request['ValidTo'] = new Date(open.clock.nowMs() + DAY_MS);
  }
  if (operation === 'RetireGrant' && keyId !== undefined) {
    const Constraints = { EncryptionContextEquals: CONTEXT };
    const grant = { KeyId: keyId, GranteePrincipal: ROOT.arn, Operations: ['Encrypt'] as const, Constraints };
    request['GrantId'] = (await call('CreateGrant', { ...grant, Operations: ['Encrypt'] })).GrantId;
  }
  const values: Record<string, string | readonly string[]> = { ...OWN_VALUES[operation] } as never;
  if (keyId !== undefined && operation !== 'ListAliases') {
    Object.assign(values, await nameKey(operation, keyId, request));
  }
  if (operation === 'CreateKey') {
    Object.assign(values, await keyValues(undefined));
  } else if (CONDITION_KEYS[operation].includes('kms:CallerAccount')) {
    values['kms:CallerAccount'] = ACCOUNT;
  }
  if (operation === 'ImportKeyMaterial') {
    values['kms:ValidTo'] = String(Math.floor((request['ValidTo'] as Date).getTime() / 1000));
  }
  // The attestation documents are of today.
  const idleMs = 'kms:TrailingDaysWithoutKeyUsage' in values ? 3 * DAY_MS : 0;
  open.clock.advanceMs(idleMs);
  const asked = await askEach(operation, request, values);
  open.clock.advanceMs(-idleMs);
  if (keyId === undefined || operation === 'ListAliases') {
    return asked;
  }
  // Aliases are looked up when a question is put, which is after the request.
  const { Aliases } = await call('ListAliases', { KeyId: keyId });
  const aliases = { 'kms:ResourceAliases': Aliases.map(({ AliasName }) => AliasName) };
  return asked.map((each) => ({ ...each, values: { ...each.values, ...aliases } }));
}

/** The request alone or, when it can have a recipient, with one of either kind. */
async function askEach(operation: OperationName, request: object, values: Values): Promise<readonly Asked[]> {
  if (!CONDITION_KEYS[operation].includes('kms:RecipientAttestation:ImageSha384')) {
    return [{ questions: await send(operation, request), values }];
  }
  const timestamp = open.clock.nowMs();
  const asked: Asked[] = [];
  for (const [pcrs, attested] of [
    [{ pcrs: PCRS }, ENCLAVE],
    [{ pcrs: undefined, nitrotpm_pcrs: PCRS }, TPM],
  ] as const) {
    const AttestationDocument = await nitro.document(spki, { timestamp, ...pcrs });
    const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument };
    asked.push({ questions: await send(operation, { ...request, Recipient }), values: { ...values, ...attested } });
  }
  return asked;
}

/** Gives the key an alias, and the request this name where it can have one. */
async function nameKey(operation: OperationName, keyId: string, request: Record<string, unknown>): Promise<Values> {
  const alias = `alias/name-of-${keyId}`;
  await call('CreateAlias', { AliasName: alias, TargetKeyId: keyId });
  const isNamed = declaredDemands(operation).some(({ forms }) => forms === 'any');
  if (isNamed) {
    for (const member of operation === 'ReEncrypt' ? ALIAS_MEMBERS.slice(1) : ALIAS_MEMBERS.slice(0, 1)) {
      request[member] = alias;
    }
  }
  return {
    ...(await keyValues(keyId)),
    ...(isNamed ? { 'kms:RequestAlias': alias } : {}),
    'kms:ViaService': `${VIA}.${REGION}.amazonaws.com`,
  };
}

/** What the key is; without one, what CreateKey makes of the sample. */
async function keyValues(KeyId: string | undefined): Promise<Values> {
  const made =
    KeyId === undefined ? await call('CreateKey', { MultiRegion: true }) : await call('DescribeKey', { KeyId });
  const { KeySpec, KeyUsage, Origin, MultiRegion, MultiRegionConfiguration } = made.KeyMetadata;
  return {
    'kms:CustomerMasterKeySpec': KeySpec,
    'kms:CustomerMasterKeyUsage': KeyUsage,
    'kms:KeyOrigin': Origin,
    'kms:KeySpec': KeySpec,
    'kms:KeyUsage': KeyUsage,
    'kms:MultiRegion': String(MultiRegion),
    'kms:MultiRegionKeyType': MultiRegionConfiguration?.MultiRegionKeyType ?? '',
  };
}

let users = 0;

/** A user who may do everything under a condition. */
async function userWith(condition: object): Promise<Caller> {
  const statement = { Effect: 'Allow', Action: 'kms:*', Resource: '*', Condition: condition };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const wanted = { accountId: ACCOUNT, kind: 'user', name: `user-${String(++users)}` } as const;
  return callerOf(await open.engine.identities.create(wanted, { policies: new Map([['condition', policy]]) }));
}

const present = new Map<ConditionKey, Promise<Caller>>();

/** A user who may do what comes with a condition key. */
function userWithPresent(key: ConditionKey): Promise<Caller> {
  const made = present.get(key) ?? userWith({ Null: { [inPolicy(key)]: 'false' } });
  present.set(key, made);
  return made;
}

async function isAllowed(questions: readonly Ask[], caller: Caller): Promise<boolean> {
  const decisions = await Promise.all(questions.map((question) => question(caller)));
  return decisions.some(({ effect }) => effect === 'allow');
}

/** Every value as the request has it. */
function equals(values: Values): object {
  const entries = Object.entries(values);
  const lists = Object.fromEntries(entries.filter(([, value]) => typeof value !== 'string'));
  return {
    StringEquals: Object.fromEntries(entries.filter(([, value]) => typeof value === 'string')),
    'ForAllValues:StringEquals': lists,
    'ForAnyValue:StringEquals': lists,
  };
}

describe.each(OPERATION_NAMES)('%s', (operation) => {
  let asked: readonly Asked[];

  beforeAll(async () => {
    asked = await ask(operation);
  });

  it('comes with the condition keys of the table, and with no others', async () => {
    const questions = asked.flatMap((each) => each.questions);
    const supplied: ConditionKey[] = [];
    for (const key of ALL_KEYS) {
      if (await isAllowed(questions, await userWithPresent(key))) {
        supplied.push(key);
      }
    }
    expect(supplied).toEqual([...CONDITION_KEYS[operation]].sort());
  });

  it('gives them the values of the request', async () => {
    const tested = new Set(asked.flatMap(({ values }) => Object.keys(values)));
    expect([...tested].sort()).toEqual(CONDITION_KEYS[operation].map(inPolicy).sort());
    for (const { questions, values } of asked) {
      expect(await isAllowed(questions, await userWith(equals(values)))).toBe(true);
      for (const [key, value] of Object.entries(values)) {
        const other = typeof value === 'string' ? 'other' : ['other'];
        expect([key, await isAllowed(questions, await userWith(equals({ [key]: other })))]).toEqual([key, false]);
      }
    }
  });
});

it('what a request leaves out counts with its default, or is absent where AWS lets policies ask whether it was given', async () => {
  const [encrypting] = await askEach(
    'Encrypt',
    { KeyId: (await call('CreateKey', {})).KeyMetadata.KeyId, Plaintext: Buffer.from('x') },
    {},
  );
  const [creating] = await askEach('CreateKey', {}, {});
  const absent = (key: string): Promise<Caller> => userWith({ Null: { [key]: 'true' } });
  const questions = creating?.questions ?? [];
  expect(await isAllowed(questions, await absent('kms:BypassPolicyLockoutSafetyCheck'))).toBe(true);
  expect(await isAllowed(questions, await absent('kms:MultiRegionKeyType'))).toBe(true);
  const defaults = {
    'kms:KeySpec': 'SYMMETRIC_DEFAULT',
    'kms:KeyUsage': 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': 'AWS_KMS',
  };
  expect(await isAllowed(questions, await userWith(equals({ ...defaults, 'kms:MultiRegion': 'false' })))).toBe(true);
  for (const key of ['kms:EncryptionContextKeys', 'kms:EncryptionContext:tenant', 'kms:RequestAlias']) {
    expect(await isAllowed(encrypting?.questions ?? [], await absent(key))).toBe(true);
  }
});
