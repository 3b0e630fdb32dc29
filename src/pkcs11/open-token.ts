import { invalidArgument } from './failure.ts';
import { openHelperPort } from './helper/helper-port.ts';
import { openNativePort } from './native-token.ts';
import { PortToken } from './port-token.ts';
import type { Pkcs11Token, Pkcs11TokenOptions } from './token.ts';

/**
 * Opens a token and logs in.
 *
 * @throws Pkcs11Error `noModule`, `noToken`, `pinRefused`, `timedOut`; `helperEnded` when a helper process cannot be
 *   started or the module ends it; and others
 */
export async function openPkcs11Token(options: Pkcs11TokenOptions): Promise<Pkcs11Token> {
  const { environment } = options;
  const process: string = options.process ?? 'this';
  if (process === 'helper') return new PortToken(await openHelperPort(options));
  if (process !== 'this') throw invalidArgument('the process of a token is "this" or "helper"');
  if (environment !== undefined) throw invalidArgument('only a helper process has an environment of its own');
  return new PortToken(await openNativePort(options));
}
