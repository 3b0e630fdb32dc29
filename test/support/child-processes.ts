import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of a child process. */
export interface ChildFacts {
  readonly pid: number;
  readonly commandLine: readonly string[];
  /** As it was when the program started. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The children of a process whose command line has `text`; those that ended are none, waited for or not. */
export function childrenOf(parent: number, text: string): readonly ChildFacts[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const [state, ppid] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        if (Number(ppid) !== parent || state === 'Z') return [];
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        if (!commandLine.some((argument) => argument.includes(text))) return [];
        const variables = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').filter(Boolean);
        const environment = Object.fromEntries(
          variables.map((variable) => [
            variable.slice(0, variable.indexOf('=')),
            variable.slice(variable.indexOf('=') + 1),
          ]),
        );
        return [{ pid: Number(name), commandLine, environment }];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /s.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The helper processes of PKCS#11 modules that a process has. */
export function helpersOf(parent: number): readonly ChildFacts[] {
  return childrenOf(parent, 'pkcs11/helper/main.js');
}
