#include "core/mac.h"

#include <openssl/evp.h>

#include "core/digest.h"
#include "core/hmac_context.h"
#include "core/hmac_midstate.h"
#include "core/key_access.h"
#include "core/library_context.h"
#include "test/testing.h"

namespace keywright {
namespace {

TEST(Hmac, EqualsTheVectorsOfRfc4231) {
  struct {
    Vector key;
    std::string_view data;
    std::array<std::string_view, kDigestAlgorithmCount> macs;
  } const vectors[] = {
      {Vector(20, 0x0b),
       "Hi There",
       {"896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2"
        "fa9cb6",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eae"
        "a3f4e4be9d914eeb61f"
        "1702e696c203a126854"}},
      {Copy(AsBytes("Jefe")),
       "what do ya want for nothing?",
       {"a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfa"
        "b21649",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8"
        "f0e6fdcaeab1a34d4a6"
        "b4b636e070a38bce737"}},
  };
  for (const auto& vector : vectors) {
    const KeyPtr key = MakeKey(KeyType::kHmac, vector.key);
    for (const DigestAlgorithm algorithm : kDigestAlgorithms) {
      Vector mac(DigestSize(algorithm));
      ASSERT_EQ(Hmac(*key, algorithm, AsBytes(vector.data), mac), Status::kOk);
      EXPECT_EQ(mac, FromHex(vector.macs[DigestIndex(algorithm)]));
      EXPECT_TRUE(HmacVerify(*key, algorithm, AsBytes(vector.data), mac).value());
    }
  }
}

// Across the lengths where a message or a key fills a block, and one more is begun.
TEST(Hmac, EqualsThatOfLibcryptoForEveryLength) {
  Generator generator;
  for (const DigestAlgorithm algorithm : kDigestAlgorithms) {
    for (std::size_t length = 0; length <= 300; ++length) {
      const KeyPtr key = FreshKey(KeyType::kHmac, generator.Number(1, 300));
      const Bytes secret = KeyAccess::BytesOf(*key);
      const Vector data = generator.Octets(length);
      Vector expected(DigestSize(algorithm));
      std::size_t written = 0;
      ASSERT_NE(EVP_Q_mac(Library().context, "HMAC", nullptr, DigestName(algorithm), nullptr,
                          secret.data(), secret.size(), data.data(), data.size(), expected.data(),
                          expected.size(), &written),
                nullptr);
      ASSERT_EQ(written, expected.size());
      Vector mac(expected.size());
      ASSERT_EQ(Hmac(*key, algorithm, data, mac), Status::kOk);
      ASSERT_EQ(mac, expected) << DigestName(algorithm) << ", " << secret.size() << " and "
                               << length << " bytes";
    }
  }
}

TEST(Hmac, VerifyRefusesEveryBitAndEveryLengthThatChanged) {
  const KeyPtr key = FreshKey(KeyType::kHmac);
  Vector mac(32);
  ASSERT_EQ(Hmac(*key, DigestAlgorithm::kSha256, {}, mac), Status::kOk);
  for (std::size_t bit = 0; bit < mac.size() * 8; ++bit) {
    Vector changed = mac;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    ASSERT_FALSE(HmacVerify(*key, DigestAlgorithm::kSha256, {}, changed).value());
  }
  for (std::size_t length = 0; length < mac.size(); ++length) {
    ASSERT_FALSE(HmacVerify(*key, DigestAlgorithm::kSha256, {}, Bytes(mac).first(length)).value());
  }
  mac.push_back(0);
  EXPECT_FALSE(HmacVerify(*key, DigestAlgorithm::kSha256, {}, mac).value());
}

TEST(Hmac, KeysByTurnsGiveWhatEachGivesAlone) {
  Generator generator;
  const Vector data = generator.Octets(50);
  std::vector<KeyPtr> keys;
  std::vector<Vector> macs;
  for (int i = 0; i < 5; ++i) {
    keys.push_back(FreshKey(KeyType::kHmac, generator.Number(1, 200)));
    macs.emplace_back(64);
    // A context that has seen no other key.
    ASSERT_TRUE(HmacContext(DigestAlgorithm::kSha512).Compute(*keys.back(), data, macs.back()));
  }
  for (int round = 0; round < 500; ++round) {
    const std::size_t i = generator.Number(0, 4);
    Vector mac(64);
    ASSERT_EQ(Hmac(*keys[i], DigestAlgorithm::kSha512, data, mac), Status::kOk);
    ASSERT_EQ(mac, macs[i]);
  }
}

TEST(Hmac, DerivedKeyIsTheMac) {
  const KeyPtr key = FreshKey(KeyType::kHmac);
  Vector mac(32);
  ASSERT_EQ(Hmac(*key, DigestAlgorithm::kSha256, AsBytes("20261122"), mac), Status::kOk);
  const Result<KeyPtr> derived = DeriveHmacKey(*key, DigestAlgorithm::kSha256, AsBytes("20261122"));
  ASSERT_TRUE(derived.ok());
  EXPECT_EQ(Copy(KeyAccess::BytesOf(*derived.value())), mac);
}

TEST(Hmac, RefusesKeysOfOtherTypesAndOverlap) {
  Vector mac(32);
  EXPECT_EQ(Hmac(*FreshKey(KeyType::kAesGcm), DigestAlgorithm::kSha256, {}, mac),
            Status::kWrongKeyType);
  EXPECT_EQ(Hmac(*FreshKey(KeyType::kHmac), DigestAlgorithm::kSha256, mac, mac),
            Status::kInvalidArgument);
  EXPECT_EQ(Hmac(*FreshKey(KeyType::kHmac), DigestAlgorithm::kSha512, {}, mac),
            Status::kInvalidArgument);
}

TEST(HmacMidstate, EqualsHmacForEveryShortLength) {
  Generator generator;
  for (std::size_t length = 0; length <= kMaxShortMessageBytes; ++length) {
    const Vector key = generator.Octets(1, 64);
    const Vector message = generator.Octets(length);
    HmacMidstate midstate;
    ComputeHmacMidstate(key, midstate);
    std::array<std::uint8_t, kSha256BlockBytes> block;
    CopyBytes(message, block);
    Vector mac(32);
    HmacShort(midstate, block, length, MutableBytes(mac).first<32>());
    Vector expected(32);
    ASSERT_EQ(Hmac(*MakeKey(KeyType::kHmac, key), DigestAlgorithm::kSha256, message, expected),
              Status::kOk);
    ASSERT_EQ(mac, expected);
  }
}

// FIPS 180-4 examples.
TEST(Digest, EqualsThePublishedVectors) {
  Vector out(32);
  ASSERT_EQ(Digest(DigestAlgorithm::kSha256, AsBytes("abc"), out), Status::kOk);
  EXPECT_EQ(out, FromHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  ASSERT_EQ(Digest(DigestAlgorithm::kSha256, {}, out), Status::kOk);
  EXPECT_EQ(out, FromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  EXPECT_EQ(Digest(DigestAlgorithm::kSha512, {}, out), Status::kInvalidArgument);
}

}  // namespace
}  // namespace keywright
