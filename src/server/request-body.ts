import type { IncomingMessage } from 'node:http';
import { KmsServiceError } from '../base/errors.ts';

/** Far above the largest request of the API, an attestation document of 262,144 bytes in base64. */
export const MAX_BODY_BYTES = 1_048_576;

/**
 * Reads the whole body of a request.
 *
 * @throws KmsServiceError RequestEntityTooLargeException over 1,048,576 bytes; the rest is then not read
 * @throws Error when the client goes away before the end
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => {
      request.removeAllListeners('data');
      request.resume();
      reject(
        new KmsServiceError(
          'RequestEntityTooLargeException',
          `The request body is larger than ${String(MAX_BODY_BYTES)} bytes.`,
        ),
      );
    };
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      refuse();
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        refuse();
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    request.on('error', reject);
    request.on('close', () => {
      reject(new Error('the client went away'));
    });
  });
}
