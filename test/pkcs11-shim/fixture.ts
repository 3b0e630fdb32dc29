import { join } from 'node:path';
import pkcs11js from 'pkcs11js';
import { buildShim, readCounts, shimEnvironment, useShimInThisProcess, writeFaults } from '../support/pkcs11-shim.ts';
import type { CallCount, ShimOptions } from '../support/pkcs11-shim.ts';
import { createSoftHsm, type SoftHsm, type SoftToken } from '../support/softhsm.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Read and write, as every session here. */
export const SESSION_FLAGS = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION;

/** Constants that pkcs11js does not have. */
export const CKF_TOKEN_PRESENT = 0x1;
export const CKS_RW_PUBLIC_SESSION = 2;
export const CKS_RW_USER_FUNCTIONS = 3;

/** A token behind the shim, in this process. */
export interface ShimmedToken {
  readonly hsm: SoftHsm;
  readonly token: SoftToken;
  readonly pkcs11: pkcs11js.PKCS11;
  /** The slot with the token. */
  slot(): pkcs11js.Handle;
  /** Opens a session and logs the user in, unless that was done before. */
  session(): pkcs11js.Handle;
  /** The control file from now on. */
  faults(...lines: readonly string[]): void;
  counts(): Readonly<Record<string, CallCount>>;
  /** Loads the shim anew, with another personality or none. */
  reload(personality?: ShimOptions['personality']): void;
  /** The environment of a child process that uses the same token in the same way. */
  readonly environment: Readonly<Record<string, string>>;
  remove(): void;
}

/** Makes a token and loads the shim before it. */
export function shimmedToken(options: Pick<ShimOptions, 'personality'> & { readonly pin?: string } = {}): ShimmedToken {
  const { pin, ...behaviour } = options;
  const hsm = createSoftHsm();
  const folder = temporaryFolder();
  const token = hsm.addToken('test', pin === undefined ? {} : { pin });
  const files = { faults: join(folder.path, 'faults'), counts: join(folder.path, 'counts') };
  // SoftHSM2 can crash when a session is closed beside the work of others.
  const shim = { module: hsm.module, isSerial: true, ...behaviour, ...files };
  hsm.useInThisProcess();
  useShimInThisProcess(shim);
  const pkcs11 = new pkcs11js.PKCS11();
  pkcs11.load(buildShim());
  pkcs11.C_Initialize();

  const slot = (): pkcs11js.Handle => {
    const found = pkcs11.C_GetSlotList(true).find((id) => pkcs11.C_GetTokenInfo(id).label.trim() === token.label);
    if (found === undefined) throw new Error('no slot has the token');
    return found;
  };
  return {
    hsm,
    token,
    pkcs11,
    slot,
    session: () => {
      const session = pkcs11.C_OpenSession(slot(), SESSION_FLAGS);
      const isLoggedIn = pkcs11.C_GetSessionInfo(session).state === CKS_RW_USER_FUNCTIONS;
      if (!isLoggedIn) pkcs11.C_Login(session, pkcs11js.CKU_USER, token.pin);
      return session;
    },
    faults: (...lines) => writeFaults(files.faults, ...lines),
    counts: () => readCounts(files.counts),
    reload: (personality) => {
      pkcs11.C_Finalize();
      pkcs11.close();
      useShimInThisProcess({
        module: hsm.module,
        isSerial: true,
        ...files,
        ...(personality !== undefined && { personality }),
      });
      pkcs11.load(buildShim());
      pkcs11.C_Initialize();
    },
    environment: { ...hsm.environment, ...shimEnvironment(shim) },
    remove: () => {
      writeFaults(files.faults);
      pkcs11.C_Finalize();
      pkcs11.close();
      hsm.remove();
      folder.remove();
    },
  };
}

/**
 * The return code that `call` ends with: by its name, or as a number where pkcs11js knows no name; CKR_OK when it
 * succeeds. Whatever else it throws is told as it is.
 */
export function codeOf(call: () => unknown): string {
  try {
    call();
    return 'CKR_OK';
  } catch (error) {
    // pkcs11js throws some of the codes as plain errors.
    const [, name, code] = /(CKR_\w+)(?::(\d+))?/.exec(String(error)) ?? [];
    if (name === undefined) return String(error);
    const number = error instanceof pkcs11js.Pkcs11Error ? error.code : Number(code);
    return name === 'CKR_VENDOR_DEFINED' ? `0x${number.toString(16)}` : name;
  }
}
