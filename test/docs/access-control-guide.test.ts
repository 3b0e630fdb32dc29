/** The examples of the access control guide, run as they stand there, and its tables against the code. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { DEFAULT_RATES } from '../../src/service/quota-groups.ts';
import { freePort, startServer } from '../support/server-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guide = readFileSync(join(root, 'docs/guides/access-control.md'), 'utf8');
const run = promisify(execFile);

interface Example {
  readonly title: string;
  readonly files: readonly (readonly [name: string, content: string])[];
  readonly steps: readonly Step[];
}

interface Step {
  readonly command: string;
  readonly output: string;
}

const [, ...sections] = guide.split(/^### /m);
const EXAMPLES: readonly Example[] = sections.map((section) => ({
  title: /^.*/.exec(section)?.[0] ?? '',
  files: [...section.matchAll(/^`([\w.-]+)`[^\n]*:\n\n```\w+\n([\s\S]*?)```/gm)].map(
    ([, name = '', content = '']) => [name, content] as const,
  ),
  steps: (/```console\n([\s\S]*?)```/.exec(section)?.[1] ?? '')
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = '', ...output] = step.split('\n');
      return { command, output: output.join('\n') };
    }),
}));

/** What the guide shows; `…` stands for anything, and alone in a line for any number of lines. */
function patternOf(output: string): RegExp {
  const lines = output.split('\n').map((line) => (line === '…' ? '(?:.*\n)*' : `${escape(line)}\n`));
  return new RegExp(`^${lines.join('').replace(/\n$/, '')}$`);
}

function escape(line: string): string {
  return line
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
}

it('the guide has its examples', () => {
  expect(EXAMPLES).toHaveLength(8);
  for (const { title, files, steps } of EXAMPLES) {
    expect(files.length, title).toBeGreaterThan(0);
    expect(steps.length, title).toBeGreaterThan(1);
  }
});

it.each(EXAMPLES.map((example, index) => [example.title, index, example] as const))(
  'the example "%s" does what the guide shows',
  async (_title, index, { files, steps }) => {
    // In the package's own folder, where the imports of the examples resolve.
    const folder = join(root, 'build', `access-guide-${String(process.pid)}-${String(index)}`);
    const data = join(folder, 'data');
    mkdirSync(join(folder, 'bin'), { recursive: true });
    try {
      const main = join(root, 'dist/cli/main.js');
      writeFileSync(join(folder, 'bin/keywright'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
      chmodSync(join(folder, 'bin/keywright'), 0o755);
      files.forEach(([name, content]) => {
        writeFileSync(join(folder, name), content);
      });
      const settings: string[] = [];
      for (const { command, output } of steps) {
        if (command.startsWith('export ')) {
          settings.push(command);
          continue;
        }
        const printed = command.startsWith('node ')
          ? await runAgainstServer(data, folder, command)
          : await runShell(folder, [...settings, command].join('\n'), { KEYWRIGHT_DATA: data });
        expect(printed).toMatch(patternOf(output));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

/** A refusal is status 2, and an answer like any other. */
async function runShell(folder: string, script: string, environment: Record<string, string>): Promise<string> {
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, ...environment };
  try {
    const { stdout } = await run('sh', ['-ec', script], { cwd: folder, env });
    expect(stdout).not.toMatch(/^denied/);
    return stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    expect([code, stderr]).toEqual([2, '']);
    expect(stdout).toMatch(/^denied/);
    return stdout;
  }
}

async function runAgainstServer(data: string, folder: string, command: string): Promise<string> {
  const server = await startServer(data, await freePort());
  try {
    return await runShell(folder, command.replace('node ', `'${process.execPath}' --no-warnings `), {
      AWS_ENDPOINT_URL: server.url,
    });
  } finally {
    await server.stop();
  }
}

it('the table of quotas has every quota with its default', () => {
  const table = guide.slice(guide.indexOf('| requests a second'));
  const rates = [...table.matchAll(/^\|\s+([\d,]+)\s+\|(.*)\|$/gm)].flatMap(([, rate = '', names = '']) =>
    [...names.matchAll(/`([\w.]+)`/g)].map(([, name]) => [name, Number(rate.replace(',', ''))] as const),
  );
  expect(new Map(rates)).toEqual(DEFAULT_RATES);
});
