import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measured } from '../lib/group.ts';
import { environmentOf, type BenchToken } from './modules.ts';
import { SETTINGS_VARIABLE, type Answer, type Question, type WorkerSettings } from './worker.ts';

export type WorkerProgram = 'native' | 'graphene' | 'software' | 'kms';

/** Processes that measure: one for each implementation, module and number of sessions, as long as the suite runs. */
export class Workers {
  readonly #children = new Map<string, ChildProcess>();

  /** @throws Error with what the worker says when it cannot do it */
  async ask(program: WorkerProgram, token: BenchToken, sessions: number, question: Question): Promise<Measured> {
    const child = this.#child(program, token, sessions);
    const answer = await new Promise<Answer>((resolve) => {
      const settle = (given: Answer): void => {
        child.off('message', settle).off('exit', onExit);
        resolve(given);
      };
      const onExit = (code: number | null, signal: string | null): void => {
        settle({ error: `ended with ${String(signal ?? code)}` });
      };
      child.on('message', settle).on('exit', onExit);
      child.send(question);
    });
    if ('error' in answer) throw new Error(`${program} on ${token.name}: ${question.work}: ${answer.error}`);
    return answer.measured;
  }

  /** Ends all of them, and waits until they are gone and have let go of their files. */
  async close(): Promise<void> {
    const running = [...this.#children.values()].filter(
      ({ exitCode, signalCode }) => (exitCode ?? signalCode) === null,
    );
    this.#children.clear();
    await Promise.all(
      running.map(async (child) => {
        const ended = once(child, 'exit');
        if (child.connected) child.disconnect();
        await ended;
      }),
    );
  }

  #child(program: WorkerProgram, token: BenchToken, sessions: number): ChildProcess {
    const settings: WorkerSettings = { token, sessions };
    const text = JSON.stringify(settings);
    const name = `${program} ${text}`;
    const found = this.#children.get(name);
    if (found !== undefined) return found;
    const path = fileURLToPath(new URL(`${program}.js`, import.meta.url));
    // Not on the command line, which others see: there is a PIN in it.
    const env = { ...environmentOf(token), [SETTINGS_VARIABLE]: text };
    const child = fork(path, [], { env, execArgv: ['--expose-gc'] });
    this.#children.set(name, child);
    return child;
  }
}
