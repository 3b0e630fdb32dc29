/** How a request may name a key, how a refusal reads, and how an answer names it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KmsServiceError } from '../../src/base/errors.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import { readOutputs } from '../docs/operation-outputs.ts';
import { declaredDemands, OPERATION_NAMES } from '../support/declared-demands.ts';
import { ACCOUNT, openEngine, OTHER_ACCOUNT, OTHER_REGION, REGION, type OpenEngine } from '../support/doors.ts';
import { expectError } from '../support/expect-error.ts';
import { base64, sampleStructure } from '../support/sample-request.ts';
import { newKeyId, SCENARIOS, type Call } from './key-scenarios.ts';

const context = { caller: rootOf(ACCOUNT), region: REGION };
const stranger = { caller: rootOf(OTHER_ACCOUNT), region: REGION };

let open: OpenEngine;
const call: Call = (name, input) => open.engine.call(name, input, context);

const arnOf = (resource: string, { account = ACCOUNT, region = REGION, partition = 'aws' } = {}): string =>
  `arn:${partition}:kms:${region}:${account}:${resource}`;

const UNKNOWN_ID = '12345678-1234-1234-1234-123456789012';
const aliasOf = (keyId: string): string => `alias/of-${keyId}`;
/** A key of another account, which has the alias `alias/foreign`. */
let foreignId: string;
/** A key of the own account that no request may change, with the alias `alias/own`. */
let sharedId: string;
let outputs: ReturnType<typeof readOutputs>;

beforeAll(async () => {
  outputs = readOutputs();
  open = await openEngine();
  sharedId = await newNamedKey();
  await call('CreateAlias', { AliasName: 'alias/own', TargetKeyId: sharedId });
  foreignId = (await open.engine.call('CreateKey', {}, stranger)).KeyMetadata.KeyId;
  await open.engine.call('CreateAlias', { AliasName: 'alias/foreign', TargetKeyId: foreignId }, stranger);
});

afterAll(async () => {
  await open.engine.close();
  open.remove();
});

/** @source KMS Developer Guide, "Key identifiers (KeyId)"; KMS API Reference, the KeyId of each operation */
const TAKES_ALIASES: ReadonlySet<string> = new Set([
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'DescribeKey',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetPublicKey',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
]);

/** Members that name a key, of all operations. */
const NAMERS = OPERATION_NAMES.flatMap((operation) =>
  declaredDemands(operation)
    .filter(({ member }) => member in OPERATIONS[operation].input.shape.members)
    .map(({ member, action }) => ({ operation, member, action })),
);

/** What a request needs beyond its required members to come as far as its key. */
const more = (operation: OperationName, keyId: string): object | undefined =>
  ({
    Decrypt: { CiphertextBlob: base64(1) },
    ReEncrypt: { CiphertextBlob: base64(1), SourceKeyId: keyId },
    RetireGrant: { GrantId: 'unknown' },
    CreateAlias: { AliasName: `alias/new-${keyId}` },
    UpdateAlias: { AliasName: aliasOf(keyId) },
  })[operation as string];

/** What the request is answered with; the names of its own key are taken out of the text. */
async function outcomeOf(operation: OperationName, body: object, keyId: string): Promise<string> {
  try {
    await open.engine.dispatch(operation, body, 'json', context);
    return 'done';
  } catch (error) {
    const { name, text = '' } = error as KmsServiceError;
    return `${name}: ${text.replaceAll(keyId, '<key>')}`;
  }
}

interface Named {
  readonly operation: OperationName;
  readonly member: string;
}

/** A key with an alias that is named after it. */
async function newNamedKey(): Promise<string> {
  const keyId = await newKeyId(call, { MultiRegion: true });
  await call('CreateAlias', { AliasName: aliasOf(keyId), TargetKeyId: keyId });
  return keyId;
}

/** The answer to a request that names `keyId`, but for `member`, which is `identifier`. */
async function answerTo({ operation, member }: Named, keyId: string, identifier: string): Promise<string> {
  const required = sampleStructure(OPERATIONS[operation].input.shape.members);
  const others = NAMERS.filter((each) => each.operation === operation && each.member in required);
  const body = {
    ...required,
    ...Object.fromEntries(others.map((each) => [each.member, keyId])),
    ...more(operation, keyId),
    [member]: identifier,
  };
  return outcomeOf(operation, body, keyId);
}

/** What an operation answers about a key of its own, which `name` names. */
async function acceptance(named: Named, name: (keyId: string) => string): Promise<string> {
  const keyId = await newNamedKey();
  return answerTo(named, keyId, name(keyId));
}

/** What an operation answers to an identifier that it does not take. */
const refusal = (named: Named, identifier: string): Promise<string> => answerTo(named, sharedId, identifier);

const titled = NAMERS.map((each) => [`${each.operation}.${each.member}`, each] as const);

const listsInvalidArn = ({ operation }: Named): boolean =>
  (OPERATIONS[operation].errors as readonly string[]).includes('InvalidArnException');
const arnError = (named: Named, text: string): string =>
  `${listsInvalidArn(named) ? 'InvalidArnException' : 'NotFoundException'}: Invalid arn ${text}`;

it('the operations that take an alias are those of AWS', () => {
  for (const operation of OPERATION_NAMES) {
    for (const { member, forms } of declaredDemands(operation)) {
      const takesAliases = TAKES_ALIASES.has(operation);
      expect([operation, member, forms]).toEqual([operation, member, takesAliases ? 'any' : 'idOrArn']);
    }
  }
  expect([...TAKES_ALIASES].filter((name) => !OPERATION_NAMES.includes(name as OperationName))).toEqual([]);
});

describe.each(titled)('%s', (_title, named) => {
  const { operation, action } = named;
  const takesAliases = TAKES_ALIASES.has(operation);

  it('takes a key id and a key ARN as the same key', async () => {
    const byId = await acceptance(named, (keyId) => keyId);
    expect(byId).not.toMatch(/NotFoundException: (Key|Invalid|Alias)|InvalidArn|AccessDenied/);
    expect(await acceptance(named, (keyId) => arnOf(`key/${keyId}`))).toBe(byId);
  });

  if (takesAliases) {
    it('takes an alias name and an alias ARN as the key that they name', async () => {
      const byId = await acceptance(named, (keyId) => keyId);
      expect(await acceptance(named, aliasOf)).toBe(byId);
      expect(await acceptance(named, (keyId) => arnOf(aliasOf(keyId)))).toBe(byId);
    });

    it('does not find an alias that is not there', async () => {
      const expected = `NotFoundException: Alias ${arnOf('alias/missing')} is not found.`;
      expect(await refusal(named, 'alias/missing')).toBe(expected);
      expect(await refusal(named, arnOf('alias/missing'))).toBe(expected);
    });
  } else {
    it('refuses an alias', async () => {
      const alias = 'alias/own';
      const [byName, byArn] =
        named.member === 'TargetKeyId'
          ? ['ValidationException: Aliases must refer to keys. Not aliases', undefined]
          : [`NotFoundException: Invalid keyId '${alias}'`, arnError(named, arnOf(alias))];
      expect(await refusal(named, alias)).toBe(byName);
      expect(await refusal(named, arnOf(alias))).toBe(byArn ?? byName);
    });
  }

  it('does not find a key that is not there, by id or ARN', async () => {
    const expected = `NotFoundException: Key '${arnOf(`key/${UNKNOWN_ID}`)}' does not exist`;
    expect(await refusal(named, UNKNOWN_ID)).toBe(expected);
    expect(await refusal(named, arnOf(`key/${UNKNOWN_ID}`))).toBe(expected);
  });

  it('knows no key by a text that is no identifier', async () => {
    const capital = UNKNOWN_ID.replace('1', 'A');
    for (const text of ['key', 'mrk-1', `key/${UNKNOWN_ID}`, capital, ` ${UNKNOWN_ID}`, 'ALIAS/x']) {
      expect(await refusal(named, text)).toBe(`NotFoundException: Invalid keyId '${text}'`);
    }
  });

  it('takes no ARN of another Region', async () => {
    const arn = arnOf(`key/${sharedId}`, { region: OTHER_REGION });
    expect(await refusal(named, arn)).toBe(`NotFoundException: Invalid arn ${OTHER_REGION}`);
  });

  it('takes no ARN that is none of a key here', async () => {
    for (const text of [
      'arn:',
      'arn:aws:kms',
      'arn:aws:s3:::bucket',
      arnOf(''),
      arnOf('key/'),
      arnOf(`grant/${UNKNOWN_ID}`),
      arnOf(`key/${UNKNOWN_ID}`, { account: '1' }),
      arnOf(`key/${UNKNOWN_ID}`, { partition: 'aws-cn' }),
    ]) {
      expect(await refusal(named, text)).toBe(arnError(named, text));
    }
  });

  it('tells nothing of a key of another account', async () => {
    const refused =
      `AccessDeniedException: User: ${context.caller.arn} is not authorized to perform: ${action} on this resource ` +
      'because the resource does not exist in this Region, no resource-based policies allow access, or a ' +
      'resource-based policy explicitly denies access';
    const aliases = takesAliases ? ['alias/foreign', 'alias/missing'] : [];
    for (const resource of [`key/${foreignId}`, `key/${UNKNOWN_ID}`, ...aliases]) {
      expect(await refusal(named, arnOf(resource, { account: OTHER_ACCOUNT }))).toBe(refused);
    }
  });
});

it('a bare id names a key of the own account only', async () => {
  await expectError(
    call('DescribeKey', { KeyId: foreignId }),
    'NotFoundException',
    `Key '${arnOf(`key/${foreignId}`)}' does not exist`,
  );
});

it.each(['CreateAlias', 'DeleteAlias', 'UpdateAlias'] as const)(
  '%s takes no alias ARN as the name',
  async (operation) => {
    const KeyId = await newKeyId(call);
    await expectError(
      open.engine.call(operation, { AliasName: arnOf('alias/name'), TargetKeyId: KeyId }, context),
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  },
);

describe('an answer names its key', () => {
  const BY_ID: ReadonlySet<string> = new Set(['GetKeyLastUsage', 'GetKeyRotationStatus', 'RotateKeyOnDemand']);
  const answering = SCENARIOS.filter(({ role }) => role !== 'old target' && role !== 'new target').map(
    (scenario) => [`${scenario.operation} ${scenario.role ?? ''}`.trim(), scenario] as const,
  );

  it.each(answering)('of %s, by its ARN or id as at AWS', async (_title, scenario) => {
    const { operation, role } = scenario;
    const { isReplicated = false, ...input } = scenario.key ?? {};
    const keyId = await newKeyId(call, input);
    if (isReplicated) {
      await call('ReplicateKey', { KeyId: keyId, ReplicaRegion: OTHER_REGION });
    }
    const prepared = await scenario.prepare?.(keyId, call);
    if (operation === 'CancelKeyDeletion') {
      await call('ScheduleKeyDeletion', { KeyId: keyId });
    }
    const request = { ...(scenario.request?.(keyId) ?? { KeyId: keyId }), ...prepared };
    const answer = (await open.engine.call(operation, request, context)) as object | undefined;
    const member = role === 'source' ? 'SourceKeyId' : 'KeyId';
    const expected = BY_ID.has(operation) ? keyId : arnOf(`key/${keyId}`);
    const answersKey = outputs.get(operation)?.some(({ name }) => name === member);
    expect(answer?.[member as keyof typeof answer]).toBe(answersKey === true ? expected : undefined);
  });

  it('in lists and metadata, as at AWS', async () => {
    const KeyId = await newNamedKey();
    const Arn = arnOf(`key/${KeyId}`);
    const AliasName = aliasOf(KeyId);
    const RetiringPrincipal = context.caller.arn;
    await call('CreateGrant', {
      KeyId,
      GranteePrincipal: RetiringPrincipal,
      RetiringPrincipal,
      Operations: ['Encrypt'],
    });
    await call('RotateKeyOnDemand', { KeyId });
    expect((await call('DescribeKey', { KeyId: Arn })).KeyMetadata).toMatchObject({ KeyId, Arn });
    expect((await call('ListKeys', { Limit: 1000 })).Keys).toContainEqual({ KeyId, KeyArn: Arn });
    expect((await call('ListAliases', { KeyId: Arn })).Aliases).toMatchObject([
      { AliasName, AliasArn: arnOf(AliasName), TargetKeyId: KeyId },
    ]);
    expect((await call('ListGrants', { KeyId })).Grants).toMatchObject([{ KeyId: Arn }]);
    expect((await call('ListRetirableGrants', { RetiringPrincipal })).Grants).toMatchObject([{ KeyId: Arn }]);
    expect((await call('ListKeyRotations', { KeyId: Arn })).Rotations).toMatchObject([{ KeyId }]);
    const { ReplicaKeyMetadata } = await call('ReplicateKey', { KeyId, ReplicaRegion: OTHER_REGION });
    expect(ReplicaKeyMetadata).toMatchObject({ KeyId, Arn: arnOf(`key/${KeyId}`, { region: OTHER_REGION }) });
  });
});
