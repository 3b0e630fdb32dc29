import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freePort, startServer } from '../support/server-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

it('the examples of the README run as they stand there', async () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  expect(examples.length).toBe(2);
  const folder = temporaryFolder();
  const port = await freePort();
  const credentials = { KEYWRIGHT_ACCESS_KEY_ID: 'AKIAREADMEREADMEREAD', KEYWRIGHT_SECRET_ACCESS_KEY: 'readme' };
  const server = await startServer(folder.path, port, credentials);
  // In the package's own folder, where the imports of the examples resolve.
  const script = join(root, 'build', `readme-${String(process.pid)}.mjs`);
  try {
    const [overHttp = '', inProcess = ''] = examples;
    const check = `
      if (Buffer.compare(Buffer.from(Plaintext), Buffer.from(dataKey.Plaintext)) !== 0) throw new Error('not equal');
      {
        ${inProcess.replaceAll(/^import .*\n/gm, '').replace("'./data'", JSON.stringify(join(folder.path, 'embedded')))}
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
        console.log(KeyMetadata.Arn);
        await engine.close();
      }`;
    const imports = [...inProcess.matchAll(/^import .*\n/gm)].map(([line]) => line).join('');
    const code = overHttp.replace('http://127.0.0.1:4599', server.url) + check;
    writeFileSync(script, imports + code);
    const { stdout } = await run(process.execPath, ['--no-warnings', script], {
      env: {
        AWS_ACCESS_KEY_ID: credentials.KEYWRIGHT_ACCESS_KEY_ID,
        AWS_SECRET_ACCESS_KEY: credentials.KEYWRIGHT_SECRET_ACCESS_KEY,
      },
    });
    expect(stdout).toMatch(/^arn:aws:kms:us-east-1:111122223333:key\//);
  } finally {
    rmSync(script, { force: true });
    await server.stop();
    folder.remove();
  }
}, 60_000);
