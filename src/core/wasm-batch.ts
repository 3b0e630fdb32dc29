import { BATCH_CODES, DIGEST_BYTES, DIGEST_CODES } from './codes.ts';
import { allocateSecret, NO_BYTES } from './native-support.ts';
import { CORE_STATUS } from './status.ts';
import { isTypedArray } from './wasm-call.ts';
import type { Operations, Outcome } from './wasm-operations.ts';
import type { AsyncBinding, SyncBinding } from './wasm-signatures.ts';

/** What is done with one item, and the one beside it in a batch that takes two of each. */
type ItemWork = (item: Uint8Array, other: Uint8Array) => Outcome;

/** `batchAsync` of a binding without threads: one item after the other. */
export function batchOver(
  native: SyncBinding,
  operations: Operations,
  ...values: Parameters<AsyncBinding['batchAsync']>
): Outcome {
  const [key, operation, algorithm, messageType, data, ends, otherData, otherEnds] = values;
  const work = workOf(native, operations, key, operation, algorithm, messageType);
  const items = split(data, ends);
  const others = split(otherData, otherEnds);
  const takesOthers = operation === BATCH_CODES.verify || operation === BATCH_CODES.hmacVerify;
  if (work === undefined || items === undefined || others?.length !== (takesOthers ? items.length : 0))
    return -CORE_STATUS.invalidArgument;
  // Nothing to do, but it needs the key.
  if (native.hmacVerify(key, DIGEST_CODES['SHA-256'], NO_BYTES, NO_BYTES) === -CORE_STATUS.destroyedKey)
    return -CORE_STATUS.destroyedKey;
  return packed(items.map((item, index) => work(item, others[index] ?? NO_BYTES)));
}

function workOf(
  native: SyncBinding,
  operations: Operations,
  key: number,
  operation: number,
  algorithm: number,
  messageType: number,
): ItemWork | undefined {
  switch (operation) {
    case BATCH_CODES.sign:
      return (message) => operations.sign(key, algorithm, messageType, message);
    case BATCH_CODES.verify:
      return (message, signature) => noBytesIf(native.verify(key, algorithm, messageType, message, signature));
    case BATCH_CODES.publicEncrypt:
      return (plaintext) => operations.publicEncrypt(key, algorithm, plaintext);
    case BATCH_CODES.privateDecrypt:
      return (ciphertext) => operations.privateDecrypt(key, algorithm, ciphertext);
    case BATCH_CODES.ecdh:
      return (peerSpki) => operations.ecdh(key, peerSpki);
    case BATCH_CODES.encapsulate:
      return (item) => (item.length === 0 ? operations.encapsulate(key) : -CORE_STATUS.invalidArgument);
    case BATCH_CODES.decapsulate:
      return (ciphertext) => operations.decapsulate(key, ciphertext);
    case BATCH_CODES.hmac:
      return (item) => {
        const out = allocateSecret(digestBytes(algorithm));
        const code = native.hmacInto(key, algorithm, item, out);
        return code < 0 ? code : [out];
      };
    case BATCH_CODES.hmacVerify:
      return (item, mac) => noBytesIf(native.hmacVerify(key, algorithm, item, mac));
    default:
      return undefined;
  }
}

function digestBytes(algorithm: number): number {
  const names = Object.keys(DIGEST_CODES) as (keyof typeof DIGEST_CODES)[];
  const name = names.find((candidate) => DIGEST_CODES[candidate] === algorithm);
  return name === undefined ? 0 : DIGEST_BYTES[name];
}

/** `code` is 1 for a signature or MAC that fits, 0 for one that does not. */
function noBytesIf(code: number): Outcome {
  if (code === 0) return -CORE_STATUS.authenticationFailed;
  return code < 0 ? code : [];
}

/** The items; undefined when the ends do not fit the data. */
function split(data: Uint8Array, ends: Uint32Array): Uint8Array[] | undefined {
  if (!isTypedArray(data, 'Uint8Array') || !isTypedArray(ends, 'Uint32Array')) return undefined;
  let begin = 0;
  const items: Uint8Array[] = [];
  for (const end of ends) {
    if (end < begin || end > data.length) return undefined;
    items.push(data.subarray(begin, end));
    begin = end;
  }
  return items;
}

/** Results end to end, their ends and their statuses. The memory of each is wiped. */
function packed(outcomes: readonly Outcome[]): Outcome {
  const lengths = outcomes.map((outcome) =>
    typeof outcome === 'number' ? 0 : outcome.reduce((sum, output) => sum + output.length, 0),
  );
  const data = allocateSecret(lengths.reduce((sum, length) => sum + length, 0));
  const ends = new Uint32Array(outcomes.length);
  const statuses = allocateSecret(outcomes.length);
  let end = 0;
  for (const [index, outcome] of outcomes.entries()) {
    statuses[index] = typeof outcome === 'number' ? -outcome : CORE_STATUS.ok;
    for (const output of typeof outcome === 'number' ? [] : outcome) {
      data.set(output, end);
      output.fill(0);
      end += output.length;
    }
    ends[index] = end;
  }
  return [data, new Uint8Array(ends.buffer) as Buffer, statuses];
}
