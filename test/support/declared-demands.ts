import { OPERATIONS, type OperationName } from '../../src/service/registry.ts';
import type { KeyDemands } from '../../src/service/resolve-key.ts';

/** A demand that an operation makes on a key, and the member of the request that names the key. */
export type DeclaredDemand = KeyDemands & { readonly member: string };

const MEMBERS = {
  KeyId: 'key',
  TargetKeyId: 'target',
  SourceKeyId: 'source',
  DestinationKeyId: 'destination',
  GrantId: 'grant',
  AliasName: 'alias/name',
  CiphertextBlob: new Uint8Array(1),
};
const OLD_TARGET = 'old target';

/** What an operation demands of each key that it is about, found out by its own resolution. */
export function declaredDemands(name: OperationName): readonly DeclaredDemand[] {
  const demands: DeclaredDemand[] = [];
  const names = Object.entries(MEMBERS);
  const record = (identifier: unknown, asked: KeyDemands): object => {
    const member = names.find(([, value]) => value === identifier)?.[0] ?? String(identifier);
    demands.push({ ...asked, member });
    return { key: {} };
  };
  const resolver = {
    account: () => ({}),
    key: record,
    alias: () => ({ alias: { targetKeyId: OLD_TARGET } }),
    newAlias: () => ({}),
    grant: () => ({}),
  };
  const outcome: unknown = OPERATIONS[name].resolve(MEMBERS as never, resolver as never);
  if (outcome instanceof Promise) {
    throw new Error(`the resolution of ${name} needs more than what it declares`);
  }
  return demands;
}

export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];
