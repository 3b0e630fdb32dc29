import { createSecretKey, randomBytes, randomFillSync, type KeyObject } from 'node:crypto';
import { loadCore, MESSAGE_OVERHEAD_BYTES, type KeyHandle } from 'keywright/core';
import type { Group, Row } from '../lib/group.ts';
import { inProcess } from '../lib/loop.ts';
import { batchLimit, LIMIT, limitRow } from './limit.ts';
import { nodeDecryptMessage, nodeEncryptMessageInto } from './node-crypto.ts';
import { AAD_BYTES, batchItems, KEY_BYTES, packedItems, requireEqual, sizeName } from './workload.ts';

const core = loadCore('napi');
const BASELINE = 'node:crypto, same format';
/** Header of the ciphertext format, in bytes. */
const HEADER_BYTES = 50;
const DATA_KEY_BYTES = 32;
const DATA_KEY_BATCH = 64;

export const DATA_KEY_NAME = `backing key: generate data key of ${DATA_KEY_BYTES} B`;

export function encryptMessageName(sizeBytes: number): string {
  return `backing key: encrypt ${sizeName(sizeBytes)}`;
}

export function encryptMessageGroup(sizeBytes: number): Group {
  const open = (): Row[] => encryptRows(sizeBytes);
  return { name: encryptMessageName(sizeBytes), sizeBytes, baseline: BASELINE, open };
}

export function decryptMessageGroup(sizeBytes: number): Group {
  const name = `backing key: decrypt ${sizeName(sizeBytes)}`;
  return { name, sizeBytes, baseline: BASELINE, open: () => decryptRows(sizeBytes) };
}

export function dataKeyGroup(): Group {
  return { name: DATA_KEY_NAME, sizeBytes: DATA_KEY_BYTES, baseline: BASELINE, open: dataKeyRows };
}

/** Keys for both sides, and what a blob is bound to. */
interface Scene {
  readonly key: KeyHandle;
  readonly nodeKey: KeyObject;
  readonly header: Buffer;
  readonly context: Buffer;
  /** header ‖ context. */
  readonly bound: Buffer;
}

function scene(): Scene {
  const bytes = randomBytes(KEY_BYTES);
  const bound = randomBytes(HEADER_BYTES + AAD_BYTES);
  return {
    key: core.importKey('backing', bytes),
    nodeKey: createSecretKey(bytes),
    header: bound.subarray(0, HEADER_BYTES),
    context: bound.subarray(HEADER_BYTES),
    bound,
  };
}

function blobBytes(sizeBytes: number): number {
  return HEADER_BYTES + sizeBytes + MESSAGE_OVERHEAD_BYTES;
}

function encryptRows(sizeBytes: number): Row[] {
  const { key, nodeKey, header, context, bound } = scene();
  const plaintext = randomBytes(sizeBytes);
  const out = Buffer.alloc(blobBytes(sizeBytes));
  const count = batchItems(sizeBytes);
  const items = packedItems(sizeBytes, count);
  const batchOut = Buffer.alloc(blobBytes(sizeBytes) * count);

  nodeEncryptMessageInto(nodeKey, header, bound, plaintext, out);
  requireEqual(core.decryptMessage(key, HEADER_BYTES, out, context), plaintext, 'node to core');
  return [
    inProcess('encryptMessageInto', 1, () => core.encryptMessageInto(key, header, context, plaintext, out), LIMIT),
    inProcess('encryptMessage, new Buffer', 1, () => core.encryptMessage(key, header, context, plaintext), LIMIT),
    inProcess(
      `encryptMessageBatchInto, ${count} items`,
      count,
      () => core.encryptMessageBatchInto(key, header, context, items, batchOut),
      batchLimit(count),
    ),
    inProcess(BASELINE, 1, () => nodeEncryptMessageInto(nodeKey, header, bound, plaintext, out)),
    limitRow(LIMIT, 'encryptMessage', sizeBytes, 1),
    limitRow(batchLimit(count), 'encryptMessage', sizeBytes, count),
  ];
}

function decryptRows(sizeBytes: number): Row[] {
  const { key, nodeKey, header, context, bound } = scene();
  const plaintext = randomBytes(sizeBytes);
  const blob = core.encryptMessage(key, header, context, plaintext);
  const out = Buffer.alloc(sizeBytes);
  const count = batchItems(sizeBytes);
  const items = packedItems(sizeBytes, count);
  const blobs = core.encryptMessageBatchInto(key, header, context, items, Buffer.alloc(blobBytes(sizeBytes) * count));
  const batchOut = Buffer.alloc(sizeBytes * count);

  core.decryptMessageBatchInto(key, HEADER_BYTES, context, blobs, batchOut);
  requireEqual(batchOut, items.data, 'batch');
  requireEqual(nodeDecryptMessage(nodeKey, HEADER_BYTES, blob, bound), plaintext, 'core to node');
  return [
    inProcess('decryptMessageInto', 1, () => core.decryptMessageInto(key, HEADER_BYTES, blob, context, out), LIMIT),
    inProcess('decryptMessage, new Buffer', 1, () => core.decryptMessage(key, HEADER_BYTES, blob, context), LIMIT),
    inProcess(
      `decryptMessageBatchInto, ${count} items`,
      count,
      () => core.decryptMessageBatchInto(key, HEADER_BYTES, context, blobs, batchOut),
      batchLimit(count),
    ),
    inProcess(BASELINE, 1, () => nodeDecryptMessage(nodeKey, HEADER_BYTES, blob, bound)),
    limitRow(LIMIT, 'decryptMessage', sizeBytes, 1),
    limitRow(batchLimit(count), 'decryptMessage', sizeBytes, count),
  ];
}

function dataKeyRows(): Row[] {
  const { key, nodeKey, header, context, bound } = scene();
  const count = DATA_KEY_BATCH;
  const plaintexts = Buffer.alloc(DATA_KEY_BYTES * count);
  const blobs = Buffer.alloc(blobBytes(DATA_KEY_BYTES) * count);
  const plaintext = Buffer.alloc(DATA_KEY_BYTES);
  const blob = Buffer.alloc(blobBytes(DATA_KEY_BYTES));
  const batch = (): void => {
    core.generateDataKeyBatchInto(key, header, context, DATA_KEY_BYTES, count, plaintexts, blobs);
  };
  const nodeGenerate = (): Buffer => {
    randomFillSync(plaintext);
    return nodeEncryptMessageInto(nodeKey, header, bound, plaintext, blob);
  };

  requireEqual(core.decryptMessage(key, HEADER_BYTES, nodeGenerate(), context), plaintext, 'node to core');
  return [
    inProcess('generateDataKey', 1, () => core.generateDataKey(key, header, context, DATA_KEY_BYTES), LIMIT),
    inProcess(`generateDataKeyBatchInto, ${count} keys`, count, batch, batchLimit(count)),
    inProcess(BASELINE, 1, nodeGenerate),
    limitRow(LIMIT, 'generateDataKey', DATA_KEY_BYTES, 1),
    limitRow(batchLimit(count), 'generateDataKey', DATA_KEY_BYTES, count),
  ];
}
