#include "core/mac.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

class Pkcs11Mac : public Pkcs11Test {
 protected:
  Reply Generate(Bytes id, DigestAlgorithm digest, const Vector& message) {
    return Do(MakeRequest(Operation::kGenerateMac, id, {static_cast<std::uint32_t>(digest)}, {},
                          {message}));
  }
  Reason Verify(Bytes id, DigestAlgorithm digest, Bytes mac, Bytes message) {
    return ReasonOf(MakeRequest(Operation::kVerifyMac, id, {static_cast<std::uint32_t>(digest)}, {},
                                {Concat({mac, message})}));
  }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11Mac);

TEST_P(Pkcs11Mac, AgreesWithTheCoreInBothDirections) {
  const Vector bytes = generator_.Octets(64, 128);
  const KeyPtr key = MakeKey(KeyType::kHmac, bytes);
  const Vector id = ImportSecret(CKK_GENERIC_SECRET, bytes);
  for (const DigestAlgorithm digest : kDigestAlgorithms) {
    for (const std::size_t length : {0U, 1U, 200U, 5000U}) {
      const Vector message = generator_.Octets(length);
      Vector mac(DigestSize(digest));
      ASSERT_EQ(Hmac(*key, digest, message, mac), Status::kOk);
      const Reply reply = Generate(id, digest, message);
      ASSERT_TRUE(reply.failure.ok())
          << std::hex << reply.failure.rv << ' ' << static_cast<int>(digest) << ' ' << length;
      EXPECT_EQ(Copy(reply.outputs[0]), mac);
      EXPECT_EQ(Verify(id, digest, mac, message), Reason::kNone);
    }
  }
}

TEST_P(Pkcs11Mac, RefusesWhatIsNotTheMac) {
  const Vector id = MakeSecret(kHmac, kSession, 64);
  const Vector message = {1, 2, 3};
  for (const DigestAlgorithm digest : kDigestAlgorithms) {
    const Vector mac = Copy(Generate(id, digest, message).outputs[0]);
    ASSERT_EQ(Verify(id, digest, mac, message), Reason::kNone);
    for (std::size_t i = 0; i < mac.size(); ++i) {
      Vector changed = mac;
      changed[i] ^= static_cast<std::uint8_t>(generator_.Number(1, 255));
      EXPECT_EQ(Verify(id, digest, changed, message), Reason::kAuthenticationFailed);
    }
    EXPECT_EQ(Verify(id, digest, mac, Vector{1, 2}), Reason::kAuthenticationFailed);
    EXPECT_EQ(Verify(id, digest, Bytes(mac).first(mac.size() - 1), {}),
              Reason::kAuthenticationFailed);
    EXPECT_EQ(Verify(id, digest, {}, {}), Reason::kAuthenticationFailed);
  }
}

TEST_P(Pkcs11Mac, MakesManyAndTellsWhichOfThemAreTooLong) {
  const Vector id = MakeSecret(kHmac);
  const Profile& own = session().profile();
  Profile profile = own;
  profile.max_data_bytes = 100;
  session().set_profile(profile);
  std::vector<Vector> messages;
  for (std::size_t i = 0; i < 9; ++i) {
    messages.push_back(generator_.Octets(i == 4 ? 101 : i));
  }
  const auto digest = static_cast<std::uint32_t>(DigestAlgorithm::kSha256);
  const Reply reply = Do(MakeRequest(Operation::kGenerateMac, id, {digest}, {}, messages));
  ASSERT_TRUE(reply.failure.ok());
  ASSERT_EQ(reply.failures.size(), messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(reply.failures[i].reason, i == 4 ? Reason::kTooLong : Reason::kNone);
    EXPECT_EQ(
        Copy(reply.outputs[i]),
        i == 4 ? Vector() : Copy(Generate(id, DigestAlgorithm::kSha256, messages[i]).outputs[0]));
  }
  session().set_profile(own);
}

TEST_P(Pkcs11Mac, RefusesDigestsThatThereAreNotAndKeysThatAreNotThere) {
  for (const std::uint32_t digest : {0U, 5U}) {
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kGenerateMac, FreshId(), {digest}, {}, {Vector{1}})),
              Reason::kInvalidArgument);
  }
  EXPECT_EQ(Generate(FreshId(), DigestAlgorithm::kSha256, {}).failure.reason, Reason::kKeyNotFound);
}

TEST_P(Pkcs11Mac, KeepsToTheLimitOfTheProfile) {
  const Vector id = MakeSecret(kHmac);
  const Profile& own = session().profile();
  Profile profile = own;
  profile.max_data_bytes = 100;
  session().set_profile(profile);
  EXPECT_TRUE(Generate(id, DigestAlgorithm::kSha256, Vector(100)).failures.empty());
  EXPECT_EQ(Generate(id, DigestAlgorithm::kSha256, Vector(101)).failures[0].reason,
            Reason::kTooLong);
  EXPECT_EQ(Verify(id, DigestAlgorithm::kSha256, Vector(32), Vector(101)), Reason::kTooLong);
  session().set_profile(own);
}

}  // namespace
}  // namespace keywright::pkcs11
