import { describe, expect, it } from 'vitest';
import { chartSvg, short } from '../../bench/lib/chart.ts';
import type { Group, Row } from '../../bench/lib/group.ts';
import { LatencyCounter } from '../../bench/lib/latency.ts';
import { pageOf } from '../../bench/lib/page.ts';
import { measureGroup } from '../../bench/lib/rounds.ts';
import { groupTable, targetTable } from '../../bench/lib/table.ts';
import { judge } from '../../bench/lib/targets.ts';
import { hsmVerdicts } from '../../bench/hsm/targets.ts';

const EFFORT = { rounds: 2, warmUpRounds: 1, samples: 1, minimumMs: 1 };

/** A row of 1,000 calls in each round, all of which take as long as the row says. */
function row(name: string, ns: number, more: Partial<Row> = {}): Row {
  const latencies = new LatencyCounter();
  for (let call = 0; call < 1000; call++) latencies.add(ns);
  const measured = { samples: [{ ns, cpuNs: ns / 2 }], latencies: latencies.histogram() };
  return { name, measure: () => measured, ...more };
}

const GROUP: Group = {
  name: 'SoftHSM2: <encrypt>',
  sizeBytes: 0,
  baseline: 'graphene-pk11, asynchronous, 1 in flight',
  open: async () => [
    row('limit: C loop, 1 session', 8000, { series: 'limit: C loop, 1 session' }),
    row('limit: C loop, 2 sessions', 9000, { series: 'limit: C loop, 2 sessions' }),
    row('keywright, 1 session, 1 in flight', 40_000, {
      series: 'keywright, 1 session',
      limit: 'limit: C loop, 1 session',
      inFlight: 1,
    }),
    row('keywright, 1 session, 4 in flight', 16_000, {
      series: 'keywright, 1 session',
      limit: 'limit: C loop, 1 session',
      baseline: 'graphene-pk11, asynchronous, 4 in flight',
      inFlight: 4,
    }),
    row('keywright, 1 session, 64 in flight', 16_000, {
      series: 'keywright, 1 session',
      limit: 'limit: C loop, 1 session',
      baseline: 'graphene-pk11, asynchronous, 64 in flight',
      inFlight: 64,
    }),
    row('keywright, 1 session, batches of 64, 1 in flight', 9000, { inFlight: 1 }),
    row('keywright, 1 session, batches of 64, 4 in flight', 8500, { inFlight: 4 }),
    row('graphene-pk11, asynchronous, 1 in flight', 80_000, { series: 'graphene-pk11', inFlight: 1 }),
    row('graphene-pk11, asynchronous, 4 in flight', 64_000, { series: 'graphene-pk11', inFlight: 4 }),
    row('graphene-pk11, asynchronous, 64 in flight', 16_000, { series: 'graphene-pk11', inFlight: 64 }),
  ],
};
const RESULT = await measureGroup(GROUP, EFFORT);

describe('LatencyCounter', () => {
  it('gives percentiles to two percent, of all that was counted', () => {
    const [counter, other] = [new LatencyCounter(), new LatencyCounter()];
    for (let ns = 1; ns <= 10_000; ns++) (ns % 2 === 0 ? counter : other).add(ns);
    counter.addAll(other.histogram());
    const { count, p50Ns = 0, p99Ns = 0, p999Ns = 0 } = counter.summary() ?? {};
    expect(count).toBe(10_000);
    expect(p50Ns / 5000).toBeCloseTo(1, 1);
    expect(p99Ns / 9900).toBeCloseTo(1, 1);
    expect(p999Ns / 9990).toBeCloseTo(1, 1);
  });

  it('leaves out percentiles that would rest on fewer than ten calls', () => {
    const counter = new LatencyCounter();
    expect(counter.summary()).toBeUndefined();
    for (let call = 0; call < 999; call++) counter.add(1000);
    expect(counter.summary()).not.toHaveProperty('p99Ns');
    counter.add(1000);
    expect(counter.summary()).toHaveProperty('p99Ns');
    expect(counter.summary()).not.toHaveProperty('p999Ns');
  });
});

describe('rows that tell more than their speed', () => {
  it('have latencies of all rounds that count, and processor time', () => {
    const [limit] = RESULT.rows;
    expect(limit!.latency).toMatchObject({ count: 2000 });
    expect(limit!.latency!.p50Ns / 8000).toBeCloseTo(1, 1);
    expect(limit!.cpuSamplesNs).toEqual([[4000], [4000]]);
    expect(groupTable(RESULT)).toContain('p99.9 µs');
  });

  it('are compared with a baseline of their own', () => {
    const ratios = RESULT.rows.map(({ timesBaseline }) => timesBaseline.median);
    expect(ratios[2]).toBe(2);
    expect(ratios[3]).toBe(4);
  });

  it('leave a group out that has none', async () => {
    expect((await measureGroup({ ...GROUP, open: () => [] }, EFFORT)).rows).toEqual([]);
  });
});

describe('the targets of tokens', () => {
  const verdicts = hsmVerdicts([RESULT]);

  it('take the best row of each side, and a batch of 64 for 64 messages under way', () => {
    const figures = verdicts.map(({ row: name, measure, atLeast, reached, isMet }) => [
      name,
      measure,
      atLeast,
      Number(reached.toFixed(2)),
      isMet,
    ]);
    expect(figures).toEqual([
      ['keywright, 1 session, batches of 64, 4 in flight', 'ofLimit', 0.9, 0.94, true],
      ['keywright, 1 session, 1 in flight', 'timesBaseline', 3, 2, false],
      ['keywright, 1 session, 4 in flight', 'timesBaseline', 3, 4, true],
      // The C loop is only twice as fast as graphene-pk11.
      ['keywright, 1 session, batches of 64, 1 in flight', 'ofLimit', 0.9, 0.89, false],
    ]);
  });

  it('say what was compared, and what single requests reach', () => {
    expect(targetTable(verdicts)).toContain('(of limit: C loop, 1 session; single requests: 50 %)');
    expect(targetTable(verdicts)).toContain(
      '(for 64 in flight: 1.8x baseline; 3x not judged, limit: C loop, 1 session has 2.0x)',
    );
  });
});

describe('the page', () => {
  const page = pageOf({
    suite: 'hsm',
    machine: { cpu: 'a <fast> one' } as never,
    versions: {},
    effort: EFFORT,
    idleCores: 1,
    groups: [RESULT],
    targets: [
      ...judge(
        [{ group: GROUP.name, row: GROUP.baseline, measure: 'opsPerSecond', atLeast: 1, kind: 'goal' }],
        [RESULT],
      ),
    ],
  });

  it('has two charts for a group, a line for each series, and level lines for rows of all places', () => {
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page.match(/<polyline /g)).toHaveLength(4);
    expect(page.match(/class="level"/g)).toHaveLength(4);
  });

  it('loads nothing and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(|https?:/);
  });

  it('shows names as they are written', () => {
    expect(page).toContain('SoftHSM2: &#60;encrypt&#62;');
    expect(page).not.toContain('<encrypt>');
    expect(page).not.toContain('<fast>');
  });

  it('draws nothing where there is nothing to draw', () => {
    expect(chartSvg({ title: 'x', places: ['1'], series: [{ name: 'a', values: [undefined], isLevel: false }] })).toBe(
      '',
    );
  });

  it('shortens figures to three digits', () => {
    expect([0.5, 999, 12_345, 4_560_000].map(short)).toEqual(['0.5', '999', '12.3k', '4.56M']);
  });
});
