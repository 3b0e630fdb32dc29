import { ConfigError } from './config.ts';

/** Whether there is a terminal to ask at: answers come from stdin, questions go to stderr. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

const END_OF_TEXT = '\u0003';
const END_OF_TRANSMISSION = '\u0004';
const BACKSPACES = ['\b', '\u007f'];

/**
 * Asks at the terminal for a text that is not shown.
 *
 * @throws ConfigError when the question is broken off (Ctrl-C, Ctrl-D)
 */
export async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  // Before the question, so that no quick answer is shown.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stderr.write(`${question}: `);
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = '';
      const read = (chunk: string): void => {
        for (const character of chunk) {
          if (character === '\r' || character === '\n') {
            stdin.off('data', read);
            resolve(text);
            return;
          }
          if (character === END_OF_TEXT || character === END_OF_TRANSMISSION) {
            stdin.off('data', read);
            reject(new ConfigError(`no answer to: ${question}`));
            return;
          }
          text = BACKSPACES.includes(character) ? Array.from(text).slice(0, -1).join('') : text + character;
        }
      };
      stdin.on('data', read);
      // The question before has paused it.
      stdin.resume();
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
