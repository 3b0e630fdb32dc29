/**
 * Our decisions against those of another implementation, @cloud-copilot/iam-simulate, in a process of its own.
 *
 * Where the two are known to differ, we follow the IAM User Guide:
 * - The oracle lets NotPrincipal with Deny spare a caller of whom only the account, or only the user or session, is
 *   listed; "AWS JSON policy elements: NotPrincipal" asks for all of them.
 * - The oracle lets a session policy limit what a resource policy gives to the session itself or to everybody; it does
 *   not, by "Policies and permissions in IAM", session policies.
 *
 * Such requests are left out one by one. What the generator never draws for the oracle, because it takes it otherwise:
 * variables without a value in negated comparisons and in NotResource ("IAM policy elements: Variables and tags": they
 * are like nothing), the character `${*}` in exact comparisons, variables in lists, texts that are no numbers, dates or
 * addresses, dates as seconds beside dates as text, single addresses, ARNs that are cut short, version 2008-10-17,
 * statements without Resource, the root user, federated sessions. naive.test.ts draws most of that.
 */
import { describe, expect, it } from 'vitest';
import type { AccessDecision, PolicySet } from '../../src/policy/decide.ts';
import { startOracle } from './oracle/oracle.ts';
import { decideOn, policiesFor, questionOf, compileAll, SEED } from './random-case.ts';
import { Draw, drawPolicies, drawRequest, type RandomPolicies, type RandomRequest } from './random-policies.ts';
import { ACCOUNT, ROLE, SESSION } from './support.ts';

const REQUESTS_PER_SET = 50;
/** Everything in continuous integration; elsewhere what takes some seconds. */
const SETS = process.env['CI'] === 'true' ? 2200 : 220;

/** Whether a request meets a known difference. */
function isDisputed(request: RandomRequest, policies: RandomPolicies, all: PolicySet, own: AccessDecision): boolean {
  const isSession = request.principal.includes(':assumed-role/');
  const isLimitedByOracle =
    isSession &&
    own.effect === 'allow' &&
    own.by.type === 'resource-based policy' &&
    all.session.some((policy) => policy.evaluate(questionOf(request)).effect !== 'allow');
  return isLimitedByOracle || isPartlySpared(request, policies);
}

/** Whether a NotPrincipal with Deny lists some of the account, the role and the caller itself, and not all of them. */
function isPartlySpared({ principal }: RandomRequest, { resource }: RandomPolicies): boolean {
  const accountId = principal.split(':')[4] ?? '';
  const identities = [...(accountId === '' ? [] : [accountId]), ...(principal === SESSION ? [ROLE] : []), principal];
  return resource.Statement.some(({ Effect, NotPrincipal }) => {
    const listed = JSON.stringify(NotPrincipal ?? null).replaceAll(/arn:aws:iam::(\d{12}):root/g, '$1');
    const isListed = (identity: string): boolean => listed.includes(`"${identity}"`);
    return Effect === 'Deny' && identities.some(isListed) && !identities.every(isListed);
  });
}

function outcome(decision: AccessDecision): string {
  return decision.effect === 'allow' ? 'Allowed' : decision.by === undefined ? 'ImplicitlyDenied' : 'ExplicitlyDenied';
}

interface RandomSet {
  readonly policies: RandomPolicies;
  readonly requests: readonly RandomRequest[];
  /** The oracle's, one per request. */
  readonly theirs: Promise<readonly string[]>;
}

/** Compares the decisions on a set and counts them. */
async function compare({ policies, requests, theirs }: RandomSet, count: (what: string) => void): Promise<void> {
  const all = compileAll(policies);
  const expected = await theirs;
  for (const [index, request] of requests.entries()) {
    const own = decideOn(request, all);
    if (isDisputed(request, policies, policiesFor(request.principal, all), own)) {
      count('disputed');
      continue;
    }
    count(outcome(own));
    if (outcome(own) !== expected[index]) {
      expect.fail(`${outcome(own)}, not ${expected[index]}: ${JSON.stringify({ policies, request }, null, 1)}`);
    }
  }
}

describe(`decisions (seed ${SEED})`, () => {
  it('are those of another implementation', { timeout: 600_000 }, async () => {
    const draw = new Draw(SEED);
    const oracle = startOracle();
    const counts = new Map<string, number>();
    const count = (what: string): unknown => counts.set(what, (counts.get(what) ?? 0) + 1);
    const ask = (): RandomSet => {
      const policies = drawPolicies(draw);
      const requests = draw.some(REQUESTS_PER_SET, REQUESTS_PER_SET, () => drawRequest(draw));
      const theirs = oracle.ask({ policies, requests: requests.map((one) => ({ ...one, accountId: ACCOUNT })) });
      return { policies, requests, theirs };
    };
    try {
      // The oracle works on the next set while this process compares.
      let next = ask();
      for (let set = 0; set < SETS; set++) {
        const current = next;
        next = ask();
        await compare(current, count);
      }
      await next.theirs;
    } finally {
      await oracle.close();
    }
    // The comparison is worth something only when every outcome is common.
    for (const what of ['Allowed', 'ImplicitlyDenied', 'ExplicitlyDenied']) {
      expect(counts.get(what) ?? 0, what).toBeGreaterThan(SETS * 2);
    }
    expect(counts.get('disputed') ?? 0).toBeLessThan((SETS * REQUESTS_PER_SET) / 20);
  });
});
