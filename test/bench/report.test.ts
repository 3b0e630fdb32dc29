import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Group, Measured, Row, Sample, Timed } from '../../bench/lib/group.ts';
import { inProcess } from '../../bench/lib/loop.ts';
import { inFlight } from '../../bench/lib/pool.ts';
import { parseOptions } from '../../bench/lib/options.ts';
import { reportJson, writeReport, type Report } from '../../bench/lib/report.ts';
import { evaluate, measureGroup } from '../../bench/lib/rounds.ts';
import { summarize } from '../../bench/lib/statistics.ts';
import { grouped, groupTable, targetTable } from '../../bench/lib/table.ts';
import { judge, type Target } from '../../bench/lib/targets.ts';

function samplesOf(measured: Sample[] | Measured): readonly Sample[] {
  return 'samples' in measured ? measured.samples : measured;
}

const EFFORT = { rounds: 3, warmUpRounds: 1, samples: 1, minimumMs: 1 };

// A machine that is three times slower in the second round: the ratios of the rounds do not move.
const SAMPLES = new Map([
  ['ours', [[100, 100], [300], [100]]],
  ['theirs', [[1500], [4500], [1500]]],
  ['limit', [[80], [240], [80]]],
]);
const GROUP = { name: 'encrypt 32 B', sizeBytes: 32, baseline: 'theirs' };
const ROWS = [{ name: 'ours', limit: 'limit' }, { name: 'theirs' }, { name: 'limit' }];
const RESULT = evaluate(GROUP, ROWS, SAMPLES);

describe('summarize', () => {
  it('takes the median, and half of what lies between the quartiles', () => {
    expect(summarize([5, 1, 3, 2, 4])).toEqual({ median: 3, spread: 1 / 3 });
    expect(summarize([1, 2])).toEqual({ median: 1.5, spread: 0.25 / 1.5 });
    expect(summarize([7])).toEqual({ median: 7, spread: 0 });
  });

  it('refuses no values', () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});

describe('evaluate', () => {
  it('gives times, rates and throughput of the median round', () => {
    const [ours] = RESULT.rows;
    expect(ours).toMatchObject({ name: 'ours', time: { median: 100, spread: 0.5 }, opsPerSecond: 1e7 });
    expect(ours!.gigabytesPerSecond).toBeCloseTo(0.32);
  });

  it('takes ratios within rounds', () => {
    const [ours, theirs, limit] = RESULT.rows;
    expect(ours!.timesBaseline).toEqual({ median: 15, spread: 0 });
    expect(ours!.ofLimit).toEqual({ median: 0.8, spread: 0 });
    expect(theirs!.timesBaseline).toEqual({ median: 1, spread: 0 });
    expect(limit).not.toHaveProperty('ofLimit');
  });

  it('compares processor time where both sides counted it', () => {
    const timed = new Map([
      ['ours', [[{ ns: 50, cpuNs: 100 }], [{ ns: 60, cpuNs: 300 }]]],
      ['theirs', [[100], [100]]],
      ['limit', [[{ ns: 40, cpuNs: 90 }], [{ ns: 48, cpuNs: 270 }]]],
    ]);
    const [ours, theirs] = evaluate(GROUP, ROWS, timed).rows;
    expect(ours).toMatchObject({ ofLimit: { median: 0.8 }, ofLimitCpu: { median: 0.9 }, cpuSamplesNs: [[100], [300]] });
    expect(theirs).not.toHaveProperty('cpuSamplesNs');
    const heading = groupTable(evaluate(GROUP, ROWS, timed)).split('\n')[1];
    expect(heading).toMatch(/of limit {2}in CPU time$/);
  });

  it('misses a row that others refer to', () => {
    expect(() => evaluate({ ...GROUP, baseline: 'nobody' }, ROWS, SAMPLES)).toThrow('there is no row named nobody');
  });
});

describe('measureGroup', () => {
  it('measures in turns, begins each round with another row, and drops the first rounds', async () => {
    const order: string[] = [];
    const inTurn = (name: string): Row => ({ name, measure: () => [order.push(name)] });
    const later = (name: string): Row => ({ name, measure: () => Promise.resolve([order.push(name)]) });
    const group: Group = { name: 'g', sizeBytes: 1, baseline: 'a', open: () => [inTurn('a'), later('b')] };
    const result = await measureGroup(group, EFFORT);
    expect(order.join('')).toBe('abbaabba');
    expect(result.rows.map(({ samplesNs }) => samplesNs)).toEqual([
      [[4], [5], [8]],
      [[3], [6], [7]],
    ]);
  });
});

describe('inFlight', () => {
  it('counts messages, and the processor time of all threads', async () => {
    const spin = async (): Promise<void> => {
      const end = process.hrtime.bigint() + 200_000n;
      while (process.hrtime.bigint() < end);
      await Promise.resolve();
    };
    const samples = samplesOf(await inFlight('spin', 2, 4, spin).measure(5, 2));
    expect(samples).toHaveLength(2);
    for (const sample of samples) {
      expect(sample).toMatchObject({ ns: expect.any(Number) as number, cpuNs: expect.any(Number) as number });
      expect((sample as Timed).ns).toBeGreaterThanOrEqual(50_000);
      expect((sample as Timed).cpuNs).toBeGreaterThan(0);
    }
  });
});

describe('inProcess', () => {
  it('counts messages, not calls', async () => {
    const spin = (): void => {
      const end = process.hrtime.bigint() + 100_000n;
      while (process.hrtime.bigint() < end);
    };
    const samples = samplesOf(await inProcess('spin', 10, spin).measure(1, 2));
    expect(samples).toHaveLength(2);
    for (const nanoseconds of samples) expect(nanoseconds).toBeGreaterThanOrEqual(10_000);
  });

  it('passes on what the work throws', () => {
    let calls = 0;
    const fail = (): void => {
      if (++calls > 1000) throw new Error('broken');
      const end = process.hrtime.bigint() + 30_000n;
      while (process.hrtime.bigint() < end);
    };
    expect(() => inProcess('fail', 1, fail).measure(100, 1)).toThrow('broken');
  });
});

const TARGETS: Target[] = [
  { group: GROUP.name, row: 'ours', measure: 'timesBaseline', atLeast: 10, kind: 'floor' },
  { group: GROUP.name, row: 'ours', measure: 'ofLimit', atLeast: 0.9, kind: 'goal' },
  { group: GROUP.name, row: 'ours', measure: 'opsPerSecond', atLeast: 1e7, kind: 'goal' },
  { group: GROUP.name, row: 'limit', measure: 'ofLimit', atLeast: 1, kind: 'goal' },
  { group: 'not measured', row: 'ours', measure: 'ofLimit', atLeast: 1, kind: 'goal' },
];

describe('judge', () => {
  it('compares with what was reached, and leaves out what was not measured', () => {
    expect(judge(TARGETS, [RESULT]).map(({ reached, isMet }) => [reached, isMet])).toEqual([
      [15, true],
      [0.8, false],
      [1e7, true],
    ]);
  });
});

describe('tables', () => {
  it('shows a group', () => {
    expect(groupTable(RESULT)).toBe(
      [
        'encrypt 32 B',
        '               ops/s    GB/s  ns/op  spread  x baseline  of limit',
        '  ours    10 000 000   0.320  100.0   ±50 %      15.00x      80 %',
        '  theirs     666 667  0.0213  1 500   ±50 %    baseline',
        '  limit   12 500 000   0.400   80.0   ±50 %      18.75x',
      ].join('\n'),
    );
  });

  it('shows targets', () => {
    expect(targetTable(judge(TARGETS, [RESULT]))).toBe(
      [
        '  target                                 wanted         reached',
        '  floor   encrypt 32 B: ours  >= 10.0x baseline  15.0x baseline     met',
        '  goal    encrypt 32 B: ours   >= 90 % of limit   80 % of limit  MISSED',
        '  goal    encrypt 32 B: ours       >= 10.00 M/s       10.00 M/s     met',
      ].join('\n'),
    );
    expect(targetTable([])).toBe('');
  });

  it.each([
    [0, '0'],
    [999.4, '999'],
    [1000, '1 000'],
    [1234567.8, '1 234 568'],
  ])('groups the digits of %d', (value, text) => {
    expect(grouped(value)).toBe(text);
  });
});

describe('the JSON', () => {
  const report = {
    suite: 'core',
    machine: { cpu: 'some', cores: 2, loadBefore: 1 / 3 },
    versions: { openssl: '3.5.7' },
    effort: EFFORT,
    idleCores: 0.95,
    groups: [RESULT],
    targets: judge(TARGETS, [RESULT]),
  } as unknown as Report;

  it('keeps every sample and five digits', () => {
    const text = reportJson(report);
    expect(text).toContain(
      '"samplesNs": [\n            [100,100],\n            [300],\n            [100]\n          ]',
    );
    const { machine, groups } = JSON.parse(text) as Report;
    expect(machine.loadBefore).toBe(0.33333);
    expect(groups[0]!.rows[0]).toMatchObject({ name: 'ours', opsPerSecond: 1e7, timesBaseline: { median: 15 } });
  });

  it('goes to a file, whose folder is made', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keywright-bench.'));
    try {
      writeReport(join(folder, 'new/core.json'), report);
      expect(readFileSync(join(folder, 'new/core.json'), 'utf8')).toBe(reportJson(report));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('parseOptions', () => {
  it('writes to an untracked file, all groups, many rounds', () => {
    const options = parseOptions('core', []);
    expect(options).toMatchObject({ isQuick: false, only: '' });
    expect(options.out).toMatch(/^bench\/results\/core-\d+\.local\.json$/);
    expect(options.effort.rounds).toBeGreaterThanOrEqual(5);
    expect(options.effort.warmUpRounds).toBeGreaterThanOrEqual(1);
  });

  it('takes --quick, --out and --only', () => {
    const options = parseOptions('core', ['--quick', '--out', 'x.json', '--only', '32 B']);
    expect(options).toMatchObject({ isQuick: true, out: 'x.json', only: '32 B', effort: { rounds: 1 } });
  });

  it.each([['--slow'], ['--out'], ['more']])('refuses %s', (argument) => {
    expect(() => parseOptions('core', [argument])).toThrow();
  });
});
