import { XKS_ERROR_STATUS, type XksErrorName } from '../proxy-api.ts';

/** The specification wants fewer than 512 characters. */
const MAX_MESSAGE_LENGTH = 511;

/** An answer of the proxy that is no success; its text is printable ASCII and short enough for the API. */
export class ProxyError extends Error {
  override readonly name: XksErrorName;

  /** @param cause for the log; the client does not see it */
  constructor(name: XksErrorName, text: string, cause?: Error) {
    super(text.slice(0, MAX_MESSAGE_LENGTH).replaceAll(/[^\x20-\x7e]/g, '?'), { cause });
    this.name = name;
  }

  get status(): number {
    return XKS_ERROR_STATUS[this.name];
  }
}
