/** What the service needs from the layers above it; they implement these and the engine wires them. */
import type { Caller } from '../base/caller.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { Alias } from '../keys/alias.ts';
import type { PublicEncryptionAlgorithm } from '../core/asymmetric.ts';
import type { WrappingAlgorithm } from '../core/key-transport.ts';
import type { ImportedPublicKey, WrappedSecret } from '../keys/imported-materials.ts';
import type { DataKeyPairSpec, MacAlgorithm, MessageType, SigningAlgorithm } from '../keys/key-spec.ts';
import type { KmsKey } from '../keys/kms-key.ts';
import type { KeyUse } from '../keys/last-use.ts';
import type { WrappingKeySpec } from '../keys/material-wrapping.ts';
import type { RotationType } from '../keys/rotation.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { ConditionValues } from '../policy/condition-values.ts';
import type { Grant, GrantOperation, GrantParty } from '../policy/grant.ts';
import type { Principal } from '../policy/principal.ts';
import type { RequestContext } from './target.ts';

/** Another writer changed the key first; the pipeline starts the request anew on what is stored now. */
export class VersionConflictError extends Error {
  override readonly name = 'VersionConflictError';
}

/** How and when a material became the current one; absent for the first material of a key. */
export interface MaterialRotation {
  readonly type: RotationType;
  readonly atMs: number;
}

/** One version of key material at rest. */
export interface WrappedMaterial {
  readonly materialId: string;
  /** The material under the region key, bound to account, Region, key id, material id and spec. */
  readonly wrapped: Uint8Array;
  readonly regionKeyVersion: number;
  readonly createdMs: number;
}

/** A material of a key as lists show it, in the order in which the materials came to be. */
export interface MaterialEntry {
  readonly sequence: number;
  readonly materialId: string;
  readonly rotation: MaterialRotation | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** True when more items follow the last one. */
  readonly isTruncated: boolean;
}

export interface PageRequest {
  /** Only items behind this one, in the order of their ids. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A material that joins a key, as the next one in its sequence. */
export interface NewMaterial {
  readonly material: WrappedMaterial;
  readonly rotation?: MaterialRotation | undefined;
}

/**
 * A change of one key:
 * - `create`: a new key with its materials, oldest first, perhaps with an alias whose name must be free;
 * - `update`: the key as it shall be, one version above the stored one, perhaps with materials that join it; of an
 *   imported key, materials that it does not say to be there are deleted with it;
 * - `delete`: the key at this version, with its materials, grants and aliases.
 */
export type KeyChange =
  | {
      readonly kind: 'create';
      readonly key: KmsKey;
      readonly materials: readonly NewMaterial[];
      readonly alias?: Alias;
    }
  | { readonly kind: 'update'; readonly key: KmsKey; readonly materials?: readonly NewMaterial[] }
  | { readonly kind: 'delete'; readonly key: KmsKey };

/** Durable keys. Every change is one transaction that is on disk when the promise resolves. */
export interface KeyRepository {
  /** Answers at once for a cached key. */
  find(region: string, keyId: string): MaybePromise<KmsKey | undefined>;
  list(region: string, accountId: string, page: PageRequest): Promise<Page<{ readonly keyId: string }>>;
  countCustomerManaged(region: string, accountId: string): Promise<number>;
  /**
   * Makes all of the changes or none of them.
   * @throws VersionConflictError when a stored version is not the one that its change was made from, a new key is there
   *   already, or the name of its alias is taken
   */
  commit(changes: readonly KeyChange[]): Promise<void>;
  /** Materials behind sequence number `after`, oldest first. */
  listMaterials(key: KmsKey, after: number, limit: number): Promise<Page<MaterialEntry>>;
  /** Keys whose deletion date is at or before `nowMs`. */
  findDeletionDue(nowMs: number, limit: number): Promise<readonly KmsKey[]>;
  /** Enabled keys whose automatic rotation is due; replicas are rotated with their primary and do not count. */
  findRotationDue(nowMs: number, limit: number): Promise<readonly KmsKey[]>;
  /** Keys that have an imported material which expires at or before `nowMs`. */
  findMaterialExpiryDue(nowMs: number, limit: number): Promise<readonly KmsKey[]>;
  findMaterial(key: KmsKey, materialId: string): MaybePromise<WrappedMaterial | undefined>;
}

export interface AliasRepository {
  find(region: string, accountId: string, name: string): MaybePromise<Alias | undefined>;
  /** All aliases of the account, or those of one key, in the order of their names. */
  list(region: string, accountId: string, targetKeyId: string | undefined, page: PageRequest): Promise<Page<Alias>>;
  countOfKey(region: string, targetKeyId: string): Promise<number>;
  /** Returns false when the name is taken. */
  insert(alias: Alias): Promise<boolean>;
  /** Returns false when there is no such alias any more. */
  update(alias: Alias): Promise<boolean>;
  /** Returns false when there was no such alias. */
  delete(alias: Alias): Promise<boolean>;
}

/** One version of symmetric key material, ready for use, wherever it lives. */
export interface SymmetricMaterial {
  /** @returns header ‖ everything that {@link decrypt} needs */
  encrypt(header: Uint8Array, context: Uint8Array, plaintext: Uint8Array): MaybePromise<Uint8Array>;
  /** @returns undefined for a blob, header or context that does not fit: one answer for every cause */
  decrypt(headerLength: number, blob: Uint8Array, context: Uint8Array): MaybePromise<Uint8Array | undefined>;
  generateDataKey(
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): MaybePromise<{ readonly plaintext: Uint8Array; readonly blob: Uint8Array }>;
  generateDataKeyWithoutPlaintext(
    header: Uint8Array,
    context: Uint8Array,
    lengthBytes: number,
  ): MaybePromise<Uint8Array>;
  /** A fresh key pair, its private key in the clear (PKCS#8) and encrypted like data. */
  generateDataKeyPair(
    header: Uint8Array,
    context: Uint8Array,
    spec: DataKeyPairSpec,
  ): MaybePromise<{ readonly publicKey: Uint8Array; readonly privateKey: Uint8Array; readonly blob: Uint8Array }>;
  generateDataKeyPairWithoutPlaintext(
    header: Uint8Array,
    context: Uint8Array,
    spec: DataKeyPairSpec,
  ): MaybePromise<{ readonly publicKey: Uint8Array; readonly blob: Uint8Array }>;
}

/** A key pair, ready for use; each function belongs to some specs only, and is called for no others. */
export interface AsymmetricMaterial {
  /** SubjectPublicKeyInfo (RFC 5280), DER. */
  publicKey(): MaybePromise<Uint8Array>;
  sign(algorithm: SigningAlgorithm, type: MessageType, message: Uint8Array): MaybePromise<SignOutcome>;
  verify(
    algorithm: SigningAlgorithm,
    type: MessageType,
    message: Uint8Array,
    signature: Uint8Array,
  ): MaybePromise<VerifyOutcome>;
  encrypt(algorithm: PublicEncryptionAlgorithm, plaintext: Uint8Array): MaybePromise<Uint8Array>;
  /** @returns undefined for a ciphertext that does not open: one answer for every cause */
  decrypt(algorithm: PublicEncryptionAlgorithm, ciphertext: Uint8Array): MaybePromise<Uint8Array | undefined>;
  /** @returns undefined when the other side's public key is none of the same curve */
  deriveSharedSecret(peerPublicKey: Uint8Array): MaybePromise<Uint8Array | undefined>;
  encapsulate(): MaybePromise<{ readonly sharedSecret: Uint8Array; readonly ciphertext: Uint8Array }>;
  /** @returns undefined for a ciphertext of the wrong length; any other one gives a secret (implicit rejection) */
  decapsulate(ciphertext: Uint8Array): MaybePromise<Uint8Array | undefined>;
}

/** What is wrong with the message: its type for this algorithm, or the length of the digest. */
export type MessageProblem = 'messageType' | 'digestLength';

export type SignOutcome =
  { readonly ok: true; readonly signature: Uint8Array } | { readonly ok: false; readonly problem: MessageProblem };

export type VerifyOutcome =
  { readonly ok: true; readonly isValid: boolean } | { readonly ok: false; readonly problem: MessageProblem };

/** HMAC key material, ready for use. */
export interface MacMaterial {
  /** HMAC (RFC 2104); as long as the digest of `algorithm`. */
  generate(algorithm: MacAlgorithm, message: Uint8Array): MaybePromise<Uint8Array>;
  /** Compares in constant time. */
  verify(algorithm: MacAlgorithm, message: Uint8Array, mac: Uint8Array): MaybePromise<boolean>;
}

/** For which request a key is made or used: what stands behind a custom key store is told of it. */
export interface KeyRequest extends Pick<RequestContext, 'caller' | 'requestId' | 'origin'> {
  /** Name of the operation, for example `Encrypt`. */
  readonly operation: string;
}

/** Makes key material and brings it into use; answers with a value where it can and with a promise where it must. */
export interface KeyMaterialProvider {
  /**
   * Draws fresh material for a key that is about to be stored.
   *
   * @param request absent when the service itself makes it; that never happens to keys in custom key stores
   */
  generate(key: KmsKey, nowMs: number, request?: KeyRequest): MaybePromise<WrappedMaterial>;
  /**
   * Takes material from outside: 32 bytes for a symmetric key, as long as the digest for HMAC, PKCS#8 for a key pair.
   * Its id follows from key id and material, so that the same material for the same key is recognised again. The caller
   * wipes `plaintext`.
   *
   * @returns undefined when `plaintext` is no material of the key's spec
   */
  adopt(key: KmsKey, plaintext: Uint8Array, nowMs: number): MaybePromise<WrappedMaterial | undefined>;
  /** The material of `from` as a material of `to`, its related key in another Region. */
  copy(from: KmsKey, material: WrappedMaterial, to: KmsKey): MaybePromise<WrappedMaterial>;
  /** @returns undefined when the key has no such material */
  openSymmetric(key: KmsKey, materialId: string, request: KeyRequest): MaybePromise<SymmetricMaterial | undefined>;
  /** The only material of an HMAC key. */
  openMac(key: KmsKey): MaybePromise<MacMaterial>;
  /** The only material of a key pair. */
  openAsymmetric(key: KmsKey): MaybePromise<AsymmetricMaterial>;
  /**
   * Destroys what is kept of a key outside of the store, once the store does not have the key any more. An effort
   * without promise: what cannot be destroyed stays, and is logged.
   *
   * @source KMS Developer Guide, "AWS CloudHSM key stores": a best effort to delete the key material from the cluster
   */
  destroy(key: KmsKey): MaybePromise<void>;
}

/** A key pair that key material is encrypted to on its way in; its private key is bound to the KMS key it serves. */
export interface WrappingKey {
  readonly spec: WrappingKeySpec;
  readonly privateKey: WrappedSecret;
}

/** Material that came in. */
export interface UnwrappedMaterial {
  readonly material: WrappedMaterial;
  /** Of a key pair. */
  readonly publicKey: ImportedPublicKey | undefined;
}

/** Material that came in, or why it did not: it could not be decrypted, or it is no key of the spec. */
export type ImportOutcome =
  ({ readonly ok: true } & UnwrappedMaterial) | { readonly ok: false; readonly problem: 'ciphertext' | 'material' };

/** Takes key material from outside. Neither material nor private wrapping keys become values of this program. */
export interface MaterialImporter {
  /** Draws the secret that recognises the materials of a new key. */
  createFingerprintKey(key: KmsKey): MaybePromise<WrappedSecret>;
  /** The fingerprint key of `from` as that of `to`, its related key in another Region. */
  copyFingerprintKey(from: KmsKey, fingerprintKey: WrappedSecret, to: KmsKey): MaybePromise<WrappedSecret>;
  /** @returns the SubjectPublicKeyInfo, DER, and the wrapping key */
  createWrappingKey(
    key: KmsKey,
    spec: WrappingKeySpec,
  ): MaybePromise<{ readonly publicKey: Uint8Array; readonly wrappingKey: WrappingKey }>;
  /** The id of the material is a function of the key and the bytes: the same bytes give the same id. */
  unwrap(
    key: KmsKey,
    fingerprintKey: WrappedSecret,
    wrapping: { readonly key: WrappingKey; readonly algorithm: WrappingAlgorithm },
    encrypted: Uint8Array,
    nowMs: number,
  ): MaybePromise<ImportOutcome>;
  /**
   * The SubjectPublicKeyInfo, DER, of a key pair that was imported, whether or not its material is still there.
   *
   * @throws InvariantError when `publicKey` is not that of the material
   */
  openPublicKey(
    key: KmsKey,
    fingerprintKey: WrappedSecret,
    materialId: string,
    publicKey: ImportedPublicKey,
  ): MaybePromise<Uint8Array>;
}

/** What a request asks to do, for the decision whether it may. */
export interface AccessRequest {
  readonly caller: Caller;
  /** `kms:<Action>`. */
  readonly action: string;
  /** ARN of the key or alias, or `*` for actions without a resource. */
  readonly resourceArn: string;
  /** The account that owns the resource. */
  readonly resourceAccountId: string;
  /** The key policy, for actions on a key. */
  readonly resourcePolicy?: CompiledPolicy | undefined;
  /** The policy of the VPC endpoint that the request came through. */
  readonly endpointPolicy?: CompiledPolicy | undefined;
  readonly values: ConditionValues;
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** The grant that CreateGrant is to make. */
  readonly newGrant?: Pick<Grant, 'operations' | 'constraints'> | undefined;
  /** The grants that may be about the request; absent for actions that no grant is for. */
  readonly findGrants?: FindGrants | undefined;
  /** The names of the key's aliases, `alias/` included; absent for actions that are not on a key. */
  readonly findAliases?: (() => Promise<readonly string[]>) | undefined;
}

/** The grants that are for one of these parties and may let the request in. */
export type FindGrants = (kind: GrantParty['kind'], parties: readonly string[]) => MaybePromise<readonly Grant[]>;

export type Decision =
  | { readonly effect: 'allow' }
  /** `reason` ends the sentence "User … is not authorized to perform … on resource …". */
  | { readonly effect: 'deny'; readonly reason: string };

export interface AccessControl {
  decide(request: AccessRequest): MaybePromise<Decision>;
  /** The caller as policies see it, with its tags. */
  describe(caller: Caller): MaybePromise<Principal>;
  /** Whether the caller may retire `grant`, by what the grant itself and the caller's own policies say. */
  decideOnRetirement(request: AccessRequest, grant: Grant): MaybePromise<Decision>;
}

/** Who stands behind the names in policies and grants: users, roles and their sessions. */
export interface PrincipalDirectory {
  /**
   * What a policy or a grant keeps of a principal: the unique id for an ARN, with the name of the session behind a
   * colon for a session of a role. What has no unique id stays as it is: root users, accounts, everyone, and users and
   * roles of accounts of which nobody is known here.
   *
   * @returns undefined when there is no such user or role
   */
  identify(name: string): Promise<string | undefined>;
  /** The ARN behind what {@link identify} gave; the same text again when that has none, or nobody has it any more. */
  show(id: string): Promise<string>;
}

/** Grants at rest. A change is on disk when the promise resolves. */
export interface GrantRepository {
  find(region: string, keyId: string, grantId: string): Promise<Grant | undefined>;
  /** The grant on this key with the same name and parameters, if there is one. */
  findSame(region: string, keyId: string, fingerprint: string): Promise<Grant | undefined>;
  /** Grants on a key, or those that a party may retire, in the order of their ids. */
  list(region: string, filter: GrantFilter, page: PageRequest): Promise<Page<Grant>>;
  countOfKey(region: string, keyId: string): Promise<number>;
  /** Grants on a key that are for one of these parties and may let the operation in; at once when they are cached. */
  findUsable(key: KmsKey, demand: GrantDemand): MaybePromise<readonly Grant[]>;
  insert(grant: Grant, fingerprint: string): Promise<void>;
  /** Returns false when there was no such grant. */
  delete(grant: Grant): Promise<boolean>;
}

export interface GrantDemand {
  readonly kind: GrantParty['kind'];
  readonly grantees: readonly string[];
  readonly operation: GrantOperation;
  /** Of {@link selectorsFor}; absent for operations that encryption context constraints do not limit. */
  readonly selectors: readonly string[] | undefined;
}

export interface GrantFilter {
  readonly keyId?: string | undefined;
  readonly grantId?: string | undefined;
  readonly grantee?: GrantParty | undefined;
  readonly retiring?: GrantParty | undefined;
}

/** The last successful cryptographic operation under each key; related multi-Region keys count apart. */
export interface LastUses {
  /** Costs a note in memory; durable some seconds later. */
  note(key: KmsKey, use: KeyUse): void;
  /** Sees what was noted in this process at once, and what others noted once they have written it. */
  find(key: KmsKey): MaybePromise<KeyUse | undefined>;
}

/** Makes texts that only this service can make, and reads them back: grant tokens and the like. */
export interface TokenSealer {
  /** Every call gives another text, also for the same content. */
  seal(region: string, purpose: string, content: Uint8Array, binding?: Uint8Array): MaybePromise<string>;
  /** @returns undefined for a text that {@link seal} did not make for this Region, purpose and binding */
  open(region: string, purpose: string, token: string, binding?: Uint8Array): MaybePromise<Uint8Array | undefined>;
}

/** Encrypts to keys of others. */
export interface EnvelopeSealer {
  /**
   * CMS EnvelopedData (RFC 5652 §6), DER: AES-256-CBC under a key that RSAES-OAEP with SHA-256 carries.
   * `recipientSpki`: SubjectPublicKeyInfo, DER, of an RSA key of 2048, 3072 or 4096 bits.
   */
  cmsEnvelopeEncrypt(recipientSpki: Uint8Array, plaintext: Uint8Array): Uint8Array;
}

export interface RandomSource {
  randomBytes(length: number): Uint8Array;
}

/** Request quotas. */
export interface RequestQuotas {
  /**
   * Counts a request; false when the quota is used up.
   *
   * @param holder the account that asks, or the id of the custom key store that works
   * @param quota a name of quota-groups.ts
   */
  take(holder: string, region: string, quota: string): boolean;
}
