package main

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

var (
	message           = []byte("a message of the smoke")
	encryptionContext = map[string]string{"tenant": "42", "purpose": "Rücklage ✓"}
)

var cryptographicGroups = []group{
	{"encrypt and decrypt", data},
	{"RSA encryption", rsaEncryption},
	{"data keys", dataKeys},
	{"data key pairs", dataKeyPairs},
	{"re-encrypt", reEncrypt},
	{"sign and verify: RSA", signRSA},
	{"sign and verify: ECC", signECC},
	{"sign and verify: Ed25519", signEd25519},
	{"sign and verify: ML-DSA", signMLDSA},
	{"MAC", mac},
	{"ECDH", agree},
	{"KEM", kem},
	{"random", random},
}

// pair creates an asymmetric key; its public key comes as it was sent, in DER.
func (s smoke) pair(spec types.KeySpec, usage types.KeyUsageType) (keyID *string, der []byte) {
	keyID = s.create(kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage}).KeyId
	public := must(s.kms.GetPublicKey(s.ctx, &kms.GetPublicKeyInput{KeyId: keyID}))
	same(public.KeySpec, spec)
	return keyID, public.PublicKey
}

func data(s smoke) {
	made := s.create(kms.CreateKeyInput{})
	blob := s.encrypt(made.KeyId, message, encryptionContext)
	opened := s.decrypt(blob, encryptionContext)
	same(opened.Plaintext, message)
	same(*opened.KeyId, *made.Arn)
	_, err := s.kms.Decrypt(s.ctx, &kms.DecryptInput{CiphertextBlob: blob})
	refused[*types.InvalidCiphertextException](err, "")
	_, err = s.kms.Decrypt(s.ctx, &kms.DecryptInput{
		CiphertextBlob: blob, EncryptionContext: encryptionContext, KeyId: s.create(kms.CreateKeyInput{}).KeyId,
	})
	refused[*types.IncorrectKeyException](err,
		"The key ID in the request does not identify a CMK that can perform this operation.")
}

func rsaEncryption(s smoke) {
	keyID, der := s.pair(types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt)
	public := must(x509.ParsePKIXPublicKey(der)).(*rsa.PublicKey)
	algorithm := types.EncryptionAlgorithmSpecRsaesOaepSha256
	inside := must(s.kms.Encrypt(s.ctx, &kms.EncryptInput{
		KeyId: keyID, Plaintext: message, EncryptionAlgorithm: algorithm,
	})).CiphertextBlob
	outside := must(rsa.EncryptOAEP(sha256.New(), rand.Reader, public, message, nil))
	for _, blob := range [][]byte{inside, outside} {
		opened := must(s.kms.Decrypt(s.ctx, &kms.DecryptInput{
			KeyId: keyID, CiphertextBlob: blob, EncryptionAlgorithm: algorithm,
		}))
		same(opened.Plaintext, message)
	}
}

func dataKeys(s smoke) {
	keyID := s.create(kms.CreateKeyInput{}).KeyId
	made := must(s.kms.GenerateDataKey(s.ctx, &kms.GenerateDataKeyInput{
		KeyId: keyID, KeySpec: types.DataKeySpecAes256, EncryptionContext: encryptionContext,
	}))
	same(len(made.Plaintext), 32)
	same(s.decrypt(made.CiphertextBlob, encryptionContext).Plaintext, made.Plaintext)
	hidden := must(s.kms.GenerateDataKeyWithoutPlaintext(s.ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
		KeyId: keyID, NumberOfBytes: aws.Int32(1024),
	}))
	same(len(s.decrypt(hidden.CiphertextBlob, nil).Plaintext), 1024)
}

func dataKeyPairs(s smoke) {
	keyID := s.create(kms.CreateKeyInput{}).KeyId
	for _, spec := range []types.DataKeyPairSpec{
		types.DataKeyPairSpecRsa2048, types.DataKeyPairSpecEccNistP384, types.DataKeyPairSpecEccNistEdwards25519,
	} {
		made := must(s.kms.GenerateDataKeyPair(s.ctx, &kms.GenerateDataKeyPairInput{KeyId: keyID, KeyPairSpec: spec}))
		private := must(x509.ParsePKCS8PrivateKey(made.PrivateKeyPlaintext)).(crypto.Signer)
		same(must(x509.MarshalPKIXPublicKey(private.Public())), made.PublicKey)
		same(s.decrypt(made.PrivateKeyCiphertextBlob, nil).Plaintext, made.PrivateKeyPlaintext)
	}
	hidden := must(s.kms.GenerateDataKeyPairWithoutPlaintext(s.ctx, &kms.GenerateDataKeyPairWithoutPlaintextInput{
		KeyId: keyID, KeyPairSpec: types.DataKeyPairSpecEccNistP256,
	}))
	must(x509.ParsePKCS8PrivateKey(s.decrypt(hidden.PrivateKeyCiphertextBlob, nil).Plaintext))
}

func reEncrypt(s smoke) {
	source, target := s.create(kms.CreateKeyInput{}), s.create(kms.CreateKeyInput{})
	moved := must(s.kms.ReEncrypt(s.ctx, &kms.ReEncryptInput{
		CiphertextBlob:          s.encrypt(source.KeyId, message, encryptionContext),
		SourceEncryptionContext: encryptionContext,
		DestinationKeyId:        target.KeyId,
	}))
	same(*moved.SourceKeyId, *source.Arn)
	same(*moved.KeyId, *target.Arn)
	same(s.decrypt(moved.CiphertextBlob, nil).Plaintext, message)
}

// checkSigning signs, and verifies at the server and outside; a changed signature must fail at both.
func (s smoke) checkSigning(
	spec types.KeySpec, algorithm types.SigningAlgorithmSpec, verifiesOutside func(public any, signature []byte) bool,
) {
	keyID, der := s.pair(spec, types.KeyUsageTypeSignVerify)
	signature := must(s.kms.Sign(s.ctx, &kms.SignInput{
		KeyId: keyID, Message: message, SigningAlgorithm: algorithm,
	})).Signature
	verify := func(signature []byte) (*kms.VerifyOutput, error) {
		return s.kms.Verify(s.ctx, &kms.VerifyInput{
			KeyId: keyID, Message: message, Signature: signature, SigningAlgorithm: algorithm,
		})
	}
	same(must(verify(signature)).SignatureValid, true)
	changed := bytes.Clone(signature)
	changed[len(changed)-1] ^= 1
	_, err := verify(changed)
	refused[*types.KMSInvalidSignatureException](err, "")
	if verifiesOutside != nil {
		public := must(x509.ParsePKIXPublicKey(der))
		same(verifiesOutside(public, signature), true)
		same(verifiesOutside(public, changed), false)
	}
}

func signRSA(s smoke) {
	digest := sha256.Sum256(message)
	s.checkSigning(types.KeySpecRsa2048, types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
		func(public any, signature []byte) bool {
			return rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, digest[:], signature) == nil
		})
	s.checkSigning(types.KeySpecRsa2048, types.SigningAlgorithmSpecRsassaPssSha256,
		func(public any, signature []byte) bool {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(public.(*rsa.PublicKey), crypto.SHA256, digest[:], signature, options) == nil
		})
}

func signECC(s smoke) {
	small, large := sha256.Sum256(message), sha512.Sum512(message)
	verifies := func(digest []byte) func(any, []byte) bool {
		return func(public any, signature []byte) bool {
			return ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), digest, signature)
		}
	}
	s.checkSigning(types.KeySpecEccNistP256, types.SigningAlgorithmSpecEcdsaSha256, verifies(small[:]))
	s.checkSigning(types.KeySpecEccNistP521, types.SigningAlgorithmSpecEcdsaSha512, verifies(large[:]))
	// The standard library of Go does not know secp256k1.
	s.checkSigning(types.KeySpecEccSecgP256k1, types.SigningAlgorithmSpecEcdsaSha256, nil)
	keyID, der := s.pair(types.KeySpecEccNistP256, types.KeyUsageTypeSignVerify)
	input := kms.SignInput{
		KeyId: keyID, Message: small[:], MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	}
	same(verifies(small[:])(must(x509.ParsePKIXPublicKey(der)), must(s.kms.Sign(s.ctx, &input)).Signature), true)
}

func signEd25519(s smoke) {
	s.checkSigning(types.KeySpecEccNistEdwards25519, types.SigningAlgorithmSpecEd25519Sha512,
		func(public any, signature []byte) bool {
			return ed25519.Verify(public.(ed25519.PublicKey), message, signature)
		})
}

func signMLDSA(s smoke) {
	// The standard library of Go does not know ML-DSA.
	s.checkSigning(types.KeySpecMlDsa65, types.SigningAlgorithmSpecMlDsaShake256, nil)
}

func mac(s smoke) {
	keyID := s.create(kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac}).KeyId
	algorithm := types.MacAlgorithmSpecHmacSha256
	made := must(s.kms.GenerateMac(s.ctx, &kms.GenerateMacInput{KeyId: keyID, Message: message, MacAlgorithm: algorithm}))
	verify := func(tag []byte) (*kms.VerifyMacOutput, error) {
		return s.kms.VerifyMac(s.ctx, &kms.VerifyMacInput{
			KeyId: keyID, Message: message, Mac: tag, MacAlgorithm: algorithm,
		})
	}
	same(must(verify(made.Mac)).MacValid, true)
	_, err := verify(make([]byte, len(made.Mac)))
	refused[*types.KMSInvalidMacException](err, "")
}

func agree(s smoke) {
	keyID, der := s.pair(types.KeySpecEccNistP256, types.KeyUsageTypeKeyAgreement)
	public := must(must(x509.ParsePKIXPublicKey(der)).(*ecdsa.PublicKey).ECDH())
	stranger := must(ecdh.P256().GenerateKey(rand.Reader))
	derived := must(s.kms.DeriveSharedSecret(s.ctx, &kms.DeriveSharedSecretInput{
		KeyId: keyID, KeyAgreementAlgorithm: types.KeyAgreementAlgorithmSpecEcdh,
		PublicKey: must(x509.MarshalPKIXPublicKey(stranger.PublicKey())),
	}))
	same(derived.SharedSecret, must(stranger.ECDH(public)))
}

func kem(s smoke) {
	keyID, der := s.pair(types.KeySpecMlKem768, types.KeyUsageTypeEncapsulateDecapsulate)
	decapsulate := func(blob []byte) []byte {
		return must(s.kms.Decapsulate(s.ctx, &kms.DecapsulateInput{
			KeyId: keyID, SharedSecretCiphertextBlob: blob, EncapsulationAlgorithm: types.EncapsulationAlgorithmSpecMlKem,
		})).SharedSecret
	}
	// crypto/x509 does not parse ML-KEM keys: what it would is the bit string of SubjectPublicKeyInfo (RFC 9935).
	var info struct {
		Algorithm struct{ ID asn1.ObjectIdentifier }
		PublicKey asn1.BitString
	}
	must(asn1.Unmarshal(der, &info))
	secret, blob := must(mlkem.NewEncapsulationKey768(info.PublicKey.Bytes)).Encapsulate()
	same(decapsulate(blob), secret)
	made := must(s.kms.Encapsulate(s.ctx, &kms.EncapsulateInput{
		KeyId: keyID, EncapsulationAlgorithm: types.EncapsulationAlgorithmSpecMlKem,
	}))
	same(decapsulate(made.SharedSecretCiphertextBlob), made.SharedSecret)
}

func random(s smoke) {
	read := func() []byte {
		return must(s.kms.GenerateRandom(s.ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(1024)})).Plaintext
	}
	first, second := read(), read()
	same(len(first), 1024)
	same(bytes.Equal(first, second), false)
}
