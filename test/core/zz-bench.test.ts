import { it } from 'vitest';
import { createRequire } from 'node:module';
import { loadCore } from '../../src/core/index.ts';
import { loadWasm } from '../../src/core/load-wasm.ts';
it('asym', () => {
  const core = loadCore('wasm');
  for (const [t, a] of [
    ['rsa2048', 'RSASSA_PSS_SHA_256'],
    ['p256', 'ECDSA_SHA_256'],
    ['p384', 'ECDSA_SHA_384'],
    ['p521', 'ECDSA_SHA_512'],
    ['secp256k1', 'ECDSA_SHA_256'],
    ['ed25519', 'ED25519_SHA_512'],
    ['sm2', 'SM2DSA'],
    ['mlDsa65', 'ML_DSA_SHAKE_256'],
  ] as const) {
    let t0 = performance.now();
    const k = core.generateKeyPair(t);
    const gen = performance.now() - t0;
    t0 = performance.now();
    const s = core.sign(k, a, 'RAW', Buffer.from('hello'));
    const sign = performance.now() - t0;
    t0 = performance.now();
    const ok = core.verify(k, a, 'RAW', Buffer.from('hello'), s);
    console.log(t, ok, 'gen', gen.toFixed(1), 'sign', sign.toFixed(1), 'verify', (performance.now() - t0).toFixed(1));
  }
  const k = core.generateKeyPair('mlKem768');
  const e = core.encapsulate(k);
  console.log('kem', core.decapsulate(k, e.ciphertext).equals(e.sharedSecret));
}, 120000);
it('bench', () => {
  let t0 = performance.now();
  loadWasm();
  console.log('load+init ms', (performance.now() - t0).toFixed(1));
  for (const b of ['wasm', 'napi'] as const) {
    const core = loadCore(b);
    const key = core.generateKey('aesGcm');
    const bk = core.generateKey('backing');
    const none = new Uint8Array(0);
    for (const [n, iters] of [
      [32, 200000],
      [4096, b === 'wasm' ? 5000 : 100000],
      [2 ** 20, b === 'wasm' ? 20 : 1000],
    ] as const) {
      const p = Buffer.alloc(n, 7),
        out = Buffer.alloc(n + 64),
        aad = Buffer.alloc(32);
      const run = (f: () => void) => {
        let best = 0;
        for (let r = 0; r < 3; r++) {
          for (let i = 0; i < iters / 10; i++) f();
          const t = performance.now();
          for (let i = 0; i < iters; i++) f();
          best = Math.max(best, (iters / (performance.now() - t)) * 1000);
        }
        return best;
      };
      const e = run(() => core.encryptInto(key, p, aad, out));
      const sealed = core.encrypt(key, p, aad);
      const d = run(() => core.decryptInto(key, sealed, aad, out));
      const m = run(() => core.encryptMessageInto(bk, none, aad, p, out));
      console.log(
        b,
        n,
        'enc',
        e.toFixed(0),
        'op/s',
        ((e * n) / 1e6).toFixed(1),
        'MB/s dec',
        d.toFixed(0),
        'msg',
        m.toFixed(0),
      );
    }
  }
}, 120000);
