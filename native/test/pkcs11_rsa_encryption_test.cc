#include "core/key_pair_codec.h"
#include "core/public_encryption.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

constexpr EncryptionAlgorithm kSha1 = EncryptionAlgorithm::kRsaesOaepSha1;
constexpr EncryptionAlgorithm kSha256 = EncryptionAlgorithm::kRsaesOaepSha256;

class Pkcs11RsaEncryption : public Pkcs11Test {
 protected:
  // SoftHSM knows OAEP with SHA-1 only.
  std::vector<EncryptionAlgorithm> Offered() const {
    return IsSoftHsm() ? std::vector{kSha1} : std::vector{kSha1, kSha256};
  }
  static Request Encrypt(Bytes id, EncryptionAlgorithm algorithm, const Vector& plaintext) {
    return MakeRequest(Operation::kRsaEncrypt, id, {static_cast<std::uint32_t>(algorithm)}, {},
                       {plaintext});
  }
  static Request Decrypt(Bytes id, EncryptionAlgorithm algorithm, const Vector& ciphertext) {
    return MakeRequest(Operation::kRsaDecrypt, id, {static_cast<std::uint32_t>(algorithm)}, {},
                       {ciphertext});
  }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11RsaEncryption);

TEST_P(Pkcs11RsaEncryption, AgreesWithTheCoreInBothDirections) {
  const TokenPair pair = MakePair(kPairRsa2048, KeyType::kRsa2048);
  const KeyPtr other = GenerateKeyPair(KeyType::kRsa2048).value();
  const Vector other_id = ImportPublic(*other);
  for (const EncryptionAlgorithm algorithm : Offered()) {
    const std::size_t most = algorithm == kSha1 ? 214 : 190;
    for (const std::size_t length : {std::size_t{1}, std::size_t{32}, most}) {
      const Vector plaintext = generator_.Octets(length);
      Vector theirs(kMaxPublicCiphertextBytes);
      theirs.resize(PublicEncrypt(*pair.public_key, algorithm, plaintext, theirs).value());
      EXPECT_EQ(One(Decrypt(pair.id, algorithm, theirs)), plaintext);
      EXPECT_EQ(One(Decrypt(pair.id, algorithm, One(Encrypt(pair.id, algorithm, plaintext)))),
                plaintext);
      const Vector ours = One(Encrypt(other_id, algorithm, plaintext));
      EXPECT_EQ(keywright::Copy(PrivateDecrypt(*other, algorithm, ours).value().bytes()),
                plaintext);
    }
    EXPECT_EQ(ReasonOf(Encrypt(pair.id, algorithm, Vector(most + 1))), Reason::kTooLong);
  }
}

TEST_P(Pkcs11RsaEncryption, RefusesWhatIsChangedOrCut) {
  const TokenPair pair = MakePair(kPairRsa2048, KeyType::kRsa2048);
  for (const EncryptionAlgorithm algorithm : Offered()) {
    const Vector ciphertext = One(Encrypt(pair.id, algorithm, generator_.Octets(32)));
    for (int round = 0; round < 20; ++round) {
      Vector changed = ciphertext;
      changed[generator_.Number(0, changed.size() - 1)] ^=
          static_cast<std::uint8_t>(generator_.Number(1, 255));
      EXPECT_EQ(ReasonOf(Decrypt(pair.id, algorithm, changed)), Reason::kAuthenticationFailed);
    }
    for (const std::size_t length : {0U, 1U, 255U, 257U}) {
      EXPECT_EQ(ReasonOf(Decrypt(pair.id, algorithm, Vector(length))),
                Reason::kAuthenticationFailed);
    }
    EXPECT_EQ(ReasonOf(Decrypt(pair.id, algorithm, Vector(256, 0xff))),
              Reason::kAuthenticationFailed);
  }
}

TEST_P(Pkcs11RsaEncryption, DecryptsManyAndTellsWhichOfThemDoNotOpen) {
  const TokenPair pair = MakePair(kPairRsa2048, KeyType::kRsa2048);
  for (const EncryptionAlgorithm algorithm : Offered()) {
    std::vector<Vector> plaintexts;
    std::vector<Vector> ciphertexts;
    for (std::size_t i = 0; i < 7; ++i) {
      plaintexts.push_back(generator_.Octets(1 + i));
      ciphertexts.push_back(One(Encrypt(pair.id, algorithm, plaintexts.back())));
    }
    ciphertexts[1].back() ^= 1;
    ciphertexts[5].clear();
    const Reply reply = Do(MakeRequest(Operation::kRsaDecrypt, pair.id,
                                       {static_cast<std::uint32_t>(algorithm)}, {}, ciphertexts));
    ASSERT_TRUE(reply.failure.ok());
    ASSERT_EQ(reply.failures.size(), plaintexts.size());
    for (std::size_t i = 0; i < plaintexts.size(); ++i) {
      const bool is_changed = i == 1 || i == 5;
      EXPECT_EQ(reply.failures[i].reason,
                is_changed ? Reason::kAuthenticationFailed : Reason::kNone);
      EXPECT_EQ(Copy(reply.outputs[i]), is_changed ? Vector() : plaintexts[i]);
    }
  }
}

TEST_P(Pkcs11RsaEncryption, NamesWhatTheTokenDoesNotOffer) {
  const TokenPair pair = MakePair(kPairRsa2048, KeyType::kRsa2048);
  if (IsSoftHsm()) {
    for (const Request& request :
         {Encrypt(pair.id, kSha256, Vector(8)), Decrypt(pair.id, kSha256, Vector(256))}) {
      const Reply reply = Do(request);
      EXPECT_EQ(reply.failure.reason, Reason::kNotOffered);
      EXPECT_EQ(reply.failure.mechanism, CKM_RSA_PKCS_OAEP);
    }
  }
  EXPECT_EQ(ReasonOf(Encrypt(pair.id, EncryptionAlgorithm::kSm2Pke, Vector(8))),
            Reason::kNotOffered);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kRsaEncrypt, pair.id, {99}, {}, {Vector(8)})),
            Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Encrypt(FreshId(), kSha1, Vector(8))), Reason::kKeyNotFound);
}

TEST_P(Pkcs11RsaEncryption, DoesNotUseAWrappingPair) {
  const TokenPair pair = MakePair(kPairRsa2048Wrap, KeyType::kRsa2048);
  EXPECT_EQ(ReasonOf(Encrypt(pair.id, kSha1, Vector(8))), Reason::kModule);
  EXPECT_EQ(ReasonOf(Decrypt(pair.id, kSha1, Vector(256, 1))), Reason::kModule);
}

}  // namespace
}  // namespace keywright::pkcs11
