#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

class Pkcs11Agreement : public Pkcs11Test {
 protected:
  static Request Agree(Bytes id, Bytes peer_spki) {
    return MakeRequest(Operation::kAgree, id, {}, peer_spki);
  }
  static Vector CoreSecret(const Key& key, const Key& peer) {
    Vector secret(kMaxSharedSecretBytes);
    secret.resize(Ecdh(key, SpkiOf(peer), secret).value());
    return secret;
  }
  std::size_t SecretObjects() {
    std::size_t count = 0;
    for (const PrivateBuffer& record : Do(MakeRequest(Operation::kFindKeys, {})).outputs) {
      count += record.bytes()[3] == CKO_SECRET_KEY ? 1 : 0;
    }
    return count;
  }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11Agreement);

TEST_P(Pkcs11Agreement, MakesTheSecretThatTheCoreMakes) {
  for (const auto& [pair_type, type] :
       {std::pair(4U, KeyType::kP256), std::pair(5U, KeyType::kP384),
        std::pair(6U, KeyType::kP521)}) {
    const TokenPair pair = MakePair(pair_type, type);
    const std::size_t before = SecretObjects();
    for (int round = 0; round < 5; ++round) {
      const KeyPtr other = GenerateKeyPair(type).value();
      EXPECT_EQ(One(Agree(pair.id, SpkiOf(*other))), CoreSecret(*other, *pair.public_key));
    }
    EXPECT_EQ(SecretObjects(), before);
  }
}

TEST_P(Pkcs11Agreement, KeepsLeadingZeros) {
  const TokenPair pair = MakePair(kPairP256, KeyType::kP256);
  for (int found = 0; found < 2;) {
    const KeyPtr other = GenerateKeyPair(KeyType::kP256).value();
    const Vector secret = CoreSecret(*other, *pair.public_key);
    if (secret[0] == 0) {
      EXPECT_EQ(One(Agree(pair.id, SpkiOf(*other))), secret);
      ++found;
    }
  }
}

TEST_P(Pkcs11Agreement, RefusesPointsThatAreNotOnTheCurveOfTheKey) {
  const TokenPair pair = MakePair(kPairP256, KeyType::kP256);
  const KeyPtr other = GenerateKeyPair(KeyType::kP256).value();
  Vector changed = SpkiOf(*other);
  changed.back() ^= 1;
  EXPECT_EQ(ReasonOf(Agree(pair.id, changed)), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Agree(pair.id, SpkiOf(*GenerateKeyPair(KeyType::kP384).value()))),
            Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Agree(pair.id, {})), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Agree(FreshId(), SpkiOf(*other))), Reason::kKeyNotFound);
}

}  // namespace
}  // namespace keywright::pkcs11
