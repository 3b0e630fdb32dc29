import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';

/** Where and on what a result was measured. */
export interface Fingerprint {
  /** ISO 8601, in UTC. */
  readonly date: string;
  /** Of the checkout; `-dirty` behind it when files differ from it; `unknown` outside of one. */
  readonly commit: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** Processes that wanted to run, on average over the minute before. */
  readonly loadBefore: number;
  readonly node: string;
  readonly v8: string;
  /** The OpenSSL inside of Node, which node:crypto runs on. */
  readonly nodeOpenssl: string;
}

export function fingerprint(): Fingerprint {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    // Without what a distributor or host appends.
    kernel: `${type()} ${/^[\d.]*\d/.exec(release())?.[0] ?? ''}`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    node: process.versions.node,
    v8: process.versions.v8,
    nodeOpenssl: process.versions.openssl,
  };
}

/**
 * Starts to watch the machine; the answer tells how many cores, on average, had nothing to do since then. A suite keeps
 * one core busy: what is missing to all cores but one was taken by others.
 */
export function watchIdleCores(): () => number {
  const times = (): { idle: number; total: number } => {
    const sum = { idle: 0, total: 0 };
    for (const { times: core } of cpus()) {
      sum.idle += core.idle;
      sum.total += core.user + core.nice + core.sys + core.idle + core.irq;
    }
    return sum;
  };
  const begin = times();
  return () => {
    const end = times();
    return (cpus().length * (end.idle - begin.idle)) / Math.max(1, end.total - begin.total);
  };
}

function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
