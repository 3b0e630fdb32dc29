/** Where the bytes of private keys lie: a process looks for its own secrets in its memory. Linux only. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { findAddon } from '../../src/core/load-addon.ts';

// The needle is kept masked, and compared byte by byte, so that the search does not find itself.
const CODE = `
  const fs = require('node:fs');
  const { createPrivateKey, createPublicKey, randomBytes } = require('node:crypto');
  const native = require(${JSON.stringify(findAddon())});
  const none = new Uint8Array(0);
  const MASK = 0x5a;

  // Takes the marks of the secret and wipes it.
  const masked = (bytes) => { const copy = Buffer.from(bytes.map((byte) => byte ^ MASK)); bytes.fill(0); return copy; };

  function find(needle, memory) {
    const first = needle[0] ^ MASK, second = needle[1] ^ MASK;
    let count = 0;
    for (let at = memory.indexOf(first); at !== -1 && at + needle.length <= memory.length;
      at = memory.indexOf(first, at + 1)) {
      if (memory[at + 1] !== second) continue;
      let length = 2;
      while (length < needle.length && memory[at + length] === (needle[length] ^ MASK)) length++;
      if (length === needle.length) count++;
    }
    return count;
  }

  // Writable mappings that a core dump would hold; or those that it leaves out.
  function mappings(isProtected) {
    const regions = [];
    let current;
    for (const line of fs.readFileSync('/proc/self/smaps', 'utf8').split('\\n')) {
      const head = /^([0-9a-f]+)-([0-9a-f]+) (\\S+)/.exec(line);
      if (head) current = { begin: parseInt(head[1], 16), end: parseInt(head[2], 16), flags: head[3] };
      const flags = /^VmFlags: (.*)/.exec(line);
      if (flags && /rw/.test(current.flags) && /\\bdd\\b/.test(flags[1]) === isProtected) regions.push(current);
    }
    return regions;
  }

  const file = fs.openSync('/proc/self/mem', 'r');
  // A number is kept with its highest byte first in encodings, and last in arithmetic.
  function search(needle, isProtected = false) {
    return searchOne(needle, isProtected) + searchOne(Buffer.from(needle).reverse(), isProtected);
  }

  function searchOne(needle, isProtected) {
    const chunk = Buffer.allocUnsafeSlow(1 << 20);
    let found = 0;
    for (const { begin, end } of mappings(isProtected)) {
      for (let at = begin; at < end; at += chunk.length - 64) {
        try {
          const length = fs.readSync(file, chunk, 0, Math.min(chunk.length, end - at), at);
          found += find(needle, chunk.subarray(0, length));
          chunk.fill(0);
        } catch { break; }
      }
    }
    return found;
  }
`;

function run(script: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', CODE + script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe.skipIf(process.platform !== 'linux')('memory that a core dump would hold', () => {
  it('shows a secret of JavaScript, so the search works', () => {
    expect(
      run(`
        const secret = randomBytes(32);
        const needle = Buffer.from(secret.map((byte) => byte ^ MASK));
        console.log(JSON.stringify(search(needle) > 0 && secret.length === 32));`),
    ).toBe(true);
  });

  it('holds no private key that signs, exports its public part, is wrapped and unwrapped', () => {
    const counts = run(`
      const counts = {};
      const message = Buffer.alloc(32), out = Buffer.alloc(8192), small = Buffer.alloc(5000);
      const kek = native.generateKey(3, 32);
      // type, algorithm, offset and length of what is secret in the PKCS #8
      for (const [type, algorithm, offset, length] of [[19, 7, 36, 32], [20, 8, 35, 48], [23, 10, 16, 32]]) {
        const made = native.generateKeyPair(type);
        const size = native.exportPrivateKeyInto(made, out);
        const key = native.importPrivateKey(type, out.subarray(0, size));
        const needle = masked(out.subarray(offset, offset + length));
        out.fill(0);
        for (let i = 0; i < 5; i++) native.signInto(key, algorithm, 1, message, small);
        const wrapped = Buffer.alloc(native.keyLength(key) + 64);
        native.wrapKeyInto(kek, key, none, wrapped);
        const again = native.unwrapKey(kek, wrapped, none, type);
        if (native.signInto(again, algorithm, 1, message, small) <= 0) throw new Error('sign');
        counts[type] = [search(needle), search(needle, true) > 0];
      }
      // RSA: the first bytes of the private exponent and of a prime.
      const rsa = native.generateKeyPair(16);
      const size = native.exportPrivateKeyInto(rsa, out);
      const d = masked(out.subarray(310, 342)), p = masked(out.subarray(size - 640, size - 608));
      out.fill(0);
      for (let i = 0; i < 5; i++) native.signInto(rsa, 1, 1, message, small);
      counts.rsa = [search(d), search(d, true) > 0, search(p), search(p, true) > 0];
      console.log(JSON.stringify(counts));`);
    expect(counts).toEqual({ 19: [0, true], 20: [0, true], 23: [0, true], rsa: [0, true, 0, true] });
  });
});
