#include "core/aead.h"

#include <algorithm>
#include <set>

#include "test/testing.h"

namespace keywright {
namespace {

struct Sample {
  KeyPtr key = FreshKey(KeyType::kAesGcm);
  Vector plaintext = Generator().Octets(100);
  Vector aad = Generator().Octets(20);
  Vector sealed = Vector(100 + kAeadOverheadBytes);

  Sample() { EXPECT_EQ(AeadEncrypt(*key, plaintext, aad, sealed), Status::kOk); }
};

bool IsZero(const Vector& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Of test cases 1 to 4 and 13 to 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega),
// which SP 800-38D names.
TEST(Aead, DecryptsThePublishedVectors) {
  struct {
    std::string_view key, nonce, aad, plaintext, ciphertext, tag;
  } const vectors[] = {
      {"0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
      {"0000000000000000000000000000000000000000000000000000000000000000",
       "000000000000000000000000", "", "00000000000000000000000000000000",
       "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
      {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
       "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a"
       "6b525b16aedf5aa0de"
       "657ba637b39",
       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568"
       "28838c5f61e6393ba7"
       "a0abcc9f662",
       "76fc6ece0f4e1768cddf8853bb2d551b"},
      {"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
       "58e2fccefa7e3061367f1d57a4e7455a"},
      {"00000000000000000000000000000000", "000000000000000000000000", "",
       "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
       "ab6e47d42cec13bdf53a67b21257bddf"},
      {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
       "feedfacedeadbeeffeedfacedeadbeefabaddad2",
       "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a"
       "6b525b16aedf5aa0de657ba637b39",
       "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac8"
       "4aa051ba30b396a0aac973d58e091",
       "5bc94fbc3221a5db94fae95ae7121a47"},
  };
  for (const auto& vector : vectors) {
    const Vector bytes = FromHex(vector.key);
    const KeyPtr key = MakeKey(bytes.size() == 16 ? KeyType::kAes128Gcm : KeyType::kAesGcm, bytes);
    const Vector sealed =
        Concat({FromHex(vector.nonce), FromHex(vector.ciphertext), FromHex(vector.tag)});
    Vector plaintext(vector.plaintext.size() / 2);
    EXPECT_EQ(AeadDecrypt(*key, sealed, FromHex(vector.aad), plaintext), Status::kOk);
    EXPECT_EQ(plaintext, FromHex(vector.plaintext));
  }
}

TEST(Aead, DecryptGivesBackWhatWasEncrypted) {
  Generator generator;
  const KeyPtr keys[] = {FreshKey(KeyType::kAesGcm), FreshKey(KeyType::kAesGcm),
                         FreshKey(KeyType::kAes128Gcm), FreshKey(KeyType::kAes128Gcm)};
  for (int round = 0; round < 4000; ++round) {
    // By turns and by runs: the schedule of the last key is kept, and must not serve another one,
    // of the same or of another size.
    const Key& key = *keys[generator.Number(0, 3)];
    const Vector plaintext = generator.Octets(0, 600);
    const Vector aad = generator.Octets(0, 100);
    Vector sealed(plaintext.size() + kAeadOverheadBytes);
    ASSERT_EQ(AeadEncrypt(key, plaintext, aad, sealed), Status::kOk);
    Vector opened(plaintext.size());
    ASSERT_EQ(AeadDecrypt(key, sealed, aad, opened), Status::kOk);
    ASSERT_EQ(opened, plaintext);
  }
}

TEST(Aead, DecryptRefusesEveryBitThatChangedAndReleasesNothing) {
  Sample sample;
  for (std::size_t bit = 0; bit < sample.sealed.size() * 8; ++bit) {
    Vector changed = sample.sealed;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    Vector out(sample.plaintext.size(), 0xaa);
    ASSERT_EQ(AeadDecrypt(*sample.key, changed, sample.aad, out), Status::kAuthenticationFailed);
    ASSERT_TRUE(IsZero(out));
  }
}

TEST(Aead, DecryptRefusesOtherAadOtherKeyAndShortInput) {
  Sample sample;
  Vector out(sample.plaintext.size());
  EXPECT_EQ(AeadDecrypt(*sample.key, sample.sealed, {}, out), Status::kAuthenticationFailed);
  EXPECT_EQ(AeadDecrypt(*FreshKey(KeyType::kAesGcm), sample.sealed, sample.aad, out),
            Status::kAuthenticationFailed);
  for (std::size_t length = 0; length < kAeadOverheadBytes; ++length) {
    EXPECT_EQ(AeadDecrypt(*sample.key, Bytes(sample.sealed).first(length), sample.aad, {}),
              Status::kAuthenticationFailed);
  }
}

TEST(Aead, ANewKeyAtTheAddressOfADeadOneGetsItsOwnSchedule) {
  const Vector plaintext(32, 7);
  Vector sealed(plaintext.size() + kAeadOverheadBytes);
  Vector opened(plaintext.size());
  for (int round = 0; round < 100; ++round) {
    {
      const KeyPtr first = FreshKey(round % 2 == 0 ? KeyType::kAesGcm : KeyType::kAes128Gcm);
      ASSERT_EQ(AeadEncrypt(*first, plaintext, {}, sealed), Status::kOk);
      ASSERT_EQ(AeadDecrypt(*first, sealed, {}, opened), Status::kOk);
    }
    const KeyPtr second = FreshKey(KeyType::kAesGcm);
    ASSERT_EQ(AeadDecrypt(*second, sealed, {}, opened), Status::kAuthenticationFailed);
  }
}

TEST(Aead, RefusesKeysOfOtherTypes) {
  Vector out(kAeadOverheadBytes);
  for (const KeyType type : {KeyType::kAesKwp, KeyType::kBacking, KeyType::kHmac}) {
    EXPECT_EQ(AeadEncrypt(*FreshKey(type), {}, {}, out), Status::kWrongKeyType);
    EXPECT_EQ(AeadDecrypt(*FreshKey(type), out, {}, {}), Status::kWrongKeyType);
  }
}

TEST(Aead, RefusesOverlapAndOutputsOfTheWrongSize) {
  const KeyPtr key = FreshKey(KeyType::kAesGcm);
  Vector memory(200);
  const MutableBytes bytes(memory);
  const MutableBytes out = bytes.first(100 + kAeadOverheadBytes);
  EXPECT_EQ(AeadEncrypt(*key, bytes.subspan(100, 100), {}, out), Status::kInvalidArgument);
  EXPECT_EQ(AeadEncrypt(*key, Vector(100), bytes.subspan(127, 10), out), Status::kInvalidArgument);
  EXPECT_EQ(AeadEncrypt(*key, Vector(100), bytes.subspan(128, 10), out), Status::kOk);
  EXPECT_EQ(AeadEncrypt(*key, Vector(99), {}, out), Status::kInvalidArgument);
  EXPECT_EQ(AeadDecrypt(*key, out, {}, bytes.subspan(100, 100)), Status::kInvalidArgument);
  EXPECT_EQ(AeadDecrypt(*key, out, {}, bytes.subspan(128, 72)), Status::kInvalidArgument);
}

TEST(Aead, NoncesDiffer) {
  const KeyPtr key = FreshKey(KeyType::kAesGcm);
  std::set<std::string> nonces;
  Vector sealed(kAeadOverheadBytes);
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(AeadEncrypt(*key, {}, {}, sealed), Status::kOk);
    ASSERT_TRUE(nonces.insert(AsString(Bytes(sealed).first(kGcmNonceBytes))).second);
  }
}

TEST(AeadBatch, DecryptsWhatTheBatchAndTheSingleFormEncrypted) {
  Generator generator;
  const KeyPtr key = FreshKey(KeyType::kAesGcm);
  const Vector aad = generator.Octets(32);
  Vector data;
  std::vector<std::uint32_t> ends;
  for (int i = 0; i < 100; ++i) {
    data = Concat({data, generator.Octets(0, 50)});
    ends.push_back(static_cast<std::uint32_t>(data.size()));
  }
  Vector sealed(data.size() + ends.size() * kAeadOverheadBytes);
  std::vector<std::uint32_t> sealed_ends(ends.size());
  const Result<std::size_t> written =
      AeadEncryptBatch(*key, {data, ends}, aad, {sealed, sealed_ends});
  ASSERT_EQ(written.status(), Status::kOk);
  EXPECT_EQ(written.value(), sealed.size());
  EXPECT_EQ(sealed_ends.back(), sealed.size());

  Vector opened(data.size());
  std::vector<std::uint32_t> opened_ends(ends.size());
  ASSERT_TRUE(AeadDecryptBatch(*key, {sealed, sealed_ends}, aad, {opened, opened_ends}).ok());
  EXPECT_EQ(opened, data);
  EXPECT_EQ(opened_ends, ends);

  Vector first(ends[0]);
  ASSERT_EQ(AeadDecrypt(*key, Bytes(sealed).first(sealed_ends[0]), aad, first), Status::kOk);
}

TEST(AeadBatch, OneBadItemFailsTheBatchAndReleasesNothing) {
  const KeyPtr key = FreshKey(KeyType::kAesGcm);
  const Vector data(60, 1);
  const std::vector<std::uint32_t> ends = {20, 40, 60};
  Vector sealed(data.size() + 3 * kAeadOverheadBytes);
  std::vector<std::uint32_t> sealed_ends(3);
  ASSERT_TRUE(AeadEncryptBatch(*key, {data, ends}, {}, {sealed, sealed_ends}).ok());
  sealed.back() ^= 1;
  Vector opened(data.size(), 0xaa);
  std::vector<std::uint32_t> opened_ends(3);
  EXPECT_EQ(AeadDecryptBatch(*key, {sealed, sealed_ends}, {}, {opened, opened_ends}).status(),
            Status::kAuthenticationFailed);
  EXPECT_TRUE(IsZero(opened));
}

}  // namespace
}  // namespace keywright
