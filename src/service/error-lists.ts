/** The errors that the service model lists for most operations of a kind; an operation adds its own to them. */
import type { ErrorName } from '../base/errors.ts';

/** Of operations that use a key. */
export const USE_ERRORS = [
  'DependencyTimeoutException',
  'DisabledException',
  'DryRunOperationException',
  'InvalidGrantTokenException',
  'InvalidKeyUsageException',
  'KeyUnavailableException',
  'KMSInternalException',
  'KMSInvalidStateException',
  'NotFoundException',
] as const satisfies readonly ErrorName[];

/** Of operations that manage a key. */
export const MANAGEMENT_ERRORS = [
  'DependencyTimeoutException',
  'InvalidArnException',
  'KMSInternalException',
  'KMSInvalidStateException',
  'NotFoundException',
] as const satisfies readonly ErrorName[];
