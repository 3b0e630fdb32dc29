/**
 * Measures @cloud-copilot/iam-simulate by itself: a workload as JSON in, nanoseconds per decision as JSON out, one figure
 * per sample. Policies are loaded and the request is taken apart only once, as on our side.
 */
import { readFileSync } from 'node:fs';
import { askEngine, loadAll } from '../../test/policy/oracle/engine.mjs';

const { policies, request, expected, minimumMs, samples } = JSON.parse(readFileSync(0, 'utf8'));
const loaded = loadAll(policies);
const answer = askEngine(loaded, request);
if (answer !== expected) throw new Error(`iam-simulate answers ${answer}`);

/** Nanoseconds per decision, over at least `minimumMs`. */
function sample() {
  const begin = process.hrtime.bigint();
  let decisions = 0;
  let elapsed = 0;
  while (elapsed < minimumMs * 1e6) {
    for (let i = 0; i < 20; i++) askEngine(loaded, request);
    decisions += 20;
    elapsed = Number(process.hrtime.bigint() - begin);
  }
  return elapsed / decisions;
}

// Not counted: code gets compiled.
for (let i = 0; i < 3; i++) sample();
process.stdout.write(JSON.stringify(Array.from({ length: samples }, sample)));
