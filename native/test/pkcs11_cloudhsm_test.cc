#include "core/aead.h"
#include "core/key_pair_codec.h"
#include "core/mac.h"
#include "core/signature.h"
#include "test/pkcs11_testing.h"

// The profile for AWS CloudHSM, with a module that refuses what CloudHSM refuses.

namespace keywright::pkcs11 {
namespace {

constexpr std::uint32_t kKw = 1;
constexpr std::uint32_t kKwp = 2;
constexpr std::uint32_t kOaepSha1 = 3;
constexpr std::size_t kMostBytes = 16224;

class Pkcs11CloudHsm : public Pkcs11Test {
 protected:
  static Request Encrypt(Bytes id, const std::vector<Vector>& plaintexts) {
    return MakeRequest(Operation::kEncryptGcm, id, {}, Vector{1, 2}, plaintexts);
  }
  static Request Decrypt(Bytes id, const std::vector<Vector>& sealed) {
    return MakeRequest(Operation::kDecryptGcm, id, {}, Vector{1, 2}, sealed);
  }
};
INSTANTIATE_TEST_SUITE_P(Module, Pkcs11CloudHsm, testing::Values(TestModule::kCloudHsm),
                         [](const auto& test) { return NameOf(test.param); });

TEST_P(Pkcs11CloudHsm, EncryptsUnderIvsThatTheHsmMakes) {
  const Vector id = MakeSecret(kAesGcm, 0);
  const Reply sealed = Do(Encrypt(id, {Vector(), Vector(kMostBytes), Vector(1)}));
  ASSERT_TRUE(sealed.failure.ok()) << std::hex << sealed.failure.rv;
  ASSERT_TRUE(sealed.failures.empty());
  EXPECT_NE(Copy(sealed.outputs[0]), Vector(28));
  for (const PrivateBuffer& output : sealed.outputs) {
    const Vector plaintext = One(Decrypt(id, {Copy(output)}));
    EXPECT_EQ(plaintext, Vector(output.bytes().size() - 28));
    Vector changed = Copy(output);
    changed[generator_.Number(0, changed.size() - 1)] ^= 1;
    EXPECT_EQ(ReasonOf(Decrypt(id, {changed})), Reason::kAuthenticationFailed);
  }
  EXPECT_EQ(ReasonOf(Encrypt(id, {Vector(kMostBytes + 1)})), Reason::kTooLong);
  EXPECT_EQ(ReasonOf(Decrypt(id, {Vector(kMostBytes + 29)})), Reason::kTooLong);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, id)), Reason::kNone);
}

TEST_P(Pkcs11CloudHsm, MakesMacs) {
  const Vector id = MakeSecret(kHmac, kSession, 64);
  for (const std::uint32_t digest : {1U, 2U, 3U, 4U}) {
    const Vector message(kMostBytes);
    const Vector mac = One(MakeRequest(Operation::kGenerateMac, id, {digest}, {}, {message}));
    EXPECT_EQ(
        ReasonOf(MakeRequest(Operation::kVerifyMac, id, {digest}, {}, {Concat({mac, message})})),
        Reason::kNone);
    EXPECT_EQ(
        ReasonOf(MakeRequest(Operation::kGenerateMac, id, {digest}, {}, {Vector(kMostBytes + 1)})),
        Reason::kTooLong);
  }
}

TEST_P(Pkcs11CloudHsm, SignsAndVerifies) {
  for (const auto& [pair_type, type, algorithm, length] :
       {std::tuple(kPairRsa2048, KeyType::kRsa2048, SignatureAlgorithm::kRsassaPssSha256, 32U),
        std::tuple(kPairRsa2048, KeyType::kRsa2048, SignatureAlgorithm::kRsassaPkcs1V15Sha512, 64U),
        std::tuple(kPairP256, KeyType::kP256, SignatureAlgorithm::kEcdsaSha256, 32U),
        std::tuple(5U, KeyType::kP384, SignatureAlgorithm::kEcdsaSha384, 48U),
        std::tuple(6U, KeyType::kP521, SignatureAlgorithm::kEcdsaSha512, 64U),
        std::tuple(7U, KeyType::kSecp256k1, SignatureAlgorithm::kEcdsaSha256, 32U)}) {
    const TokenPair pair = MakePair(pair_type, type);
    const Vector digest = generator_.Octets(length);
    const auto number = static_cast<std::uint32_t>(algorithm);
    const Vector signature = One(MakeRequest(Operation::kSign, pair.id, {number}, {}, {digest}));
    EXPECT_TRUE(
        keywright::Verify(*pair.public_key, algorithm, MessageType::kDigest, digest, signature)
            .value());
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kVerify, pair.id, {number}, signature, {digest})),
              Reason::kNone);
    Vector other = digest;
    other[0] ^= 1;
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kVerify, pair.id, {number}, signature, {other})),
              Reason::kAuthenticationFailed);
  }
}

TEST_P(Pkcs11CloudHsm, WrapsByItsOwnMechanisms) {
  const Vector kek_id = MakeSecret(kAesWrap);
  const TokenPair pair = MakePair(kPairRsa2048Wrap, KeyType::kRsa2048);
  for (const std::uint32_t method : {kKw, kKwp, kOaepSha1, 5U}) {
    const Vector& wrapping_id = method <= kKwp ? kek_id : pair.id;
    const Vector id = MakeSecret(kAesGcm, kSession | kExtractable);
    const Vector wrapped = One(MakeRequest(Operation::kWrapKey, wrapping_id, {method}, id));
    const Vector copy_id = FreshId();
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kUnwrapKey, wrapping_id,
                                   {method, kAesGcm, kSession, 16}, copy_id, {wrapped})),
              Reason::kNone)
        << method;
    EXPECT_EQ(One(Decrypt(copy_id, {One(Encrypt(id, {Vector{7}}))})), Vector{7}) << method;
    Vector changed = wrapped;
    changed.back() ^= 1;
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kUnwrapKey, wrapping_id,
                                   {method, kAesGcm, kSession, 16}, FreshId(), {changed})),
              Reason::kAuthenticationFailed)
        << method;
  }
  const Vector kept = MakeSecret(kAesGcm);
  EXPECT_EQ(Do(MakeRequest(Operation::kWrapKey, kek_id, {kKwp}, kept)).failure.rv,
            CKR_KEY_UNEXTRACTABLE);
  const Vector trusted = MakeSecret(kAesGcm, kSession | kExtractable | kTrustedWrap);
  EXPECT_EQ(Do(MakeRequest(Operation::kWrapKey, kek_id, {kKwp}, trusted)).failure.rv,
            CKR_KEY_NOT_WRAPPABLE);
}

TEST_P(Pkcs11CloudHsm, EncryptsWithRsa) {
  const TokenPair pair = MakePair(kPairRsa2048, KeyType::kRsa2048);
  const Vector plaintext = generator_.Octets(32);
  const Vector ciphertext = One(MakeRequest(Operation::kRsaEncrypt, pair.id, {1}, {}, {plaintext}));
  EXPECT_EQ(One(MakeRequest(Operation::kRsaDecrypt, pair.id, {1}, {}, {ciphertext})), plaintext);
}

TEST_P(Pkcs11CloudHsm, NamesWhatCloudHsmDoesNotHave) {
  const KeyPtr peer = GenerateKeyPair(KeyType::kP256).value();
  const TokenPair pair = MakePair(kPairP256, KeyType::kP256);
  // It derives with key derivation functions of its own only.
  const Reply agreed = Do(MakeRequest(Operation::kAgree, pair.id, {}, SpkiOf(*peer)));
  EXPECT_EQ(agreed.failure.reason, Reason::kNotOffered) << std::hex << agreed.failure.rv;
  EXPECT_EQ(agreed.failure.mechanism, CKM_ECDH1_DERIVE);
  for (const std::uint32_t pair_type : {8U, 11U}) {
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kGenerateKeyPair, FreshId(), {pair_type, kSession})),
              Reason::kNotOffered);
  }
}

TEST_P(Pkcs11CloudHsm, DescribesAndDestroysKeys) {
  const Vector id = FreshId();
  ASSERT_EQ(ReasonOf(MakeRequest(Operation::kGenerateKeyPair, id, {kPairP256, 0}, AsBytes("x"))),
            Reason::kNone);
  const Reply records = Do(MakeRequest(Operation::kFindKeys, id));
  ASSERT_EQ(records.outputs.size(), 2U) << std::hex << records.failure.rv;
  EXPECT_EQ(records.outputs[0].bytes()[8], 3);  // in the token, and sensitive
  EXPECT_TRUE(Do(MakeRequest(Operation::kFindKeys, {})).failure.ok());
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, id)), Reason::kNone);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kExportPublicKey, id)), Reason::kKeyNotFound);
}

}  // namespace
}  // namespace keywright::pkcs11
