/** Requests to a token whose environment or process ends before they do. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAddon } from '../../src/core/load-addon.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';

let hsm: SoftHsm;
let script: (rest: string) => SpawnSyncReturns<string>;

const LIBRARY = new URL('../../dist/pkcs11/index.js', import.meta.url).href;

function run(args: readonly string[]): SpawnSyncReturns<string> {
  const env = { ...process.env, ...hsm.environment };
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000, env });
}

describe.skipIf(missingSoftHsm !== undefined)('requests to a token', () => {
  beforeAll(() => {
    hsm = createSoftHsm();
    const { pin, slot } = hsm.addToken('lifecycle');
    const start = `
      const native = require(${JSON.stringify(findAddon())});
      const bytes = (content) => Buffer.from(content);
      const replies = new Map();
      const receive = (memory, size) => {
        const words = new Uint32Array(memory, 0, size / 4);
        for (let at = 0; at < words.length; at += words[at] / 4) replies.get(words[at + 1])?.(words[at + 4]);
      };
      const open = () => native.pkcs11Open(bytes(${JSON.stringify(hsm.module)}), bytes(''), bytes('${pin}'), bytes(''),
        Uint32Array.of(${slot}, 2, 2, 4096, 10000, 30000, 0, 1), receive);
      // Of generateRandom: a promise of the length of what comes.
      const submit = (token, ticket, length) => {
        native.pkcs11Submit(token, bytes(Uint32Array.of(ticket, 1, length, 0, 0, 0, 0, 0, 0).buffer));
        return new Promise((resolve) => replies.set(ticket, resolve));
      };
      const start = async () => {
        const [token] = await open();
        for (let i = 0; i < 4000; i++) void submit(token, i, 4096);
        return token;
      };`;
    script = (rest) => {
      const source = `const START = ${JSON.stringify(start)};${start}${rest}`;
      return run(['-e', source]);
    };
  });
  afterAll(() => hsm.remove());

  it('do not keep a process from exiting, or crash it', () => {
    const { status, signal, stderr } = script('start().then(() => setImmediate(() => process.exit(7)));');
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' });
  });

  it('keep a process until they are answered; an open token alone does not', () => {
    const { status, stdout, stderr } = script(`
      start().then((token) => submit(token, 5000, 8)).then((length) => console.log(length));`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '8\n', stderr: '' });
  });

  it('do not keep or crash the thread or process that ends in the turn that asks for them', () => {
    const { pin, label } = hsm.addToken('ending');
    const options = { modulePath: hsm.module, token: { label }, profile: 'softhsm' };
    const asking = `
      import { Worker } from 'node:worker_threads';
      import { openPkcs11Token } from ${JSON.stringify(LIBRARY)};
      const token = await openPkcs11Token({ ...${JSON.stringify(options)}, pin: Buffer.from('${pin}') });
      for (let i = 0; i < 100; i++) void token.generateRandom(32);`;
    const thread = `data:text/javascript,${encodeURIComponent(`${asking} process.exit(3);`)}`;
    const source = `${asking}
      const thread = new Worker(new URL(${JSON.stringify(thread)}));
      thread.on('exit', (code) => {
        for (let i = 0; i < 100; i++) void token.generateRandom(32);
        process.exit(code + 1);
      });`;
    const { status, signal, stderr } = run(['--input-type=module', '-e', source]);
    expect({ status, signal, stderr }).toEqual({ status: 4, signal: null, stderr: '' });
  });

  it('survive the end of their worker thread, and so does a token of another', () => {
    const { status, stdout, stderr } = script(`
      const { Worker } = require('node:worker_threads');
      const source = START + "start().then(() => require('node:worker_threads').parentPort.postMessage(0));";
      open().then(([token]) => {
        let left = 3;
        const next = async () => {
          if (left-- > 0) {
            const worker = new Worker(source, { eval: true });
            worker.on('message', () => worker.terminate().then(next));
            return;
          }
          console.log('done', await submit(token, 0, 8));
        };
        next();
      });`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done 8\n', stderr: '' });
  });
});
