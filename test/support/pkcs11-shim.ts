import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../script/pkcs11-shim', import.meta.url));
/** A record of the file of counters: name, calls, faults (counters.h). */
const RECORD_BYTES = 40;
const NAME_BYTES = 24;

let built: string | undefined;

/** Builds the PKCS#11 module of test/pkcs11-shim, once per content of its sources, and answers its path. */
export function buildShim(): string {
  if (built === undefined) {
    const { status, stdout, stderr } = spawnSync(SCRIPT, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`script/pkcs11-shim failed:\n${stderr}`);
    built = stdout.trim();
  }
  return built;
}

/** What the shim stands before, and how it behaves. */
export interface ShimOptions {
  /** The PKCS#11 module that does the work. */
  readonly module: string;
  /**
   * The HSM whose documented refusals the shim has; none: those of the module alone. In a cluster with a single HSM no
   * token key can be made or used.
   */
  readonly personality?: 'cloudhsm' | 'cloudhsm-single-hsm';
  /** The control file of faults, see writeFaults; it need not exist yet. */
  readonly faults?: string;
  /** The file of counters, see readCounts. */
  readonly counts?: string;
  /** Lets one call at a time into the module, for modules whose threads disturb each other. */
  readonly isSerial?: boolean;
}

/** The environment that configures the shim, for a child process. */
export function shimEnvironment(options: ShimOptions): Record<string, string> {
  const { module, personality, faults, counts, isSerial } = options;
  return {
    KEYWRIGHT_SHIM_MODULE: module,
    ...(personality !== undefined && { KEYWRIGHT_SHIM_PERSONALITY: personality }),
    ...(faults !== undefined && { KEYWRIGHT_SHIM_FAULTS: faults }),
    ...(counts !== undefined && { KEYWRIGHT_SHIM_COUNTS: counts }),
    ...(isSerial === true && { KEYWRIGHT_SHIM_SERIAL: '1' }),
  };
}

/** Configures the shim for this process; it reads the environment each time a program loads it. */
export function useShimInThisProcess(options: ShimOptions): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('KEYWRIGHT_SHIM_')) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, shimEnvironment(options));
}

/**
 * Replaces the control file at once: the next call sees these lines, or the ones before. Without lines no fault is in
 * force. Their grammar is in test/pkcs11-shim/README.md; with a line that is none, every call of the shim fails.
 */
export function writeFaults(path: string, ...lines: readonly string[]): void {
  writeFileSync(`${path}.new`, lines.map((line) => `${line}\n`).join(''));
  renameSync(`${path}.new`, path);
}

/** How often a function was called, and how many faults befell those calls. */
export interface CallCount {
  readonly calls: number;
  readonly faults: number;
}

/** Reads the file of counters: one count per PKCS#11 function, over all processes that the file was given to. */
export function readCounts(path: string): Readonly<Record<string, CallCount>> {
  const file = readFileSync(path);
  const records = Array.from({ length: file.length / RECORD_BYTES }, (_, index) =>
    file.subarray(index * RECORD_BYTES, (index + 1) * RECORD_BYTES),
  );
  return Object.fromEntries(
    records.map((record) => {
      const name = record.toString('latin1', 0, NAME_BYTES).replace(/\0+$/, '');
      const calls = Number(record.readBigUInt64LE(NAME_BYTES));
      return [name, { calls, faults: Number(record.readBigUInt64LE(NAME_BYTES + 8)) }];
    }),
  );
}
