/**
 * Keywright as a library: the whole key management service inside a Node process.
 *
 * @example
 * const engine = await Engine.open({ dataDirectory: './data' });
 * const caller = rootOf('111122223333');
 * const { KeyMetadata } = await engine.call('CreateKey', {}, { caller, region: 'eu-central-1' });
 */
export { Engine, type CallContext, type EngineOptions } from './engine/engine.ts';
export { AttestationError } from './attestation/attestation-error.ts';
export { callerOf, rootOf, type Identities, type PrincipalName, type PrincipalSettings } from './iam/identities.ts';
export { IdentityError } from './iam/identity-error.ts';
export { ERROR_CATALOGUE, KmsServiceError, type ErrorName } from './base/errors.ts';
export type { Caller } from './base/caller.ts';
export type { Clock } from './base/clock.ts';
export type { Log } from './base/log.ts';
export { applySeed, type SeedOptions, type SeedReport } from './seed/apply-seed.ts';
export { SeedError } from './seed/seed-error.ts';
export type { FaultRule, FaultRuleStatus } from './engine/test-powers/faults.ts';
export { TestPowers } from './engine/test-powers/test-powers.ts';
export { RootKeyError } from './base/root-key.ts';
export type { OperationInput, OperationName, OperationOutput } from './service/registry.ts';
export type { BackendServices, KeyStoreBackends } from './service/key-store-ports.ts';
export type { NetworkAddress, XksNetworkSettings } from './xks/https-caller.ts';
export { XksBackend } from './xks/xks-backend.ts';
