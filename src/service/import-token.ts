/**
 * Import tokens carry all that an import needs, the private wrapping key under the region key included: the service
 * keeps nothing of them, and any process of it can finish the import. Some 3500 bytes with a wrapping key of RSA_4096.
 */
import { KmsServiceError } from '../base/errors.ts';
import { chain, type MaybePromise } from '../base/maybe-promise.ts';
import type { WrappingAlgorithm } from '../core/key-transport.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { WrappingKeySpec } from '../keys/material-wrapping.ts';
import type { TokenSealer, WrappingKey } from './ports.ts';

const TOKEN_PURPOSE = 'import';

/** What a token stands for. */
export interface ImportParameters {
  readonly wrappingKey: WrappingKey;
  readonly algorithm: WrappingAlgorithm;
  readonly validToMs: number;
}

interface TokenContent {
  readonly keyArn: string;
  readonly algorithm: WrappingAlgorithm;
  readonly spec: WrappingKeySpec;
  readonly validToMs: number;
  /** Base64, wrapped. */
  readonly privateKey: string;
  readonly regionKeyVersion: number;
}

export function sealImportToken(
  tokens: TokenSealer,
  { arn, region }: KmsKey,
  { wrappingKey, algorithm, validToMs }: ImportParameters,
): MaybePromise<Uint8Array> {
  const { spec, privateKey } = wrappingKey;
  const content: TokenContent = {
    keyArn: arn,
    algorithm,
    spec,
    validToMs,
    privateKey: Buffer.from(privateKey.wrapped).toString('base64'),
    regionKeyVersion: privateKey.regionKeyVersion,
  };
  const sealed = tokens.seal(region, TOKEN_PURPOSE, Buffer.from(JSON.stringify(content), 'utf8'));
  return chain(sealed, (token) => Buffer.from(token, 'base64'));
}

/**
 * @throws KmsServiceError InvalidImportTokenException for what is no token for this key; ExpiredImportTokenException
 *   from its last moment on
 */
export function openImportToken(
  tokens: TokenSealer,
  { arn, region }: KmsKey,
  token: Uint8Array,
  nowMs: number,
): MaybePromise<ImportParameters> {
  const opened = tokens.open(region, TOKEN_PURPOSE, Buffer.from(token).toString('base64'));
  return chain(opened, (bytes) => {
    const content = bytes === undefined ? undefined : parseContent(bytes);
    if (content?.keyArn !== arn) {
      throw new KmsServiceError('InvalidImportTokenException', `The import token is not valid for key ${arn}.`);
    }
    if (nowMs >= content.validToMs) {
      throw new KmsServiceError('ExpiredImportTokenException', 'The import token has expired.');
    }
    const { spec, algorithm, validToMs, privateKey, regionKeyVersion } = content;
    const wrapped = Buffer.from(privateKey, 'base64');
    return { wrappingKey: { spec, privateKey: { wrapped, regionKeyVersion } }, algorithm, validToMs };
  });
}

/** Only this service seals tokens, so what one holds has this shape. */
function parseContent(bytes: Uint8Array): TokenContent {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as TokenContent;
}
