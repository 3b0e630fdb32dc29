import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import type { NativeBinding } from './native-binding.ts';

// The root of the package, from src/core as from dist/core.
const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

const require = createRequire(import.meta.url);

interface NodeGypBuild {
  resolve(root: string): string;
}

/**
 * Path of the native addon: the one that was compiled here (build/Release), else the prebuilt one of this platform.
 *
 * @throws Error that names the command to run when there is none.
 */
export function findAddon(): string {
  const nodeGypBuild = require('node-gyp-build') as NodeGypBuild;
  try {
    return nodeGypBuild.resolve(PACKAGE_ROOT);
  } catch (cause) {
    throw new Error(
      `keywright: no native addon for ${process.platform}-${process.arch} was found in ${PACKAGE_ROOT}. ` +
        'Run `script/addon` there to build it (or `npm rebuild keywright` where it is a dependency).',
      { cause },
    );
  }
}

/** @throws Error as {@link findAddon}, and when the addon refuses to run; its text then says why. */
export function loadAddon(): NativeBinding {
  return require(findAddon()) as NativeBinding;
}
