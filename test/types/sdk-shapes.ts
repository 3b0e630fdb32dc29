/**
 * Compiled, never run: requests of the newest AWS SDK fit our operations, and our responses fit the SDK. A changed SDK
 * shows up here as a compile error.
 */
import type * as sdk from '@aws-sdk/client-kms';
import type { OperationInput, OperationName, OperationOutput } from '../../src/service/registry.ts';

/** The SDK marks required members as possibly undefined on requests; what it sends over the wire is what counts. */
interface Requests {
  CancelKeyDeletion: sdk.CancelKeyDeletionRequest;
  ConnectCustomKeyStore: sdk.ConnectCustomKeyStoreRequest;
  CreateAlias: sdk.CreateAliasRequest;
  CreateCustomKeyStore: sdk.CreateCustomKeyStoreRequest;
  CreateGrant: sdk.CreateGrantRequest;
  CreateKey: sdk.CreateKeyRequest;
  Decapsulate: sdk.DecapsulateRequest;
  Decrypt: sdk.DecryptRequest;
  DeleteAlias: sdk.DeleteAliasRequest;
  DeleteCustomKeyStore: sdk.DeleteCustomKeyStoreRequest;
  DeleteImportedKeyMaterial: sdk.DeleteImportedKeyMaterialRequest;
  DeriveSharedSecret: sdk.DeriveSharedSecretRequest;
  DescribeCustomKeyStores: sdk.DescribeCustomKeyStoresRequest;
  DescribeKey: sdk.DescribeKeyRequest;
  DisableKey: sdk.DisableKeyRequest;
  DisableKeyRotation: sdk.DisableKeyRotationRequest;
  DisconnectCustomKeyStore: sdk.DisconnectCustomKeyStoreRequest;
  EnableKey: sdk.EnableKeyRequest;
  EnableKeyRotation: sdk.EnableKeyRotationRequest;
  Encapsulate: sdk.EncapsulateRequest;
  Encrypt: sdk.EncryptRequest;
  GenerateDataKey: sdk.GenerateDataKeyRequest;
  GenerateDataKeyPair: sdk.GenerateDataKeyPairRequest;
  GenerateDataKeyPairWithoutPlaintext: sdk.GenerateDataKeyPairWithoutPlaintextRequest;
  GenerateDataKeyWithoutPlaintext: sdk.GenerateDataKeyWithoutPlaintextRequest;
  GenerateMac: sdk.GenerateMacRequest;
  GenerateRandom: sdk.GenerateRandomRequest;
  GetKeyLastUsage: sdk.GetKeyLastUsageRequest;
  GetKeyPolicy: sdk.GetKeyPolicyRequest;
  GetKeyRotationStatus: sdk.GetKeyRotationStatusRequest;
  GetParametersForImport: sdk.GetParametersForImportRequest;
  GetPublicKey: sdk.GetPublicKeyRequest;
  ImportKeyMaterial: sdk.ImportKeyMaterialRequest;
  ListAliases: sdk.ListAliasesRequest;
  ListGrants: sdk.ListGrantsRequest;
  ListKeyPolicies: sdk.ListKeyPoliciesRequest;
  ListKeyRotations: sdk.ListKeyRotationsRequest;
  ListKeys: sdk.ListKeysRequest;
  ListResourceTags: sdk.ListResourceTagsRequest;
  ListRetirableGrants: sdk.ListRetirableGrantsRequest;
  PutKeyPolicy: sdk.PutKeyPolicyRequest;
  ReEncrypt: sdk.ReEncryptRequest;
  ReplicateKey: sdk.ReplicateKeyRequest;
  RetireGrant: sdk.RetireGrantRequest;
  RevokeGrant: sdk.RevokeGrantRequest;
  RotateKeyOnDemand: sdk.RotateKeyOnDemandRequest;
  ScheduleKeyDeletion: sdk.ScheduleKeyDeletionRequest;
  Sign: sdk.SignRequest;
  TagResource: sdk.TagResourceRequest;
  UntagResource: sdk.UntagResourceRequest;
  UpdateAlias: sdk.UpdateAliasRequest;
  UpdateCustomKeyStore: sdk.UpdateCustomKeyStoreRequest;
  UpdateKeyDescription: sdk.UpdateKeyDescriptionRequest;
  UpdatePrimaryRegion: sdk.UpdatePrimaryRegionRequest;
  Verify: sdk.VerifyRequest;
  VerifyMac: sdk.VerifyMacRequest;
}

interface Responses {
  CancelKeyDeletion: sdk.CancelKeyDeletionResponse;
  ConnectCustomKeyStore: sdk.ConnectCustomKeyStoreResponse;
  CreateAlias: undefined;
  CreateCustomKeyStore: sdk.CreateCustomKeyStoreResponse;
  CreateGrant: sdk.CreateGrantResponse;
  CreateKey: sdk.CreateKeyResponse;
  Decapsulate: sdk.DecapsulateResponse;
  Decrypt: sdk.DecryptResponse;
  DeleteAlias: undefined;
  DeleteCustomKeyStore: sdk.DeleteCustomKeyStoreResponse;
  DeleteImportedKeyMaterial: sdk.DeleteImportedKeyMaterialResponse;
  DeriveSharedSecret: sdk.DeriveSharedSecretResponse;
  DescribeCustomKeyStores: sdk.DescribeCustomKeyStoresResponse;
  DescribeKey: sdk.DescribeKeyResponse;
  DisableKey: undefined;
  DisableKeyRotation: undefined;
  DisconnectCustomKeyStore: sdk.DisconnectCustomKeyStoreResponse;
  EnableKey: undefined;
  EnableKeyRotation: undefined;
  Encapsulate: sdk.EncapsulateResponse;
  Encrypt: sdk.EncryptResponse;
  GenerateDataKey: sdk.GenerateDataKeyResponse;
  GenerateDataKeyPair: sdk.GenerateDataKeyPairResponse;
  GenerateDataKeyPairWithoutPlaintext: sdk.GenerateDataKeyPairWithoutPlaintextResponse;
  GenerateDataKeyWithoutPlaintext: sdk.GenerateDataKeyWithoutPlaintextResponse;
  GenerateMac: sdk.GenerateMacResponse;
  GenerateRandom: sdk.GenerateRandomResponse;
  GetKeyLastUsage: sdk.GetKeyLastUsageResponse;
  GetKeyPolicy: sdk.GetKeyPolicyResponse;
  GetKeyRotationStatus: sdk.GetKeyRotationStatusResponse;
  GetParametersForImport: sdk.GetParametersForImportResponse;
  GetPublicKey: sdk.GetPublicKeyResponse;
  ImportKeyMaterial: sdk.ImportKeyMaterialResponse;
  ListAliases: sdk.ListAliasesResponse;
  ListGrants: sdk.ListGrantsResponse;
  ListKeyPolicies: sdk.ListKeyPoliciesResponse;
  ListKeyRotations: sdk.ListKeyRotationsResponse;
  ListKeys: sdk.ListKeysResponse;
  ListResourceTags: sdk.ListResourceTagsResponse;
  ListRetirableGrants: sdk.ListGrantsResponse;
  PutKeyPolicy: undefined;
  ReEncrypt: sdk.ReEncryptResponse;
  ReplicateKey: sdk.ReplicateKeyResponse;
  RetireGrant: undefined;
  RevokeGrant: undefined;
  RotateKeyOnDemand: sdk.RotateKeyOnDemandResponse;
  ScheduleKeyDeletion: sdk.ScheduleKeyDeletionResponse;
  Sign: sdk.SignResponse;
  TagResource: undefined;
  UntagResource: undefined;
  UpdateAlias: undefined;
  UpdateCustomKeyStore: sdk.UpdateCustomKeyStoreResponse;
  UpdateKeyDescription: undefined;
  UpdatePrimaryRegion: undefined;
  Verify: sdk.VerifyResponse;
  VerifyMac: sdk.VerifyMacResponse;
}

/** Members may be absent or undefined alike, and lists readonly: how the SDK's types differ from ours in form only. */
type Loose<T> = T extends Uint8Array | Date
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Loose<Item>[]
    : T extends object
      ? { readonly [K in keyof T]?: Loose<T[K]> | undefined }
      : T;

type Void<T> = T extends object ? T : undefined;

/** An SDK request that carries its required members is accepted by ours, and ours by the SDK; no member is unknown. */
type RequestFits<Name extends OperationName> = [
  Loose<Requests[Name]> extends Loose<OperationInput<Name>> ? true : ['SDK request does not fit', Name],
  Loose<OperationInput<Name>> extends Loose<Requests[Name]> ? true : ['our request does not fit', Name],
  Exclude<keyof Requests[Name], keyof OperationInput<Name>> extends never ? true : ['member missing', Name],
  Exclude<keyof OperationInput<Name>, keyof Requests[Name]> extends never ? true : ['member unknown', Name],
];

/** What we answer is what the SDK expects, with no member that it does not know. */
type ResponseFits<Name extends OperationName> = [
  Loose<Void<OperationOutput<Name>>> extends Loose<Responses[Name]> ? true : ['our response does not fit', Name],
  Exclude<keyof Exclude<OperationOutput<Name>, void>, keyof Exclude<Responses[Name], undefined>> extends never
    ? true
    : ['member unknown', Name],
];

type Fits = { [Name in OperationName]: [...RequestFits<Name>, ...ResponseFits<Name>][number] };

/** Fails to compile at the operation that does not fit, and names it. */
export const EVERY_OPERATION_FITS: { readonly [Name in OperationName]: true } = {} as Fits;
