/**
 * The awsJson1_1 protocol: how answers and errors look on the wire.
 *
 * @source Smithy 2.0, "AWS JSON 1.1 protocol"
 */
import type { KmsServiceError } from './errors.ts';

export const JSON_CONTENT_TYPE = 'application/x-amz-json-1.1';

/** Blobs become base64, dates epoch seconds with a fraction; absent members stay away. */
export function encodeOutput(output: unknown): string {
  return output === undefined ? '' : JSON.stringify(toWire(output));
}

export function encodeError(error: KmsServiceError): string {
  return JSON.stringify(
    error.text === undefined ? { __type: error.name } : { __type: error.name, message: error.text },
  );
}

function toWire(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  }
  if (value instanceof Date) {
    return value.getTime() / 1000;
  }
  if (Array.isArray(value)) {
    return value.map(toWire);
  }
  const wire: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    wire[name] = toWire(member);
  }
  return wire;
}
