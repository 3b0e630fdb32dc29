/** Requests to a token whose environment or process ends before they do. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findAddon } from '../../src/core/load-addon.ts';
import { createSoftHsm, missingSoftHsm, type SoftHsm } from '../support/softhsm.ts';

let hsm: SoftHsm;
let script: (rest: string) => SpawnSyncReturns<string>;

describe.skipIf(missingSoftHsm !== undefined)('requests to a token', () => {
  beforeAll(() => {
    hsm = createSoftHsm();
    const { pin, slot } = hsm.addToken('lifecycle');
    const start = `
      const native = require(${JSON.stringify(findAddon())});
      const bytes = (text) => Buffer.from(text);
      const open = () => native.pkcs11Open(bytes(${JSON.stringify(hsm.module)}), bytes(''), bytes('${pin}'), bytes(''),
        Uint32Array.of(${slot}, 2, 2, 4096, 10000, 30000, 0, 1));
      const start = async () => {
        const [token] = await open();
        const nothing = bytes(''), numbers = Uint32Array.of(4096, 0, 0, 0);
        for (let i = 0; i < 4000; i++) native.pkcs11Submit(token, 1, nothing, numbers, nothing);
        return token;
      };`;
    script = (rest) => {
      const source = `const START = ${JSON.stringify(start)};${start}${rest}`;
      const env = { ...process.env, ...hsm.environment };
      return spawnSync(process.execPath, ['-e', source], { encoding: 'utf8', timeout: 60_000, env });
    };
  });
  afterAll(() => hsm.remove());

  it('do not keep a process from exiting, or crash it', () => {
    const { status, signal, stderr } = script('start().then(() => setImmediate(() => process.exit(7)));');
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' });
  });

  it('keep a process until they are answered; an open token alone does not', () => {
    const { status, stdout, stderr } = script(`
      start().then((token) => native.pkcs11Submit(token, 1, bytes(''), Uint32Array.of(8, 0, 0, 0), bytes('')))
        .then((random) => console.log(random.length));`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '8\n', stderr: '' });
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
          const random = await native.pkcs11Submit(token, 1, bytes(''), Uint32Array.of(8, 0, 0, 0), bytes(''));
          console.log('done', random.length);
        };
        next();
      });`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'done 8\n', stderr: '' });
  });
});
