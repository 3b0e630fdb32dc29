/** Token buckets as arithmetic: how much of which quota there is at what time. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LeasedRequestQuotas, type QuotaSettings } from '../../src/quotas/request-quotas.ts';
import { openQuotaFile, type OpenQuotas } from '../../src/store/quota-records.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { TestClock } from '../support/test-clock.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';

let folder: ReturnType<typeof temporaryFolder>;
let clock: TestClock;
let opened: OpenQuotas[];

beforeEach(() => {
  folder = temporaryFolder();
  clock = new TestClock();
  opened = [];
});

afterEach(() => {
  opened.forEach((file) => {
    file.close();
  });
  folder.remove();
});

/** Quotas as a process of its own would have them: another connection to the same file. */
function open(settings: QuotaSettings = {}): LeasedRequestQuotas {
  const file = openQuotaFile(join(folder.path, 'quotas'));
  opened.push(file);
  return new LeasedRequestQuotas(file, clock, settings);
}

function rate(quota: string, perSecond: number): QuotaSettings {
  return { rates: new Map([[quota, perSecond]]), burstSeconds: 1, minBurst: 1 };
}

/** How many of `attempts` requests go through. */
function count(
  quotas: LeasedRequestQuotas,
  quota: string,
  attempts: number,
  region = REGION,
  account = ACCOUNT,
): number {
  return Array.from({ length: attempts }, () => quotas.take(account, region, quota)).filter(Boolean).length;
}

describe('request quotas', () => {
  it('let an idle account make a burst, and then its rate', () => {
    const quotas = open({ rates: new Map([['ListKeys', 10]]), burstSeconds: 3, minBurst: 1 });
    expect(count(quotas, 'ListKeys', 100)).toBe(30);
    for (let second = 0; second < 5; second++) {
      clock.advanceMs(1000);
      expect(count(quotas, 'ListKeys', 100)).toBe(10);
    }
    clock.advanceMs(3_600_000);
    expect(count(quotas, 'ListKeys', 100)).toBe(30);
  });

  it('have a burst of 60 seconds by default, and of 100 requests at least', () => {
    const quotas = open();
    expect(count(quotas, 'CreateKey', 1000)).toBe(300);
    expect(count(quotas, 'GetParametersForImport', 1000)).toBe(100);
  });

  it('count accounts, Regions and quotas apart', () => {
    const quotas = open({
      rates: new Map([
        ['ListKeys', 2],
        ['ListAliases', 3],
      ]),
      burstSeconds: 1,
      minBurst: 1,
    });
    expect(count(quotas, 'ListKeys', 10)).toBe(2);
    expect(count(quotas, 'ListKeys', 10, 'us-east-1')).toBe(2);
    expect(count(quotas, 'ListKeys', 10, REGION, '444455556666')).toBe(2);
    expect(count(quotas, 'ListAliases', 10)).toBe(3);
  });

  it('are higher for symmetric cryptography in some Regions', () => {
    const quotas = open({ burstSeconds: 1, minBurst: 1 });
    const quota = 'CryptographicOperationsSymmetric';
    expect(count(quotas, quota, 150_000, 'us-east-1')).toBe(100_000);
    expect(count(quotas, quota, 150_000, 'eu-central-1')).toBe(20_000);
    expect(count(quotas, quota, 150_000, 'eu-south-1')).toBe(10_000);
  });

  it('can be fractions of a request a second', () => {
    const quotas = open(rate('CreateKey', 0.5));
    expect(count(quotas, 'CreateKey', 10)).toBe(1);
    clock.advanceMs(1000);
    expect(count(quotas, 'CreateKey', 10)).toBe(0);
    clock.advanceMs(1000);
    expect(count(quotas, 'CreateKey', 10)).toBe(1);
  });

  it('can be lifted', () => {
    expect(count(open({ rates: new Map([['ListKeys', Number.POSITIVE_INFINITY]]) }), 'ListKeys', 2000)).toBe(2000);
  });

  it('are one for all processes on a store: together they get what one would', () => {
    const processes = [open(rate('ListKeys', 300)), open(rate('ListKeys', 300)), open(rate('ListKeys', 300))];
    const total = (): number => processes.map((quotas) => count(quotas, 'ListKeys', 500)).reduce((a, b) => a + b);
    expect(total()).toBe(300);
    clock.advanceMs(1000);
    expect(total()).toBe(300);
  });

  it('never let through more than burst and rate, whatever the order of requests and pauses', () => {
    const settings = rate('ListKeys', 40);
    const processes = [open(settings), open(settings), open(settings)];
    const startMs = clock.nowMs();
    let through = 0;
    for (let step = 0; step < 500; step++) {
      clock.advanceMs((step * 7919) % 90);
      through += count(processes[step % 3] ?? open(settings), 'ListKeys', (step * 104_729) % 11);
      expect(through).toBeLessThanOrEqual(40 + ((clock.nowMs() - startMs) * 40) / 1000);
    }
    expect(through).toBeGreaterThan(400);
  });

  it('are not filled by a restart', () => {
    expect(count(open(rate('ListKeys', 10)), 'ListKeys', 100)).toBe(10);
    opened.pop()?.close();
    expect(count(open(rate('ListKeys', 10)), 'ListKeys', 100)).toBe(0);
  });

  it('go on after the clock of the machine was set back or forward', () => {
    const quotas = open(rate('ListKeys', 10));
    expect(count(quotas, 'ListKeys', 100)).toBe(10);
    clock.advanceMs(-365 * 86_400_000);
    expect(count(quotas, 'ListKeys', 100)).toBe(0);
    clock.advanceMs(1000);
    expect(count(quotas, 'ListKeys', 100)).toBe(10);
    clock.advanceMs(730 * 86_400_000);
    expect(count(quotas, 'ListKeys', 100)).toBe(10);
  });

  it('gain nothing when processes read the clock in another order than they get their turn', () => {
    const [first, second] = [open(rate('ListKeys', 10)), open(rate('ListKeys', 10))];
    expect(count(first, 'ListKeys', 100)).toBe(10);
    let through = 0;
    for (let turn = 0; turn < 100; turn++) {
      clock.advanceMs(-100);
      through += count(first, 'ListKeys', 1);
      clock.advanceMs(100);
      through += count(second, 'ListKeys', 1);
    }
    expect(through).toBe(0);
  });

  it.each<[string, QuotaSettings]>([
    ['a quota that there is not', { rates: new Map([['Encrypt', 5]]) }],
    ['a rate of zero', { rates: new Map([['ListKeys', 0]]) }],
    ['a rate that is no number', { rates: new Map([['ListKeys', Number.NaN]]) }],
    ['a burst of zero', { burstSeconds: 0 }],
    ['an endless burst', { minBurst: Number.POSITIVE_INFINITY }],
  ])('refuse %s', (_what, settings) => {
    expect(() => open(settings)).toThrow(RangeError);
  });
});
