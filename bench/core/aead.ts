import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { AEAD_OVERHEAD_BYTES, loadCore, type KeyHandle } from 'keywright/core';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { batchLimit, LIMIT, limitRow } from './limit.ts';
import { nodeDecrypt, nodeEncryptInto } from './node-crypto.ts';
import { AAD_BYTES, batchSizes, KEY_BYTES, packedItems, requireEqual, sizeName } from './workload.ts';

const core = loadCore('napi');
const BASELINE = 'node:crypto, reused Buffer';
const DECRYPT_BASELINE = 'node:crypto';

export function encryptName(sizeBytes: number): string {
  return `AES-256-GCM: encrypt ${sizeName(sizeBytes)}`;
}

export function encryptGroup(sizeBytes: number): Group {
  return { name: encryptName(sizeBytes), sizeBytes, baseline: BASELINE, open: () => encryptRows(sizeBytes) };
}

export function decryptGroup(sizeBytes: number): Group {
  const name = `AES-256-GCM: decrypt ${sizeName(sizeBytes)}`;
  return { name, sizeBytes, baseline: DECRYPT_BASELINE, open: () => decryptRows(sizeBytes) };
}

/** The same key for both sides. */
function keys(): { key: KeyHandle; nodeKey: KeyObject } {
  const bytes = randomBytes(KEY_BYTES);
  return { key: core.importKey('aesGcm', bytes), nodeKey: createSecretKey(bytes) };
}

function encryptRows(sizeBytes: number): Row[] {
  const { key, nodeKey } = keys();
  const aad = randomBytes(AAD_BYTES);
  const plaintext = randomBytes(sizeBytes);
  const sealedBytes = sizeBytes + AEAD_OVERHEAD_BYTES;
  const out = Buffer.alloc(sealedBytes);

  requireEqual(core.decrypt(key, nodeEncryptInto(nodeKey, plaintext, aad, out), aad), plaintext, 'node to core');
  requireEqual(nodeDecrypt(nodeKey, core.encrypt(key, plaintext, aad), aad), plaintext, 'core to node');
  return [
    inProcess('encryptInto, reused buffer', 1, () => core.encryptInto(key, plaintext, aad, out), LIMIT),
    inProcess('encrypt, new Buffer', 1, () => core.encrypt(key, plaintext, aad), LIMIT),
    ...batchSizes(sizeBytes).map((count) => encryptBatchRow(sizeBytes, count, key, aad)),
    inProcess(BASELINE, 1, () => nodeEncryptInto(nodeKey, plaintext, aad, out)),
    inProcess('node:crypto, new Buffer', 1, () =>
      nodeEncryptInto(nodeKey, plaintext, aad, Buffer.allocUnsafe(sealedBytes)),
    ),
    limitRow(LIMIT, 'encrypt', sizeBytes, 1),
    ...batchSizes(sizeBytes).map((count) => limitRow(batchLimit(count), 'encrypt', sizeBytes, count)),
  ];
}

function encryptBatchRow(sizeBytes: number, count: number, key: KeyHandle, aad: Buffer): Row {
  const items = packedItems(sizeBytes, count);
  const out = Buffer.alloc((sizeBytes + AEAD_OVERHEAD_BYTES) * count);
  const name = `encryptBatchInto, ${count} items`;
  return inProcess(name, count, () => core.encryptBatchInto(key, items, aad, out), batchLimit(count));
}

function decryptRows(sizeBytes: number): Row[] {
  const { key, nodeKey } = keys();
  const aad = randomBytes(AAD_BYTES);
  const plaintext = randomBytes(sizeBytes);
  const sealed = core.encrypt(key, plaintext, aad);
  const out = Buffer.alloc(sizeBytes);

  return [
    inProcess('decryptInto, reused buffer', 1, () => core.decryptInto(key, sealed, aad, out), LIMIT),
    inProcess('decrypt, new Buffer', 1, () => core.decrypt(key, sealed, aad), LIMIT),
    ...batchSizes(sizeBytes).map((count) => decryptBatchRow(sizeBytes, count, key, aad)),
    inProcess(DECRYPT_BASELINE, 1, () => nodeDecrypt(nodeKey, sealed, aad)),
    limitRow(LIMIT, 'decrypt', sizeBytes, 1),
    ...batchSizes(sizeBytes).map((count) => limitRow(batchLimit(count), 'decrypt', sizeBytes, count)),
  ];
}

function decryptBatchRow(sizeBytes: number, count: number, key: KeyHandle, aad: Buffer): Row {
  const items = packedItems(sizeBytes, count);
  const sealed = core.encryptBatchInto(key, items, aad, Buffer.alloc((sizeBytes + AEAD_OVERHEAD_BYTES) * count));
  const out = Buffer.alloc(sizeBytes * count);
  const decrypt = (): unknown => core.decryptBatchInto(key, sealed, aad, out);
  decrypt();
  requireEqual(out, items.data, 'batch');
  return inProcess(`decryptBatchInto, ${count} items`, count, decrypt, batchLimit(count));
}
