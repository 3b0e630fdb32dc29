import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a file that only its owner may read. Content and folder entry are on disk when the call returns, so that what
 * depends on the file may be written next.
 *
 * @throws Error with code EEXIST when there is such a file already, or another code of the file system
 */
export function writeNewFile(path: string, ...parts: readonly (Uint8Array | string)[]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (const part of parts) {
      writeSync(file, typeof part === 'string' ? Buffer.from(part) : part);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
