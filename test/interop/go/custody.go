package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Keys whose material comes from outside, or stays there.
var custodyGroups = []group{
	{"imported material", imported},
	{"imported material: MAC", importedMAC},
	{"imported material: refusals", importRefusals},
	{"custom key stores: CloudHSM", cloudHSMStore},
	{"custom key stores: external", externalStore},
}

func someBytes(count int) []byte {
	made := make([]byte, count)
	must(rand.Read(made))
	return made
}

// wrapped is the input that imports material, encrypted as its owner does it.
func (s smoke) wrapped(keyID *string, material []byte) kms.ImportKeyMaterialInput {
	parameters := must(s.kms.GetParametersForImport(s.ctx, &kms.GetParametersForImportInput{
		KeyId:             keyID,
		WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256,
		WrappingKeySpec:   types.WrappingKeySpecRsa3072,
	}))
	public := must(x509.ParsePKIXPublicKey(parameters.PublicKey)).(*rsa.PublicKey)
	return kms.ImportKeyMaterialInput{
		KeyId:                keyID,
		ImportToken:          parameters.ImportToken,
		EncryptedKeyMaterial: must(rsa.EncryptOAEP(sha256.New(), rand.Reader, public, material, nil)),
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	}
}

func (s smoke) bring(keyID *string, material []byte, importType types.ImportType) *kms.ImportKeyMaterialOutput {
	input := s.wrapped(keyID, material)
	input.ImportType = importType
	return must(s.kms.ImportKeyMaterial(s.ctx, &input))
}

func imported(s smoke) {
	made := s.create(kms.CreateKeyInput{Origin: types.OriginTypeExternal})
	same(made.KeyState, types.KeyStatePendingImport)
	pending := *made.Arn + " is pending import."
	_, err := s.kms.Encrypt(s.ctx, &kms.EncryptInput{KeyId: made.KeyId, Plaintext: message})
	refused[*types.KMSInvalidStateException](err, pending)
	first := someBytes(32)
	materialID := *s.bring(made.KeyId, first, "").KeyMaterialId
	same(s.describe(made.KeyId).KeyState, types.KeyStateEnabled)
	same(*s.describe(made.KeyId).CurrentKeyMaterialId, materialID)
	blob := s.encrypt(made.KeyId, message, nil)
	must(s.kms.DeleteImportedKeyMaterial(s.ctx, &kms.DeleteImportedKeyMaterialInput{KeyId: made.KeyId}))
	_, err = s.kms.Decrypt(s.ctx, &kms.DecryptInput{CiphertextBlob: blob})
	refused[*types.KMSInvalidStateException](err, pending)
	same(*s.bring(made.KeyId, first, "").KeyMaterialId, materialID)
	s.bring(made.KeyId, someBytes(32), types.ImportTypeNewKeyMaterial)
	must(s.kms.RotateKeyOnDemand(s.ctx, &kms.RotateKeyOnDemandInput{KeyId: made.KeyId}))
	listed := must(s.kms.ListKeyRotations(s.ctx, &kms.ListKeyRotationsInput{
		KeyId: made.KeyId, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial,
	})).Rotations
	same(len(listed), 2)
	same(listed[0].KeyMaterialState, types.KeyMaterialStateNonCurrent)
	same(listed[1].KeyMaterialState, types.KeyMaterialStateCurrent)
	opened := s.decrypt(blob, nil)
	same(opened.Plaintext, message)
	same(*opened.KeyMaterialId, materialID)
}

func importedMAC(s smoke) {
	keyID := s.create(kms.CreateKeyInput{
		Origin: types.OriginTypeExternal, KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac,
	}).KeyId
	material := someBytes(32)
	s.bring(keyID, material, "")
	outside := hmac.New(sha256.New, material)
	outside.Write(message)
	made := must(s.kms.GenerateMac(s.ctx, &kms.GenerateMacInput{
		KeyId: keyID, Message: message, MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
	}))
	same(made.Mac, outside.Sum(nil))
}

func importRefusals(s smoke) {
	first := s.create(kms.CreateKeyInput{Origin: types.OriginTypeExternal})
	second := s.create(kms.CreateKeyInput{Origin: types.OriginTypeExternal})
	invalid := fmt.Sprintf("The import token is not valid for key %s.", *second.Arn)
	foreign := s.wrapped(first.KeyId, someBytes(32))
	foreign.KeyId = second.KeyId
	_, err := s.kms.ImportKeyMaterial(s.ctx, &foreign)
	refused[*types.InvalidImportTokenException](err, invalid)
	input := s.wrapped(second.KeyId, someBytes(32))
	damaged := input
	damaged.ImportToken = bytes.Clone(input.ImportToken)
	damaged.ImportToken[len(damaged.ImportToken)-1] ^= 1
	_, err = s.kms.ImportKeyMaterial(s.ctx, &damaged)
	refused[*types.InvalidImportTokenException](err, invalid)
	// Encrypted to the wrapping key of another token.
	mixed := input
	mixed.EncryptedKeyMaterial = foreign.EncryptedKeyMaterial
	_, err = s.kms.ImportKeyMaterial(s.ctx, &mixed)
	refused[*types.InvalidCiphertextException](err, "")
	short := s.wrapped(second.KeyId, someBytes(31))
	_, err = s.kms.ImportKeyMaterial(s.ctx, &short)
	refused[*types.IncorrectKeyMaterialException](err,
		"The key material is not a key of spec SYMMETRIC_DEFAULT in the format of its import.")
}

// checkStore follows a store from its creation to its deletion; it has no backend, so that it cannot be connected.
func (s smoke) checkStore(
	input kms.CreateCustomKeyStoreInput, connectionError types.ConnectionErrorCodeType,
) types.CustomKeyStoresListEntry {
	input.CustomKeyStoreName = aws.String(fmt.Sprintf("go %s %d", input.CustomKeyStoreType, time.Now().UnixNano()))
	id := must(s.kms.CreateCustomKeyStore(s.ctx, &input)).CustomKeyStoreId
	describe := func() (*kms.DescribeCustomKeyStoresOutput, error) {
		return s.kms.DescribeCustomKeyStores(s.ctx, &kms.DescribeCustomKeyStoresInput{CustomKeyStoreId: id})
	}
	inState := func(state types.ConnectionStateType) func() bool {
		return func() bool { return must(describe()).CustomKeyStores[0].ConnectionState == state }
	}
	made := must(describe()).CustomKeyStores[0]
	same(*made.CustomKeyStoreName, *input.CustomKeyStoreName)
	same(made.CustomKeyStoreType, input.CustomKeyStoreType)
	same(made.ConnectionState, types.ConnectionStateTypeDisconnected)
	_, err := s.kms.CreateCustomKeyStore(s.ctx, &input)
	refused[*types.CustomKeyStoreNameInUseException](err, "Another custom key store has the same name.")
	renamed := aws.String(*input.CustomKeyStoreName + " renamed")
	must(s.kms.UpdateCustomKeyStore(s.ctx, &kms.UpdateCustomKeyStoreInput{
		CustomKeyStoreId: id, NewCustomKeyStoreName: renamed,
	}))
	same(*must(describe()).CustomKeyStores[0].CustomKeyStoreName, *renamed)
	must(s.kms.ConnectCustomKeyStore(s.ctx, &kms.ConnectCustomKeyStoreInput{CustomKeyStoreId: id}))
	eventually("the connection fails", inState(types.ConnectionStateTypeFailed))
	same(must(describe()).CustomKeyStores[0].ConnectionErrorCode, connectionError)
	deletion := kms.DeleteCustomKeyStoreInput{CustomKeyStoreId: id}
	_, err = s.kms.DeleteCustomKeyStore(s.ctx, &deletion)
	refused[*types.CustomKeyStoreInvalidStateException](err,
		"The connection state of custom key store "+*id+" is FAILED, which does not allow this operation.")
	must(s.kms.DisconnectCustomKeyStore(s.ctx, &kms.DisconnectCustomKeyStoreInput{CustomKeyStoreId: id}))
	eventually("the store is disconnected", inState(types.ConnectionStateTypeDisconnected))
	must(s.kms.DeleteCustomKeyStore(s.ctx, &deletion))
	_, err = describe()
	refused[*types.CustomKeyStoreNotFoundException](err, "Custom key store "+*id+" is not found.")
	return made
}

func cloudHSMStore(s smoke) {
	anchor := string(must(os.ReadFile(os.Getenv("INTEROP_TRUST_ANCHOR"))))
	made := s.checkStore(kms.CreateCustomKeyStoreInput{
		CustomKeyStoreType:     types.CustomKeyStoreTypeAwsCloudhsm,
		CloudHsmClusterId:      aws.String("cluster-smokesofgooo"),
		TrustAnchorCertificate: &anchor,
		KeyStorePassword:       aws.String("a-password"),
	}, types.ConnectionErrorCodeTypeClusterNotFound)
	same(*made.CloudHsmClusterId, "cluster-smokesofgooo")
	same(*made.TrustAnchorCertificate, anchor)
}

const goService = "com.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d4e5f60001"

func externalStore(s smoke) {
	made := s.checkStore(kms.CreateCustomKeyStoreInput{
		CustomKeyStoreType:   types.CustomKeyStoreTypeExternalKeyStore,
		XksProxyConnectivity: types.XksProxyConnectivityTypeVpcEndpointService,
		XksProxyUriEndpoint:  aws.String("https://go.example.com"),
		XksProxyUriPath:      aws.String("/kms/xks/v1"),
		// A proxy with a public endpoint would have to answer now; this one is looked for when it is connected.
		XksProxyVpcEndpointServiceName: aws.String(goService),
		XksProxyAuthenticationCredential: &types.XksProxyAuthenticationCredentialType{
			AccessKeyId: aws.String("SMOKESOFGOSMOKESOFGO"), RawSecretAccessKey: aws.String(strings.Repeat("a", 43)),
		},
	}, types.ConnectionErrorCodeTypeXksProxyNotReachable)
	same(*made.XksProxyConfiguration, types.XksProxyConfigurationType{
		AccessKeyId:            aws.String("SMOKESOFGOSMOKESOFGO"),
		Connectivity:           types.XksProxyConnectivityTypeVpcEndpointService,
		UriEndpoint:            aws.String("https://go.example.com"),
		UriPath:                aws.String("/kms/xks/v1"),
		VpcEndpointServiceName: aws.String(goService),
	})
}
