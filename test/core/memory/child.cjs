// The process whose memory is searched: runs the calls of the plan that its first argument names, answers with their
// outputs, and stays with its keys until it is ended. What a call reads is wiped behind it; secrets of the plan stand
// there in hexadecimal, in which form nobody looks for them.
'use strict';
const { readFileSync, readSync, writeFileSync, writeSync } = require('node:fs');

const { addon, marker, steps } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const native = require(addon);
const keys = {};
// What was given to JavaScript stays, for the search to find.
globalThis.kept = [];

// In memory of its own: V8 keeps small arrays in its heap, moves them, and leaves copies behind.
const memory = (length) => Buffer.from(new ArrayBuffer(length));

function bytesOf(hex) {
  const bytes = memory(hex.length / 2);
  bytes.write(hex, 'hex');
  return bytes;
}

function valueOf(argument, inputs, outputs) {
  if (typeof argument === 'number') return argument;
  if (argument.key !== undefined) return keys[argument.key];
  if (argument.receives !== undefined) return receive;
  if (argument.words !== undefined) return Uint32Array.from(argument.words);
  const bytes = argument.out === undefined ? bytesOf(argument.hex) : memory(argument.out);
  (argument.out === undefined ? inputs : outputs).push(bytes);
  return bytes;
}

// Waits for the parent, which copies the stacks meanwhile: what the call left there is not written over yet.
const pause = memory(1);
function stop() {
  writeSync(1, 's\n');
  readSync(0, pause);
}

// The one output, if there is one, of the reply to the only request that is under way: native/pkcs11/wire.h.
let settle;
function receive(shared, size) {
  const words = new Uint32Array(shared, 0, size / 4);
  if (words[2] !== 0) return settle(words.slice(2, 5));
  if (words[3] === 0) return settle([]);
  const output = memory(words[4]);
  output.set(new Uint8Array(shared, 20, words[4]));
  settle([output]);
}

// What a token answers: a handle and what it says of itself, one output, or many.
function outputsOf(result) {
  if (result instanceof Uint32Array) throw new Error(`a token answered with the failure ${result}`);
  return (Buffer.isBuffer(result) ? [result] : result).filter((output) => Buffer.isBuffer(output));
}

async function run({ name, args, saveAs }) {
  const inputs = [];
  const outputs = [];
  const values = args.map((argument) => valueOf(argument, inputs, outputs));
  let result = native[name](...values);
  // Of the functions whose reply comes to `receive`.
  result ??= new Promise((resolve) => (settle = resolve));
  if (typeof result !== 'number') result = await result;
  stop();
  for (const input of inputs) input.fill(0);
  if (typeof result === 'number' && result < 0) throw new Error(`${name} failed with ${result}`);
  const all = typeof result === 'number' ? outputs : outputsOf(result);
  if (saveAs !== undefined) keys[saveAs] = Array.isArray(result) ? result[0] : result;
  globalThis.kept.push(...all);
  return { result: typeof result === 'number' ? result : 0, outputs: all.map((bytes) => bytes.toString('hex')) };
}

async function main() {
  // The search must find this one, which lies in memory that nothing protects.
  globalThis.marker = bytesOf(marker);
  const results = [];
  for (const step of steps) results.push(await run(step));
  const functions = Object.keys(native);
  writeFileSync(1, `${JSON.stringify({ results, functions, info: native.info() })}\n`);
  readSync(0, pause);
}

void main();
