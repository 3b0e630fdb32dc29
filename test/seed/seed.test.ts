/** What a seed file makes, what it leaves alone, and what it refuses. */
import { generateKeyPairSync, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { callerOf, rootOf } from '../../src/iam/identities.ts';
import { KEY_SPECS, algorithmsOf } from '../../src/keys/key-spec.ts';
import { VersionConflictError } from '../../src/service/ports.ts';
import { applySeed } from '../../src/seed/apply-seed.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestClock } from '../support/test-clock.ts';

const ACCOUNT = '012345678901';
const REGION = 'eu-central-1';
const OTHER_REGION = 'us-east-1';
const KEY = '11111111-2222-4333-8444-555555555555';
const OTHER_KEY = '99999999-2222-4333-8444-555555555555';
const MULTI_REGION_KEY = 'mrk-0123456789abcdef0123456789abcdef';
const HEX_32 = 'ab'.repeat(32);
const EXAMPLE = readFileSync(fileURLToPath(new URL('../../examples/seed.yaml', import.meta.url)), 'utf8');

const context = { caller: rootOf(ACCOUNT), region: REGION };
const elsewhere = { ...context, region: OTHER_REGION };

let folder: ReturnType<typeof temporaryFolder>;
let clock: TestClock;
let engine: Engine;

async function open(): Promise<Engine> {
  return Engine.open({ dataDirectory: folder.path, regions: [REGION, OTHER_REGION], clock });
}

beforeEach(async () => {
  folder = temporaryFolder();
  clock = new TestClock();
  engine = await open();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await engine.close();
  folder.remove();
});

/** A file of one account with these keys, as YAML lines. */
function seedOf(...lines: readonly string[]): string {
  return [`accounts: [{ accountId: ${ACCOUNT} }]`, 'keys:', ...lines].join('\n');
}

function key(...lines: readonly string[]): string {
  return seedOf(`  - keyId: ${KEY}`, `    region: ${REGION}`, ...lines.map((line) => `    ${line}`));
}

function multiRegionKey(...lines: readonly string[]): string {
  return seedOf(`  - keyId: ${MULTI_REGION_KEY}`, `    region: ${REGION}`, ...lines.map((line) => `    ${line}`));
}

/** Expects a refusal with this text, and that nothing of the file was made. */
async function expectRefused(source: string, problem: string | RegExp): Promise<void> {
  const before = await inventory();
  await expectError(applySeed(engine, source, { file: 'a.yaml' }), 'SeedError', problem);
  expect(await inventory()).toEqual(before);
}

async function inventory(): Promise<unknown> {
  const parts = await Promise.all(
    [context, elsewhere].map(async (where) => [
      await engine.call('ListKeys', {}, where),
      await engine.call('ListAliases', {}, where),
    ]),
  );
  return [parts, await engine.accessKeys.hasAny()];
}

describe('a seed file', () => {
  it('makes a key with the id and everything else that the file says', async () => {
    const report = await applySeed(
      engine,
      key(
        'description: orders',
        'enabled: false',
        'tags: { team: a, cost: 12 }',
        'rotation: { periodInDays: 100 }',
        'aliases: [alias/one, alias/two]',
        `policy: { Version: 2012-10-17, Statement: { Effect: Allow, Principal: { AWS: ${ACCOUNT} }, Action: "kms:*", Resource: "*" } }`,
        `grants: [{ name: g, granteePrincipal: "arn:aws:iam::${ACCOUNT}:role/r", operations: [Decrypt, Encrypt] }]`,
      ),
    );
    expect(report).toEqual({ created: 4, changes: [], existing: 0, generatedAccessKeys: [] });
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: 'alias/two' }, context);
    expect(KeyMetadata).toMatchObject({
      KeyId: KEY,
      Description: 'orders',
      KeyState: 'Disabled',
      AWSAccountId: ACCOUNT,
    });
    const { Tags } = await engine.call('ListResourceTags', { KeyId: KEY }, context);
    expect(Tags).toEqual([
      { TagKey: 'cost', TagValue: '12' },
      { TagKey: 'team', TagValue: 'a' },
    ]);
    const rotation = await engine.call('GetKeyRotationStatus', { KeyId: KEY }, context);
    expect(rotation).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 100 });
    const { Policy } = await engine.call('GetKeyPolicy', { KeyId: KEY }, context);
    expect(JSON.parse(Policy)).toMatchObject({
      Version: '2012-10-17',
      Statement: { Principal: { AWS: ACCOUNT } },
    });
    const { Grants } = await engine.call('ListGrants', { KeyId: KEY }, context);
    expect(Grants).toMatchObject([{ Name: 'g', Operations: ['Decrypt', 'Encrypt'] }]);
  });

  it('takes a policy as JSON text, and JSON as the whole file', async () => {
    const Policy = JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' } });
    const file = { accounts: [{ accountId: ACCOUNT }], keys: [{ keyId: KEY, region: REGION, policy: Policy }] };
    await applySeed(engine, JSON.stringify(file));
    expect((await engine.call('GetKeyPolicy', { KeyId: KEY }, context)).Policy).toBe(Policy);
  });

  it.each(KEY_SPECS)('makes keys of spec %s for each of its usages', async (spec) => {
    const usages = Object.keys(algorithmsOf(spec));
    const keys = usages.flatMap((usage, index) => [
      `  - keyId: ${String(index)}${KEY.slice(1)}`,
      `    region: ${REGION}`,
      `    keySpec: ${spec}`,
      `    keyUsage: ${usage}`,
    ]);
    expect((await applySeed(engine, seedOf(...keys))).created).toBe(usages.length);
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: `0${KEY.slice(1)}` }, context);
    expect(KeyMetadata).toMatchObject({ KeySpec: spec, KeyUsage: usages[0] });
  });

  it('the example loads twice, and the second time changes nothing', async () => {
    const first = await applySeed(engine, EXAMPLE);
    expect(first).toMatchObject({ created: 15, existing: 0 });
    expect(first.generatedAccessKeys).toMatchObject([{ accountId: '111122223333' }]);
    const before = await inventory();
    expect(await applySeed(engine, EXAMPLE)).toEqual({
      created: 0,
      changes: [],
      existing: 15,
      generatedAccessKeys: [],
    });
    expect(await inventory()).toEqual(before);
  });

  it('makes access keys that sign requests for their account', async () => {
    const { generatedAccessKeys } = await applySeed(engine, EXAMPLE);
    const given = await engine.accessKeys.find('AKIAEXAMPLEEXAMPLE77');
    expect(given?.identity.accountId).toBe('000000000000');
    const made = await engine.accessKeys.find(generatedAccessKeys[0]!.accessKeyId);
    expect(made?.identity).toEqual(callerOf(await engine.identities.ensureAdministrator('111122223333')));
  });

  it('a check tells what would be made and makes nothing', async () => {
    const before = await inventory();
    expect(await applySeed(engine, EXAMPLE, { isCheckOnly: true })).toMatchObject({ created: 15, existing: 0 });
    expect(await inventory()).toEqual(before);
  });
});

describe('texts', () => {
  it('brackets and dashes inside texts are only text', async () => {
    await applySeed(engine, key(`description: "${'[{- '.repeat(200)}"`, 'tags: { a: "- - [" }'));
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: KEY }, context);
    expect(KeyMetadata.Description).toHaveLength(800);
  });
});

describe('fixed material', () => {
  it('of a symmetric key opens in another deployment what it encrypted in this one', async () => {
    await applySeed(engine, key(`material: { hex: ${HEX_32} }`));
    const input = { KeyId: KEY, Plaintext: Buffer.from('hello') };
    const { CiphertextBlob } = await engine.call('Encrypt', input, context);
    const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob }, context);
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello');
  });

  it('of an HMAC key gives the MAC that others compute', async () => {
    await applySeed(
      engine,
      key('keySpec: HMAC_384', 'keyUsage: GENERATE_VERIFY_MAC', `material: { hex: ${'0f'.repeat(48)} }`),
    );
    const Message = Buffer.from('message');
    const { Mac } = await engine.call('GenerateMac', { KeyId: KEY, Message, MacAlgorithm: 'HMAC_SHA_384' }, context);
    expect(Buffer.from(Mac)).toEqual(createHmac('sha384', Buffer.alloc(48, 0x0f)).update(Message).digest());
  });

  it('of a key pair has the public key that belongs to it', async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const base64 = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
    await applySeed(engine, key('keySpec: RSA_2048', 'keyUsage: SIGN_VERIFY', `material: { base64: ${base64} }`));
    const { PublicKey } = await engine.call('GetPublicKey', { KeyId: KEY }, context);
    expect(Buffer.from(PublicKey)).toEqual(pair.publicKey.export({ format: 'der', type: 'spki' }));
  });

  it('is shared by the replicas of a multi-Region key', async () => {
    await applySeed(
      engine,
      multiRegionKey(`material: { hex: ${HEX_32} }`, `replicas: [{ region: ${OTHER_REGION}, enabled: false }]`),
    );
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: MULTI_REGION_KEY }, elsewhere);
    expect(KeyMetadata).toMatchObject({
      KeyState: 'Disabled',
      MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', PrimaryKey: { Region: REGION } },
    });
    await engine.call('EnableKey', { KeyId: MULTI_REGION_KEY }, elsewhere);
    const input = { KeyId: MULTI_REGION_KEY, Plaintext: Buffer.from('far') };
    const { CiphertextBlob } = await engine.call('Encrypt', input, context);
    expect((await engine.call('Decrypt', { CiphertextBlob }, elsewhere)).KeyId).toBe(KeyMetadata.Arn);
  });

  it('is told apart by its id, which does not show it to be that of another key', async () => {
    await applySeed(
      engine,
      seedOf(...[KEY, OTHER_KEY].map((id) => `  - { keyId: ${id}, region: ${REGION}, material: { hex: ${HEX_32} } }`)),
    );
    const ids = await Promise.all(
      [KEY, OTHER_KEY].map(
        async (KeyId) => (await engine.call('DescribeKey', { KeyId }, context)).KeyMetadata.CurrentKeyMaterialId,
      ),
    );
    expect(new Set(ids).size).toBe(2);
    await expectRefused(
      key(`material: { hex: ${'ac'.repeat(32)} }`),
      /material of key .*: the file says one whose id is/,
    );
  });

  it.each([
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'hex: abcd', /must be 32 bytes/],
    ['HMAC_512', 'GENERATE_VERIFY_MAC', `hex: ${HEX_32}`, /must be 64 bytes/],
    ['RSA_2048', 'SIGN_VERIFY', `hex: ${HEX_32}`, /must be a private key of exactly that kind/],
    ['ECC_NIST_P256', 'SIGN_VERIFY', 'base64: AAAA', /must be a private key of exactly that kind/],
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'hex: xyz', /must have one of base64 and hex/],
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'base64: AAA', /must have one of base64 and hex/],
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'base64: AAAA, hex: abcd', /must have one of base64 and hex/],
  ])('of %s for %s as %s is refused', async (spec, usage, material, problem) => {
    await expectRefused(key(`keySpec: ${spec}`, `keyUsage: ${usage}`, `material: { ${material} }`), problem);
  });
});

describe('a second load', () => {
  it('leaves alone what was changed since, also a rotated key', async () => {
    const source = key('description: first', `material: { hex: ${HEX_32} }`, 'tags: { a: b }');
    await applySeed(engine, source);
    await engine.call('UpdateKeyDescription', { KeyId: KEY, Description: 'changed' }, context);
    await engine.call('RotateKeyOnDemand', { KeyId: KEY }, context);
    await engine.call('UntagResource', { KeyId: KEY, TagKeys: ['a'] }, context);
    await engine.call('DisableKey', { KeyId: KEY }, context);
    expect(await applySeed(engine, source)).toMatchObject({ created: 0, existing: 1 });
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: KEY }, context);
    expect(KeyMetadata).toMatchObject({ Description: 'changed', KeyState: 'Disabled' });
  });

  it('makes again what was deleted, and nothing for a key that awaits its deletion', async () => {
    const source = key('aliases: [alias/a]');
    await applySeed(engine, source);
    await engine.call('DeleteAlias', { AliasName: 'alias/a' }, context);
    expect(await applySeed(engine, source)).toMatchObject({ created: 1, existing: 1 });
    await engine.call('ScheduleKeyDeletion', { KeyId: KEY, PendingWindowInDays: 7 }, context);
    await engine.call('DeleteAlias', { AliasName: 'alias/a' }, context);
    expect(await applySeed(engine, source)).toMatchObject({ created: 0, existing: 2 });
  });

  it('adds a replica that the file got since, also after the primary moved', async () => {
    await applySeed(engine, multiRegionKey(`replicas: [{ region: ${OTHER_REGION} }]`));
    await engine.call('UpdatePrimaryRegion', { KeyId: MULTI_REGION_KEY, PrimaryRegion: OTHER_REGION }, context);
    expect(await applySeed(engine, multiRegionKey(`replicas: [{ region: ${OTHER_REGION} }]`))).toMatchObject({
      created: 0,
      existing: 2,
    });
  });

  it('completes a load that was cut off', async () => {
    const insert = vi.spyOn(engine.ports.grants, 'insert').mockRejectedValueOnce(new Error('cut off'));
    await expect(applySeed(engine, EXAMPLE)).rejects.toThrow('cut off');
    expect(insert).toHaveBeenCalledOnce();
    const { created, existing } = await applySeed(engine, EXAMPLE);
    expect(created).toBeGreaterThan(0);
    expect(existing).toBeGreaterThan(0);
    expect(created + existing).toBe(15);
    expect(await applySeed(engine, EXAMPLE)).toMatchObject({ created: 0, existing: 15 });
  });

  it('two engines load one file at the same time, and each thing is made once', async () => {
    const other = await open();
    try {
      const reports = await Promise.all([applySeed(engine, EXAMPLE), applySeed(other, EXAMPLE)]);
      for (const { created, existing } of reports) {
        expect(created + existing).toBe(15);
      }
    } finally {
      await other.close();
    }
    const { Keys } = await engine.call('ListKeys', {}, { ...elsewhere, caller: rootOf('000000000000') });
    expect(Keys).toHaveLength(4);
  });

  it('gives up when the store changes under it again and again', async () => {
    vi.spyOn(engine.ports.keys, 'commit').mockRejectedValue(new VersionConflictError('again'));
    await expect(applySeed(engine, key())).rejects.toThrow('again');
  });
});

describe('a conflict', () => {
  it.each([
    ['keySpec', ['keySpec: HMAC_256', 'keyUsage: GENERATE_VERIFY_MAC'], 'HMAC_256', 'SYMMETRIC_DEFAULT'],
    ['keySpec', ['keySpec: RSA_2048', 'keyUsage: ENCRYPT_DECRYPT'], 'RSA_2048', 'SYMMETRIC_DEFAULT'],
  ])('of the %s names file, line and both values', async (fact, lines, inFile, inStore) => {
    await applySeed(engine, key());
    await expectRefused(
      key(...lines),
      `a.yaml:3:5: ${fact} of key ${KEY} in ${REGION}: the file says ${inFile}, the store has ${inStore}`,
    );
  });

  it('of the usage or the account is refused', async () => {
    await applySeed(engine, key('keySpec: ECC_NIST_P256', 'keyUsage: SIGN_VERIFY'));
    await expectRefused(key('keySpec: ECC_NIST_P256', 'keyUsage: KEY_AGREEMENT'), /keyUsage of key/);
    await expectRefused(
      key('keySpec: ECC_NIST_P256', 'keyUsage: SIGN_VERIFY').replace(ACCOUNT, '999999999999'),
      /account of key .*: the file says 999999999999, the store has 012345678901/,
    );
  });

  it('of one thing keeps everything else of the file away', async () => {
    await engine.call('CreateAlias', { AliasName: 'alias/taken', TargetKeyId: await createKey() }, context);
    await expectRefused(
      key('description: new', 'aliases: [alias/free, alias/taken]'),
      /a\.yaml:6:27: key of alias\/taken/,
    );
  });

  it('of an access key is refused and shows no secret', async () => {
    await applySeed(engine, EXAMPLE);
    const attempt = applySeed(engine, EXAMPLE.replace('example-secret-of-the-development-account', 'another-secret'));
    await expectError(
      attempt,
      'SeedError',
      /^seed:6:9: access key AKIAEXAMPLEEXAMPLE77: the secret of the file is not/,
    );
    await attempt.catch((error: unknown) => {
      expect(String(error)).not.toContain('another-secret');
    });
    const moved = `accounts: [{ accountId: ${ACCOUNT}, accessKeys: [{ accessKeyId: AKIAEXAMPLEEXAMPLE77, secretAccessKey: x }] }]`;
    await expectRefused(moved, /the file says 012345678901, the store has 000000000000/);
  });

  it('of a grant with another content under the same name is refused', async () => {
    const grant = (operation: string): string =>
      key(`grants: [{ name: g, granteePrincipal: "arn:aws:iam::${ACCOUNT}:role/r", operations: [${operation}] }]`);
    await applySeed(engine, grant('Decrypt'));
    await expectRefused(grant('Encrypt'), /parameters of grant g of key/);
  });

  it('with an unrelated multi-Region key of the same id in another Region is refused', async () => {
    await applySeed(engine, multiRegionKey());
    await expectRefused(
      multiRegionKey().replace(REGION, OTHER_REGION),
      /the store has an unrelated one in eu-central-1/,
    );
  });
});

async function createKey(): Promise<string> {
  return (await engine.call('CreateKey', {}, context)).KeyMetadata.KeyId;
}
