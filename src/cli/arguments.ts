import { readFileSync } from 'node:fs';
import { ConfigError } from './config.ts';

/** Takes NAME=VALUE options apart; a value may have further `=`. @throws ConfigError that says `form` */
export function pairsOf(
  texts: readonly string[] | undefined,
  option: string,
  form: string,
): (readonly [name: string, value: string])[] {
  return (texts ?? []).map((text) => {
    const at = text.indexOf('=');
    if (at < 1) {
      throw new ConfigError(`${option} must have the form ${form}, not "${text}"`);
    }
    return [text.slice(0, at), text.slice(at + 1)];
  });
}

/** @throws ConfigError for a file that cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}
