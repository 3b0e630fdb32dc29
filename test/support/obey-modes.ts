/** Modes of files mean nothing to root, as which tests run in containers; a process of root's can do without that. */
import { spawnSync } from 'node:child_process';

const RIGHTS = '-dac_override,-dac_read_search';
const isRoot = process.getuid?.() === 0;

/** A program that becomes another one, whom the modes of files bind whoever runs it; capabilities(7). */
export const OBEYING_MODES: readonly string[] = isRoot
  ? ['setpriv', '--bounding-set', RIGHTS, '--inh-caps', RIGHTS]
  : [];

/** Why that cannot be done here, or undefined when it can. Never a reason where CI=true. */
export const cannotObeyModes: string | undefined =
  process.env['CI'] === 'true' || !isRoot || spawnSync('setpriv', [...OBEYING_MODES.slice(1), 'true']).status === 0
    ? undefined
    : 'root cannot give up its capabilities: setpriv (util-linux) is missing, or CAP_SETPCAP';
