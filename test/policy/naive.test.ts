import { describe, expect, it } from 'vitest';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import { interpret } from './naive.ts';
import { compileAll, questionOf, SEED } from './random-case.ts';
import { Draw, drawPolicies, drawRequest, type PolicyJson } from './random-policies.ts';

describe(`compiled policies (seed ${SEED})`, () => {
  it('mean what a plain reading of them means', () => {
    const draw = new Draw(SEED, true);
    const counts = { allow: 0, deny: 0, none: 0 };
    for (let set = 0; set < 500; set++) {
      const json = drawPolicies(draw);
      const all = compileAll(json);
      const pairs: readonly (readonly [PolicyJson | undefined, CompiledPolicy | undefined])[] = [
        [json.resource, all.resource],
        [json.boundary, all.boundary],
        [json.session, all.session[0]],
        [json.vpcEndpoint, all.vpcEndpoint],
        ...json.identity.map((policy, index) => [policy, all.identity[index]] as const),
      ];
      for (const request of draw.some(20, 20, () => drawRequest(draw))) {
        for (const [policy, compiled] of pairs) {
          if (policy === undefined || compiled === undefined) {
            continue;
          }
          const { effect } = compiled.evaluate(questionOf(request));
          const plain = interpret(policy, request);
          counts[effect]++;
          if (effect !== plain) {
            expect.fail(`${effect}, not ${plain}: ${JSON.stringify({ policy, request }, null, 1)}`);
          }
        }
      }
    }
    expect(Math.min(counts.allow, counts.deny, counts.none)).toBeGreaterThan(1000);
  });
});
