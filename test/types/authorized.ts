/** Compiled, never run: an operation cannot be executed without the proof of authorization, and nobody can make one. */
import type * as authorizeModule from '../../src/service/authorize.ts';
import type { KeyTarget } from '../../src/service/target.ts';
import type { encrypt } from '../../src/service/operations/encrypt.ts';

type Proof = Parameters<(typeof encrypt)['execute']>[0];
type Passes<T> = T extends Proof ? true : false;

/** An object of the same shape is no proof: the class has a private field. */
export const LOOKALIKE_PASSES: Passes<{ operation: 'Encrypt'; targets: readonly [KeyTarget] }> = false;

/** The proof for another operation does not count. */
export const OTHER_OPERATION_PASSES: Passes<authorizeModule.Authorized<'Decrypt', readonly [KeyTarget]>> = false;

/** The proof for the operation itself does: the two above fail for the right reason. */
export const OWN_PASSES: Passes<authorizeModule.Authorized<'Encrypt', readonly [KeyTarget]>> = true;

/** The class that makes proofs stays inside its module, which exports two functions. */
export const EXPORTS: readonly (keyof typeof authorizeModule)[] = ['authorize', 'accessDenied'];
