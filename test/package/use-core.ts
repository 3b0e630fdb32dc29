/** A program with the core of the installed package. Argument: the binding that it must find. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CoreError, loadCore, type CryptoCore } from 'keywright/core';
import { loadWasmCore, type PlainCore } from 'keywright/core/wasm';

const [, , binding] = process.argv;

function sealsAndOpens(core: CryptoCore | PlainCore): void {
  const key = core.generateKey('aesGcm');
  const plaintext = Buffer.from('what only the holder of the key reads');
  const aad = Buffer.from('for whom');
  const sealed = core.encrypt(key, plaintext, aad);
  assert.ok(!Buffer.from(sealed).includes(plaintext));
  assert.deepEqual(Buffer.from(core.decrypt(key, sealed, aad)), plaintext);
  assert.throws(
    () => core.decrypt(key, sealed, Buffer.from('for others')),
    (error) => error instanceof CoreError && error.status === 'authenticationFailed',
  );
}

const core = loadCore();
const info = core.info();
assert.equal(info.binding, binding);
assert.equal(info.isOwnLibcrypto, true);
sealsAndOpens(core);

// As a page does it, which fetches the file from where a bundler has put it.
const wasm = await loadWasmCore(readFileSync(new URL(import.meta.resolve('keywright/keywright.wasm'))));
assert.equal(wasm.info().binding, 'wasm');
sealsAndOpens(wasm);

process.stdout.write(`Node.js ${process.versions.node}: ${info.binding}, ${info.opensslVersion}\n`);
