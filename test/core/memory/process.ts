/** The process whose memory is searched, as its parent sees it. Linux only. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findAddon } from '../../../src/core/load-addon.ts';
import type { NativeBinding } from '../../../src/core/native-binding.ts';
import type { NativePkcs11Binding } from '../../../src/pkcs11/native-binding.ts';
import type { Scanner } from './scanner.ts';

const CHUNK_BYTES = 2 ** 22;
/** Chunks overlap by more than what the scanner must see at once. */
const OVERLAP_BYTES = 64;

/** What an earlier step saved, bytes, an output of so many bytes, a Uint32Array, or what takes replies of a token. */
export type Argument =
  | number
  | { readonly key: string }
  | { readonly hex: string }
  | { readonly out: number }
  | { readonly words: number[] }
  | { readonly receives: true };

/** One call of the binding. */
export interface Step {
  readonly name: keyof NativeBinding | keyof NativePkcs11Binding;
  readonly args: readonly Argument[];
  /** Name for the handle or the bytes that it answers. */
  readonly saveAs?: string | undefined;
}

/** What a call answered: its number, and its outputs in full. */
export interface StepResult {
  readonly result: number;
  readonly outputs: readonly string[];
}

interface Answer {
  readonly results: readonly StepResult[];
  readonly functions: readonly string[];
  readonly info: { readonly secureHeap: { readonly isLocked: boolean } };
}

interface Mapping {
  readonly begin: number;
  readonly end: number;
  /** Left out of core dumps (MADV_DONTDUMP). */
  readonly isExcluded: boolean;
  readonly isLocked: boolean;
}

const PAGE_BYTES = 4096;
const THREAD_STACK_BYTES = 2 ** 23;

/** How often each secret was found, by where. */
export interface Finding {
  readonly dumped: Map<string, number>;
  readonly excluded: Map<string, number>;
  /** Those in memory that is excluded, but not locked. */
  readonly unlocked: Map<string, number>;
}

/** Runs the steps in a process of its own, and searches it. */
export class WatchedProcess {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'keywright-memory-test-'));
  readonly #child: ChildProcess;
  readonly answer: Promise<Answer>;
  /** What lay on the stacks of the process right after each call. */
  readonly #stacks: Buffer[] = [];
  #threadStacks = 0;

  constructor(marker: Uint8Array, steps: readonly Step[], environment: Readonly<Record<string, string>> = {}) {
    const plan = path.join(this.#folder, 'plan.json');
    writeFileSync(plan, JSON.stringify({ addon: findAddon(), marker: Buffer.from(marker).toString('hex'), steps }));
    const script = path.join(import.meta.dirname, 'child.cjs');
    // Where the limit may not be raised the kernel writes no core, and gcore is asked.
    const command = `ulimit -s ${THREAD_STACK_BYTES / 1024}; ulimit -c unlimited 2>/dev/null; exec "$0" "$@"`;
    this.#child = spawn('/bin/sh', ['-c', command, process.execPath, script, plan], {
      cwd: this.#folder,
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.answer = this.#readAnswer();
  }

  async #readAnswer(): Promise<Answer> {
    for await (const line of createInterface({ input: this.#child.stdout! })) {
      if (line !== 's') return JSON.parse(line) as Answer;
      this.#copyStacks();
      this.#child.stdin!.write('g');
    }
    throw new Error('the process ended without an answer');
  }

  /** Searches what the stacks held after each call; a later one writes over it. */
  searchStacks(scanner: Scanner): Map<string, number> {
    if (this.#threadStacks === 0) throw new Error('no stack of a thread was found');
    const found = new Map<string, number>();
    for (const pages of this.#stacks) scanner.scan(pages, found);
    return found;
  }

  #copyStacks(): void {
    const [memory, pagemap] = ['mem', 'pagemap'].map((name) => openSync(`/proc/${this.#child.pid}/${name}`, 'r'));
    for (const line of readFileSync(`/proc/${this.#child.pid}/maps`, 'utf8').split('\n')) {
      const [, from, to, name] = /^([0-9a-f]+)-([0-9a-f]+) rw.. \S+ \S+ \d+\s*(.*)/.exec(line) ?? [];
      const [begin, end] = [parseInt(from ?? '0', 16), parseInt(to ?? '0', 16)];
      const isOfThread = name === '' && end - begin === THREAD_STACK_BYTES;
      if (name !== '[stack]' && !isOfThread) continue;
      if (isOfThread) this.#threadStacks++;
      for (const range of presentRanges(pagemap!, begin, end)) {
        const pages = Buffer.allocUnsafe(range.end - range.begin);
        readSync(memory!, pages, 0, pages.length, range.begin);
        this.#stacks.push(pages);
      }
    }
    closeSync(memory!);
    closeSync(pagemap!);
  }

  /** Searches the memory of the process, all of it that can be read and is no unchanged file. */
  search(scanner: Scanner): Finding {
    const finding = {
      dumped: new Map<string, number>(),
      excluded: new Map<string, number>(),
      unlocked: new Map<string, number>(),
    };
    const file = openSync(`/proc/${this.#child.pid}/mem`, 'r');
    try {
      for (const mapping of this.#mappings()) {
        scanRange(file, mapping.begin, mapping.end, scanner, mapping.isExcluded ? finding.excluded : finding.dumped);
        if (mapping.isExcluded && !mapping.isLocked) {
          scanRange(file, mapping.begin, mapping.end, scanner, finding.unlocked);
        }
      }
    } finally {
      closeSync(file);
    }
    return finding;
  }

  #mappings(): Mapping[] {
    const mappings: Mapping[] = [];
    let range: { begin: number; end: number } | undefined;
    for (const line of readFileSync(`/proc/${this.#child.pid}/smaps`, 'utf8').split('\n')) {
      const head = /^([0-9a-f]+)-([0-9a-f]+) (r..). \S+ \S+ \d+\s*(.*)/.exec(line);
      const isUnchangedFile = head?.[4]!.startsWith('/') === true && !head[3]!.includes('w');
      if (/^[0-9a-f]+-/.test(line)) range = undefined;
      if (head !== null && !isUnchangedFile) range = { begin: parseInt(head[1]!, 16), end: parseInt(head[2]!, 16) };
      const flags = /^VmFlags:(.*)/.exec(line)?.[1]!.split(' ');
      if (flags === undefined || range === undefined) continue;
      mappings.push({ ...range, isExcluded: flags.includes('dd'), isLocked: flags.includes('lo') });
    }
    return mappings;
  }

  /**
   * Ends the process and searches its core image: the kernel's where it writes one into the working directory, else
   * that of gcore. Undefined where neither is to be had.
   */
  async searchCore(scanner: Scanner): Promise<Map<string, number> | undefined> {
    const image = (await this.#kernelCore()) ?? '';
    if (image === '') return undefined;
    const found = new Map<string, number>();
    const file = openSync(image, 'r');
    scanRange(file, 0, Number.MAX_SAFE_INTEGER, scanner, found);
    closeSync(file);
    return found;
  }

  async #kernelCore(): Promise<string | undefined> {
    const exited = once(this.#child, 'exit');
    const isInFolder = /^[^|/]/.test(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'));
    if (!isInFolder) spawnSync('gcore', ['-o', path.join(this.#folder, 'core'), String(this.#child.pid)]);
    this.#child.kill('SIGABRT');
    await exited;
    const name = readdirSync(this.#folder).find((entry) => entry !== 'plan.json');
    return name === undefined ? undefined : path.join(this.#folder, name);
  }

  /** Ends the process and removes what it left. */
  close(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The pages between `begin` and `end` that were ever touched (Documentation/admin-guide/mm/pagemap.rst of Linux). */
function presentRanges(pagemap: number, begin: number, end: number): { begin: number; end: number }[] {
  const entries = Buffer.alloc(((end - begin) / PAGE_BYTES) * 8);
  readSync(pagemap, entries, 0, entries.length, (begin / PAGE_BYTES) * 8);
  const ranges: { begin: number; end: number }[] = [];
  for (let page = 0; page * 8 < entries.length; page++) {
    if ((entries[page * 8 + 7]! & 0x80) === 0) continue;
    const at = begin + page * PAGE_BYTES;
    const last = ranges.at(-1);
    if (last?.end === at) last.end += PAGE_BYTES;
    else ranges.push({ begin: at, end: at + PAGE_BYTES });
  }
  return ranges;
}

/** Searches from `begin` up to `end`, or to where nothing can be read any more. */
function scanRange(file: number, begin: number, end: number, scanner: Scanner, found: Map<string, number>): void {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let kept = 0;
  for (let at = begin; at < end;) {
    let length = 0;
    try {
      length = readSync(file, chunk, kept, Math.min(CHUNK_BYTES - kept, end - at), at);
    } catch {
      return; // [vvar], guard pages
    }
    if (length === 0) return;
    scanner.scan(chunk.subarray(0, kept + length), found);
    at += length;
    const next = Math.min(OVERLAP_BYTES, kept + length);
    chunk.copyWithin(0, kept + length - next, kept + length);
    kept = next;
  }
}
