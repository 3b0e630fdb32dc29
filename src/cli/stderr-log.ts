import type { Log } from '../base/log.ts';

/** One JSON object a line on stderr, as log collectors take it. */
export function createStderrLog(): Log {
  const write = (level: string, message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
    process.stderr.write(`${line}\n`);
  };
  return {
    info: (message, fields) => {
      write('info', message, fields);
    },
    error: (message, fields) => {
      write('error', message, fields);
    },
  };
}
