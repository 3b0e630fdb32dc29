/** The file of KEYWRIGHT_HSM_CLUSTERS: what it must not say. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { ConfigError } from '../../src/cli/config.ts';
import { readClusterFile } from '../../src/cli/hsm-clusters.ts';
import { tokenOptions } from '../../src/hsm/token-options.ts';
import { TRUST_ANCHOR } from '../support/key-store-requests.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  folder.remove();
});

function read(changes: object): ReturnType<typeof readClusterFile> {
  const path = join(folder.path, 'clusters.yaml');
  const members = [{ module: 'm.so', tokenLabel: 'one' }];
  writeFileSync(path, stringify({ clusters: [{ clusterId: 'cluster-aaaaaaaaaaa', copies: 1, members, ...changes }] }));
  return readClusterFile(path);
}

it('the trust anchor is read with the file, by its folder, and kept', () => {
  writeFileSync(join(folder.path, 'customerCA.crt'), TRUST_ANCHOR);
  expect(read({ trustAnchorFile: 'customerCA.crt' })[0]?.trustAnchor?.subject).toBe('CN=customerCA');
  expect(read({})[0]?.trustAnchor).toBeUndefined();
});

it('a trust anchor that is not there, or no certificate, is told at the start', () => {
  expect(() => read({ trustAnchorFile: 'nowhere.crt' })).toThrow(ConfigError);
  expect(() => read({ trustAnchorFile: 'nowhere.crt' })).toThrow(/ENOENT.*nowhere\.crt/);
  writeFileSync(join(folder.path, 'bad.crt'), TRUST_ANCHOR.slice(0, 200));
  expect(() => read({ trustAnchorFile: 'bad.crt' })).toThrow(
    /cluster-aaaaaaaaaaa: trustAnchorFile .*bad\.crt holds no/,
  );
});

it('a module runs in the process, or in a helper process with an environment of its own', () => {
  const [plain] = read({});
  expect(tokenOptions(plain!.members[0]!, plain!)).not.toHaveProperty('process');
  const helper = { process: 'helper', environment: { SOFTHSM2_CONF: '/etc/a.conf' } } as const;
  const [helped] = read({ members: [{ module: 'm.so', tokenLabel: 'one', ...helper }] });
  expect(tokenOptions(helped!.members[0]!, helped!)).toMatchObject(helper);
});

it.each([
  ['a token in both ways', { members: [{ module: 'm.so', tokenLabel: 'one', slot: 1 }] }, /tokenLabel or slot/],
  ['a token in no way', { members: [{ module: 'm.so' }] }, /member 1 must have tokenLabel or slot, and not both/],
  ['no sessions', { members: [{ module: 'm.so', slot: 1, sessions: 0 }] }, /member 1: sessions must be at least 1/],
  [
    'an environment that nobody gets',
    { members: [{ module: 'm.so', slot: 1, process: 'this', environment: { A: 'b' } }] },
    /has an environment of its own only with "process: helper"/,
  ],
  ['an unknown process', { members: [{ module: 'm.so', slot: 1, process: 'other' }] }, /must be one of this, helper/],
  ['no time', { timeoutMs: 0 }, /timeoutMs must be at least 1/],
  ['more copies than members', { copies: 2 }, /must have a key on 2 of 1 members/],
])('%s is refused', (_what, changes, message) => {
  expect(() => read(changes)).toThrow(message);
});
