import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywright-scripts.'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs bash code with lib.sh sourced, in a copy of script/, so that stamps and caches are its own. */
function withLibrary(code: string): SpawnSyncReturns<string> {
  mkdirSync(join(folder, 'script'), { recursive: true });
  writeFileSync(join(folder, 'script/lib.sh'), readFileSync(`${ROOT}script/lib.sh`));
  const env = { ...process.env, KEYWRIGHT_CACHE: join(folder, 'cache') };
  return spawnSync('bash', ['-c', `. "${folder}/script/lib.sh"\n${code}`], { encoding: 'utf8', env });
}

/** Runs script/setup with a PATH that has only `tools` and the programs given as bash code. */
function setupWith(programs: Record<string, string>): SpawnSyncReturns<string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const tool of ['bash', 'dirname', 'sed', 'sort', 'head', 'env']) {
    const found = ['/usr/bin/', '/bin/'].map((place) => place + tool).find(existsSync);
    symlinkSync(found ?? tool, join(bin, tool));
  }
  for (const [name, code] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\n${code}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return spawnSync('bash', [`${ROOT}script/setup`], { encoding: 'utf8', env: { PATH: bin, HOME: folder } });
}

describe('every script', () => {
  it.each(readdirSync(`${ROOT}script`).filter((name) => !name.endsWith('.sh')))(
    '%s stops at the first error',
    (name) => {
      const text = readFileSync(`${ROOT}script/${name}`, 'utf8');
      if (text.startsWith('#!/usr/bin/env node')) return;
      expect(text).toMatch(/^#!\/usr\/bin\/env bash\n/);
      expect(text).toMatch(/^(set -euo pipefail|\. "\$\(dirname "\$0"\)\/lib\.sh")$/m);
    },
  );

  it('inherits that from lib.sh', () => {
    expect(readFileSync(`${ROOT}script/lib.sh`, 'utf8')).toMatch(/^set -euo pipefail$/m);
  });
});

describe('script/setup', () => {
  it('says how to get Node.js when there is none', () => {
    const run = setupWith({});
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/Node\.js 20\.17 or newer is needed, and there is no 'node'[\s\S]*nodejs\.org/);
  });

  it.each(['18.20.4', '20.16.0', '9.11.2'])('refuses Node.js %s', (version) => {
    const run = setupWith({ node: `echo ${version}`, npm: '' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(`20.17 or newer is needed; ${folder}/bin/node is ${version}`);
  });

  it('misses npm', () => {
    const run = setupWith({ node: 'echo 20.17.0' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("'npm' is missing");
  });

  it('refuses an argument that it does not know', () => {
    const run = spawnSync('bash', [`${ROOT}script/setup`, '--tset'], { encoding: 'utf8' });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('Usage: script/setup [--test]');
  });
});

describe('quietly', () => {
  it('keeps the output in a file while all is well', () => {
    const run = withLibrary('quietly "working" "$CACHE/log/w.log" echo deep inside; echo "status $?"');
    expect(run.stdout).toBe('status 0\n');
    expect(run.stderr).not.toContain('deep inside');
    expect(readFileSync(join(folder, 'cache/log/w.log'), 'utf8')).toBe('deep inside\n');
  });

  it('shows the end of the output of a failure, and passes its status on', () => {
    const run = withLibrary('quietly "working" "$CACHE/log/w.log" bash -c "echo because; exit 7" || echo "status $?"');
    expect(run.stdout).toBe('status 7\n');
    expect(run.stderr).toContain('because');
  });

  it('stops with all that it started when it is told to', async () => {
    withLibrary('');
    const marker = join(folder, 'finished');
    const code = `. "${folder}/script/lib.sh"
      quietly "working" "${folder}/w.log" bash -c 'echo started; (sleep 1.5; touch "${marker}") & wait'`;
    const child = spawn('bash', ['-c', code], { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.once('data', () => setTimeout(() => child.kill('SIGTERM'), 300));
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect(status).toBe(143);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(existsSync(marker)).toBe(false);
  });
});

describe('stamps', () => {
  it('holds for the same inputs only', () => {
    const run = withLibrary(`
      cd "$ROOT" && mkdir src && echo 1 >src/a
      key=$(digest src missing)
      stamped step "$key" || echo fresh
      stamp step "$key"
      stamped step "$(digest src missing)" && echo known
      echo 2 >src/a
      stamped step "$(digest src missing)" || echo changed
      mv src/a src/b && echo 1 >src/b
      stamped step "$(digest src missing)" || echo renamed
      unstamp step
      stamped step "$key" || echo gone`);
    expect(run.stderr).toBe('');
    expect(run.stdout.split('\n')).toEqual(['fresh', 'known', 'changed', 'renamed', 'gone', '']);
  });
});

describe('exclusively', () => {
  it('lets one at a time into a folder', () => {
    const run = withLibrary(`
      enter() { (exclusively "$ROOT"; echo in; sleep 0.5; echo out); }
      enter & enter; wait`);
    expect(run.stdout).toBe('in\nout\nin\nout\n');
    expect(run.stderr).toContain('waiting');
  });
});

describe('packages', () => {
  it('does not change the system when npm installs Keywright as a dependency', () => {
    const run = withLibrary(`
      apt-get() { touch "$ROOT/asked"; }
      sudo() { apt-get; }
      export npm_lifecycle_event=install
      packages no-such-command=some-package`);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('these tools are missing: some-package');
    expect(existsSync(join(folder, 'asked'))).toBe(false);
  });
});

describe('script/node', () => {
  it.each([[], [''], ['latest'], ['24.1.0'], ['24', '20']])('refuses %j', (...args) => {
    const run = spawnSync('bash', [`${ROOT}script/node`, ...args], { encoding: 'utf8' });
    expect(run.status).toBe(1);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain('Usage: script/node 24');
  });
});
