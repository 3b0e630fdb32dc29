import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Group, Row } from '../lib/group.ts';
import type { DecryptWork } from './decrypt.ts';

const PROGRAM = fileURLToPath(new URL('decrypt.js', import.meta.url));

export const GROUP_NAME = 'decrypt 32 B of the first material';

/** `1 version`, `25 versions`. */
export function versionsName(count: number): string {
  return count === 1 ? '1 version' : `${count} versions`;
}

/** Whole requests to an engine: a row for each blob, by the number of versions of its key; the first is the base. */
export function versionsGroup(dataDirectory: string, blobs: ReadonlyMap<number, Uint8Array>): Group {
  const rows = [...blobs].map(([count, bytes]): Row => {
    const blob = Buffer.from(bytes).toString('base64');
    return {
      name: versionsName(count),
      measure: (minimumMs, samples) => measureDecrypt({ dataDirectory, blob, minimumMs, samples }),
    };
  });
  return { name: GROUP_NAME, sizeBytes: 0, baseline: rows[0]?.name ?? '', open: () => rows };
}

/** In a process of its own, because requests are asynchronous and the loop of the other suites is not. */
function measureDecrypt(work: DecryptWork): number[] {
  const output = execFileSync(process.execPath, [PROGRAM], { input: JSON.stringify(work), encoding: 'utf8' });
  return JSON.parse(output) as number[];
}
