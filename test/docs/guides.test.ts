/** The guides show what runs, and name every member. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { SETTINGS } from '../../src/cli/config.ts';
import { proxyConfigFile } from '../../src/cli/xks-proxy-config.ts';
import { Engine } from '../../src/engine/engine.ts';
import { applySeed } from '../../src/seed/apply-seed.ts';
import { seedFile } from '../../src/seed/seed-file.ts';
import { YamlText } from '../../src/seed/yaml-text.ts';
import type { YamlMembers, YamlSchema } from '../../src/seed/yaml-schema.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const seeding = readFileSync(join(root, 'docs/guides/seeding.md'), 'utf8');
const external = readFileSync(join(root, 'docs/guides/external-key-stores.md'), 'utf8');
const testing = readFileSync(join(root, 'docs/guides/testing.md'), 'utf8');

it('the example of the seeding guide loads as it stands there', async () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(seeding) ?? [];
  const folder = temporaryFolder();
  const engine = await Engine.open({ dataDirectory: folder.path });
  try {
    expect(await applySeed(engine, example)).toMatchObject({ created: 9, existing: 0 });
    expect(await applySeed(engine, example)).toMatchObject({ created: 0, existing: 9 });
  } finally {
    await engine.close();
    folder.remove();
  }
});

/** Names of all members, however deep. */
function memberNames(schema: YamlSchema<unknown>): string[] {
  const { members = {}, item } = schema as { members?: YamlMembers; item?: YamlSchema<unknown> };
  const nested = Object.entries(members).flatMap(([name, member]) => [name, ...memberNames(member.schema)]);
  return item === undefined ? nested : [...nested, ...memberNames(item)];
}

it('the seeding guide names every member of a seed file', () => {
  const names = memberNames(seedFile);
  expect(names).toContain('encryptionContextSubset');
  expect(names.filter((name) => !seeding.includes(`\`${name}\``))).toEqual([]);
});

it('the guide of external key stores names every member of a configuration, and its example is one', () => {
  const names = memberNames(proxyConfigFile);
  expect(names).toContain('commonName');
  expect(names.filter((name) => !external.includes(`\`${name}\``))).toEqual([]);
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(external) ?? [];
  const yaml = new YamlText(example, 'proxy.yaml');
  expect(proxyConfigFile.read(yaml.root, yaml, 'the file').keys).toMatchObject([{ id: 'orders' }]);
});

it('the README names every setting of the server', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const short = (name: string): string => name.replace('KEYWRIGHT_XKS_', '…_');
  const missing = SETTINGS.filter(
    ([name]) => !readme.includes(`\`${name}\``) && !readme.includes(`\`${short(name)}\``),
  );
  expect(missing).toEqual([]);
});

it('the example of the testing guide runs as it stands there', async () => {
  const [, example = ''] = /```js\n([\s\S]*?)```/.exec(testing) ?? [];
  const folder = temporaryFolder();
  const script = join(root, 'build', `testing-guide-${String(process.pid)}.mjs`);
  const check = `
    const { KeyMetadata: { KeyId } } = await engine.call('CreateKey', {}, context);
    console.log(await engine.call('DescribeKey', { KeyId }, context).catch((error) => error.name));
    await engine.close();`;
  try {
    writeFileSync(script, example.replace("'./data'", JSON.stringify(folder.path)) + check);
    const { stdout } = await run(process.execPath, ['--no-warnings', script]);
    expect(stdout).toBe('NotFoundException\n');
  } finally {
    rmSync(script, { force: true });
    folder.remove();
  }
}, 60_000);

it('the requests of the testing guide are JSON', () => {
  const bodies = [...testing.matchAll(/-d '([^']*)'/g)].map(([, body = '']) => JSON.parse(body) as unknown);
  expect(bodies).toHaveLength(4);
});
