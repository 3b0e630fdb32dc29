/**
 * Measures Decrypt of one blob by an engine of its own: where the store is and the blob as JSON in, nanoseconds per
 * request as JSON out, one figure per sample.
 */
import { readFileSync } from 'node:fs';
import { Engine } from 'keywright';
import { CONTEXT, PLAINTEXT } from './store.ts';

/** What this program reads. */
export interface DecryptWork {
  readonly dataDirectory: string;
  /** Base64. */
  readonly blob: string;
  readonly minimumMs: number;
  readonly samples: number;
}

const RUN = 50;
const WARM_UP_RUNS = 100;

const { dataDirectory, blob, minimumMs, samples } = JSON.parse(readFileSync(0, 'utf8')) as DecryptWork;
const engine = await Engine.open({ dataDirectory, regions: [CONTEXT.region] });
const request = { CiphertextBlob: Buffer.from(blob, 'base64') };
const { Plaintext } = await engine.call('Decrypt', request, CONTEXT);
if (!PLAINTEXT.equals(Plaintext ?? new Uint8Array())) throw new Error('the plaintext did not come back');

async function run(): Promise<void> {
  for (let i = 0; i < RUN; i++) await engine.call('Decrypt', request, CONTEXT);
}

/** Nanoseconds per request, over at least `minimumMs`. */
async function sample(): Promise<number> {
  const begin = process.hrtime.bigint();
  let requests = 0;
  let elapsed = 0;
  while (elapsed < minimumMs * 1e6) {
    await run();
    requests += RUN;
    elapsed = Number(process.hrtime.bigint() - begin);
  }
  return elapsed / requests;
}

for (let i = 0; i < WARM_UP_RUNS; i++) await run();
const measured: number[] = [];
for (let i = 0; i < samples; i++) measured.push(await sample());
console.log(JSON.stringify(measured));
await engine.close();
