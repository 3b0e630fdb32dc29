import { createRequire } from 'node:module';
import type * as graphene from 'graphene-pk11';
import type * as pkcs11js from 'pkcs11js';
import { explaining, HsmError } from './hsm-error.ts';

export type Graphene = typeof graphene;
export type Slot = graphene.Slot;
export type Token = graphene.Token;
export type Session = graphene.Session;

/** How a module is opened. */
export interface ModuleSettings {
  /** Path of the PKCS#11 module, a shared library. */
  readonly modulePath: string;
  /** Text that C_Initialize hands to the module as pReserved; NSS softokn needs one. */
  readonly initArgs?: string | undefined;
}

/** A PKCS#11 module between C_Initialize and C_Finalize. */
export interface OpenModule {
  readonly graphene: Graphene;
  readonly module: graphene.Module;
  /** The functions of the module themselves, for what graphene does not do. */
  readonly functions: pkcs11js.PKCS11;
}

const require = createRequire(import.meta.url);

/** They are optional packages: who has no HSM needs neither them nor the compiler that one of them wants. */
function loadPackages(): { readonly graphene: Graphene; readonly pkcs11: typeof pkcs11js } {
  try {
    return {
      graphene: require('graphene-pk11') as Graphene,
      pkcs11: require('pkcs11js') as typeof pkcs11js,
    };
  } catch (cause) {
    throw new HsmError(
      'this command needs the optional packages graphene-pk11 and pkcs11js, and they do not load: ' +
        `${firstLine(cause)}. "npm install graphene-pk11 pkcs11js" installs them, "npm rebuild pkcs11js" compiles ` +
        'the addon of the second one (a C++ compiler, make and python3 are needed)',
      { cause },
    );
  }
}

/** PKCS#11 §5.4: the module may use the locks of the operating system. */
const CKF_OS_LOCKING_OK = 2;

/**
 * Initialises a module for `use` and finalises it after. The library stays loaded, because not every one survives being
 * unloaded.
 *
 * @throws HsmError when there is no such module, or it does not initialise
 */
export function withModule<T>(settings: ModuleSettings, use: (module: OpenModule) => T): T {
  const { graphene, pkcs11 } = loadPackages();
  const functions = new pkcs11.PKCS11();
  try {
    functions.load(settings.modulePath);
  } catch (cause) {
    throw new HsmError(`the PKCS#11 module ${settings.modulePath} cannot be loaded: ${firstLine(cause)}`, { cause });
  }
  const module = new graphene.Module(functions);
  explaining(`initialising ${settings.modulePath}`, () => {
    module.initialize(initializationOf(settings.initArgs));
  });
  // For what is not explained more closely where it happens.
  return explaining(`using ${settings.modulePath}`, () => {
    try {
      return use({ graphene, module, functions });
    } finally {
      module.finalize();
    }
  });
}

function initializationOf(initArgs: string | undefined): pkcs11js.InitializationOptions {
  // pkcs11js drops the last character of the text, hence one more.
  return initArgs === undefined
    ? { flags: CKF_OS_LOCKING_OK }
    : { flags: CKF_OS_LOCKING_OK, libraryParameters: `${initArgs} ` };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
