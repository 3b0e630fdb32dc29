/** Asynchronous operations of the addon whose environment or process ends before they do. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findAddon } from '../../src/core/load-addon.ts';

const RSA_2048 = 16;
const RSA_3072 = 17;
const P256 = 19;
const START = `
  const native = require(${JSON.stringify(findAddon())});
  const start = () => {
    for (let i = 0; i < 4; i++) native.generateKeyPairAsync(${RSA_3072});
    for (let i = 0; i < 1000; i++) native.generateKeyPairAsync(${P256});
    const none = new Uint8Array(0), noEnds = new Uint32Array(0);
    const ends = Uint32Array.from({ length: 2000 }, (_, index) => index);
    for (const [type, algorithm] of [[${P256}, 7], [${RSA_2048}, 1]]) {
      const pair = native.generateKeyPair(type);
      native.batchAsync(pair, 1, algorithm, 1, new Uint8Array(2000), ends, none, noEnds);
      native.destroyKey(pair);
    }
    const key = native.generateKey(1, 32);
    const plaintext = new Uint8Array(8e6), out = new Uint8Array(8e6 + 28);
    native.encryptIntoAsync(key, plaintext, none, out, 0);
    native.destroyKey(key);
  };`;

function run(script: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['-e', START + script], { encoding: 'utf8', timeout: 60_000 });
}

describe('asynchronous operations', () => {
  it('do not keep a process from exiting, or crash it', () => {
    const { status, signal, stderr } = run('start(); setImmediate(() => process.exit(7));');
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' });
  });

  it('survive the end of their worker thread', () => {
    const { status, stderr, stdout } = run(`
      const { Worker } = require('node:worker_threads');
      const source = ${JSON.stringify(START)} + "start(); require('node:worker_threads').parentPort.postMessage(0);";
      let left = 3;
      const next = () => {
        if (left-- === 0) { console.log('done', native.generateKey(1, 32) > 0); return; }
        const worker = new Worker(source, { eval: true });
        worker.on('message', () => worker.terminate().then(next));
      };
      next();`);
    expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: 'done true\n' });
  }, 90_000);

  it('finish with a key in the table of their environment', () => {
    const { stdout } = run(`
      native.generateKeyPairAsync(19).then((handle) => {
        const out = new Uint8Array(4096);
        console.log(handle > 0, native.exportPublicKeyInto(handle, out));
      });`);
    expect(stdout).toBe('true 91\n');
  });
});
