/** Why an attestation document is refused. The text ends a sentence that begins with "the document". */
export class AttestationError extends Error {
  override readonly name: string = 'AttestationError';
}

/** The document is sound as far as it was looked at, but too old, or from too far in the future. */
export class StaleAttestationError extends AttestationError {
  override readonly name = 'StaleAttestationError';
}

/** @throws AttestationError with `problem` unless `condition` holds */
export function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) {
    throw new AttestationError(problem);
  }
}
