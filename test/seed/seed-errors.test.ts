/** Seed files that are refused: each at its place, and nothing of them is made. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { rootOf } from '../../src/iam/identities.ts';
import { applySeed } from '../../src/seed/apply-seed.ts';
import { expectError } from '../support/expect-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ACCOUNT = '012345678901';
const REGION = 'eu-central-1';
const KEY = '11111111-2222-4333-8444-555555555555';
const MULTI_REGION_KEY = 'mrk-0123456789abcdef0123456789abcdef';
const context = { caller: rootOf(ACCOUNT), region: REGION };

let folder: ReturnType<typeof temporaryFolder>;
let engine: Engine;

beforeAll(async () => {
  folder = temporaryFolder();
  engine = await Engine.open({ dataDirectory: folder.path, regions: [REGION, 'us-east-1'] });
});

afterEach(async () => {
  expect((await engine.call('ListKeys', {}, context)).Keys).toEqual([]);
  const { Aliases } = await engine.call('ListAliases', {}, context);
  expect(Aliases.filter(({ TargetKeyId }) => TargetKeyId !== undefined)).toEqual([]);
  expect(await engine.accessKeys.hasAny()).toBe(false);
});

afterAll(async () => {
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

async function expectRefused(source: string, problem: string | RegExp): Promise<void> {
  await expectError(applySeed(engine, source, { file: 'a.yaml' }), 'SeedError', problem);
}

describe('a file that is wrong', () => {
  it.each([
    ['keys: []', 'a.yaml:1:1: the file lacks the member accounts'],
    ['', 'a.yaml:1:1: the file must be a mapping of names to values'],
    ['- a', 'a.yaml:1:1: the file must be a mapping of names to values'],
    ['accounts: {}', 'a.yaml:1:11: accounts must be a list'],
    ['accounts:', 'a.yaml:1:10: accounts must be a list'],
    ['accounts: [{ accountId: 12 }]', 'a.yaml:1:25: accountId must be an account id of 12 digits'],
    [`accounts: [{ accountId: ${ACCOUNT}, name: x }]`, /^a\.yaml:1:39: accounts\[0\] has the unknown member name/],
    [`accounts: [{ accountId: ${ACCOUNT}, accountId: 1 }]`, /^a\.yaml:1:39: .* has the member accountId twice/],
    [`accounts: [{ accountId: ${ACCOUNT} }, { accountId: ${ACCOUNT} }]`, /^a\.yaml:1:41: account .* is there twice/],
    ['accounts: [', /^a\.yaml:1:12: Flow sequence/],
    ['accounts: []\n---\naccounts: []', /^a\.yaml:2:1: .*multiple documents/],
    ['accounts: !foo []', /^a\.yaml:1:11: Unresolved tag/],
    ['accounts: *missing', 'a.yaml:1:11: no anchor &missing stands in front of this alias'],
    ['accounts: &a [*a]', /accounts\[0\] must be a mapping/],
    ['? [a]\n: b', /a member of the file must have a text as its name/],
    [
      'accounts: [{ accountId: 012345678901, generateAccessKey: "true" }]',
      /:58: generateAccessKey must be true or false/,
    ],
    [
      'accounts: [{ accountId: 012345678901, accessKeys: [{ accessKeyId: ASIA1, secretAccessKey: x }] }]',
      /:67: accessKeyId/,
    ],
  ])('%j is refused at its place', async (source, problem) => {
    await expectRefused(source, problem);
  });

  it.each([
    [['keyId: x'], /has the member keyId twice/],
    [['keySpec: AES'], /^a\.yaml:5:14: keySpec must be one of SYMMETRIC_DEFAULT/],
    [['keySpec: RSA_2048'], /ValidationException: You must specify a KeyUsage/],
    [['keyUsage: SIGN_VERIFY'], /is not compatible with KeySpec/],
    [['enabled: 1'], /^a\.yaml:5:14: enabled must be true or false/],
    [['rotation: { periodInDays: 5 }'], /greater than or equal to 90/],
    [['rotation: { periodInDays: many }'], /periodInDays must be a whole number/],
    [['keySpec: RSA_2048', 'keyUsage: SIGN_VERIFY', 'rotation: {}'], /UnsupportedOperationException/],
    [['tags: { "aws:x": y }'], /TagException: Tags beginning with aws: are reserved/],
    [['tags: [a]'], /tags must be a mapping/],
    [['aliases: [orders]'], /aliases\[0\] must be an alias name/],
    [['aliases: [alias/aws/s3]'], /NotAuthorizedException/],
    [['aliases: [alias/a, alias/a]'], /alias\/a of account .* is there twice, first in line 5/],
    [['policy: "{"'], /MalformedPolicyDocumentException: This policy contains invalid Json/],
    [['policy: { Statement: [] }'], /MalformedPolicyDocumentException: Policy has no Statement/],
    [['policy: [a]'], /policy must be a mapping, or a text of JSON/],
    [['grants: [{ name: g, operations: [Decrypt] }]'], /GranteePrincipal/],
    [['grants: [{ name: g, operations: [Sing], granteePrincipal: x }]'], /grants|operations\[0\] must be one of/],
    [['grants: [{ name: g, operations: [Decrypt], granteePrincipal: x }]'], /InvalidArnException/],
    [['grants: [{ operations: [Decrypt] }]'], /grants\[0\] lacks the member name/],
    [['replicas: [{ region: us-east-1 }]'], /only multi-Region keys/],
    [[`description: ${'x'.repeat(8193)}`], /length less than or equal to 8192/],
  ])('a key with %j is refused', async (lines, problem) => {
    await expectRefused(key(...lines), problem);
  });

  it('an account or Region that is not there is refused', async () => {
    await expectRefused(key('accountId: "999999999999"'), /is not among the accounts of the file/);
    await expectRefused(key().replace(REGION, 'ap-south-1'), /Region ap-south-1 is not served here/);
    await expectRefused(
      multiRegionKey(`replicas: [{ region: ${REGION} }]`),
      `a.yaml:5:16: key ${MULTI_REGION_KEY} in ${REGION} is there twice, first in line 3`,
    );
    await expectRefused(
      key(`aliases: [${Array.from({ length: 51 }, (_, i) => `alias/a${String(i)}`).join(', ')}]`),
      /50/,
    );
  });

  it.each([
    ['a file that is too large', '#'.repeat(4_194_305), /larger than 4194304 bytes/],
    ['brackets', '['.repeat(1_000_000), /nested too deeply/],
    ['dashes', '- '.repeat(1_000_000), /nested too deeply/],
    [
      'indentation',
      Array.from({ length: 600 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      /nested too deeply/,
    ],
    ['a policy in itself', key('policy: &a { Statement: *a }'), /policy|Statement is nested too deeply/],
  ])('%s does not hurt', async (_what, source, problem) => {
    await expectRefused(source, problem);
  });

  it('aliases that blow up are cut off', async () => {
    const levels = Array.from(
      { length: 20 },
      (_, level) => `&l${String(level)} [${`*l${String(level - 1)},`.repeat(9)}]`,
    );
    const bomb = key(
      'policy:',
      '  a: &l0 [x]',
      ...levels.slice(1).map((line, index) => `  b${String(index)}: ${line}`),
    );
    await expectRefused(bomb, /more than 200000 values when its aliases are written out/);
  });
});
