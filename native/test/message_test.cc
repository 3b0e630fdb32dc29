#include "core/message.h"

#include <algorithm>
#include <thread>

#include "core/data_key.h"
#include "core/kdf.h"
#include "test/testing.h"

namespace keywright {
namespace {

struct Sample {
  KeyPtr key = FreshKey(KeyType::kBacking);
  Vector header = Generator().Octets(40);
  Vector context = Generator().Octets(30);
  Vector plaintext = Generator().Octets(50);
  Vector blob = Vector(40 + 50 + kMessageOverheadBytes);

  Sample() { EXPECT_EQ(MessageEncrypt(*key, header, context, plaintext, blob), Status::kOk); }
};

Status Open(const Key& key, std::size_t header_length, const Vector& blob, const Vector& context,
            Vector& out) {
  const std::size_t overhead = header_length + kMessageOverheadBytes;
  out.assign(blob.size() < overhead ? 0 : blob.size() - overhead, 0xaa);
  return MessageDecrypt(key, header_length, blob, context, out);
}

TEST(Message, DecryptGivesBackWhatWasEncrypted) {
  Generator generator;
  const KeyPtr keys[] = {FreshKey(KeyType::kBacking), FreshKey(KeyType::kBacking)};
  for (int round = 0; round < 2000; ++round) {
    const Key& key = *keys[generator.Number(0, 1)];
    const Vector header = generator.Octets(0, 80);
    const Vector context = generator.Octets(0, 80);
    const Vector plaintext = generator.Octets(0, 300);
    Vector blob(header.size() + plaintext.size() + kMessageOverheadBytes);
    ASSERT_EQ(MessageEncrypt(key, header, context, plaintext, blob), Status::kOk);
    ASSERT_TRUE(std::equal(header.begin(), header.end(), blob.begin()));
    Vector opened;
    ASSERT_EQ(Open(key, header.size(), blob, context, opened), Status::kOk);
    ASSERT_EQ(opened, plaintext);
  }
}

// The construction put together from the parts that other tests compare with libcrypto and with
// published vectors.
TEST(Message, IsTheDocumentedConstruction) {
  Sample sample;
  const Bytes blob = sample.blob;
  const Bytes nonce = blob.subspan(40, 16);
  Vector block(64);
  DeriveShort(*sample.key, "keywright/message/v1", nonce, block);
  EXPECT_EQ(Copy(blob.subspan(56, 32)), Copy(Bytes(block).last(32)));

  GcmContext gcm(GcmContext::Direction::kEncrypt);
  const std::array<std::uint8_t, 12> zero{};
  ASSERT_TRUE(gcm.Start(Bytes(block).first<32>(), zero));
  ASSERT_TRUE(gcm.Authenticate(Concat({sample.header, sample.context})));
  Vector ciphertext(sample.plaintext.size());
  ASSERT_TRUE(gcm.Process(sample.plaintext, ciphertext.data()));
  Vector tag(16);
  ASSERT_TRUE(gcm.FinishEncrypt(MutableBytes(tag).first<16>()));
  EXPECT_EQ(Copy(blob.subspan(88)), Concat({ciphertext, tag}));
}

TEST(Message, DecryptRefusesEveryBitThatChangedAndReleasesNothing) {
  Sample sample;
  for (std::size_t bit = 0; bit < sample.blob.size() * 8; ++bit) {
    Vector changed = sample.blob;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    Vector out;
    ASSERT_EQ(Open(*sample.key, 40, changed, sample.context, out), Status::kAuthenticationFailed);
    ASSERT_EQ(out, Vector(sample.plaintext.size()));
  }
}

TEST(Message, DecryptRefusesOtherContextKeyHeaderLengthAndEveryTruncation) {
  Sample sample;
  Vector out;
  EXPECT_EQ(Open(*sample.key, 40, sample.blob, {}, out), Status::kAuthenticationFailed);
  EXPECT_EQ(Open(*FreshKey(KeyType::kBacking), 40, sample.blob, sample.context, out),
            Status::kAuthenticationFailed);
  EXPECT_EQ(Open(*sample.key, 39, sample.blob, sample.context, out), Status::kAuthenticationFailed);
  EXPECT_EQ(Open(*sample.key, 41, sample.blob, sample.context, out), Status::kAuthenticationFailed);
  for (std::size_t length = 0; length < sample.blob.size(); ++length) {
    const Vector cut(sample.blob.begin(),
                     sample.blob.begin() + static_cast<std::ptrdiff_t>(length));
    ASSERT_EQ(Open(*sample.key, 40, cut, sample.context, out), Status::kAuthenticationFailed);
  }
}

// Where the header ends is not part of the AAD: the format that uses this must let the length of a
// header follow from its content (its version). This pins the fact, so that a change of it is
// noticed.
TEST(Message, HeaderAndContextAreAuthenticatedInARow) {
  Sample sample;
  Vector blob = sample.blob;
  blob.erase(blob.begin() + 39);
  const Vector context = Concat({Bytes(sample.header).last(1), sample.context});
  Vector out;
  EXPECT_EQ(Open(*sample.key, 39, blob, context, out), Status::kOk);
}

TEST(Message, RefusesKeysOfOtherTypesAndOverlap) {
  Vector memory(300);
  const MutableBytes bytes(memory);
  const MutableBytes blob = bytes.first(100 + kMessageOverheadBytes);
  EXPECT_EQ(MessageEncrypt(*FreshKey(KeyType::kAesGcm), {}, {}, {}, bytes.first(64)),
            Status::kWrongKeyType);
  const KeyPtr key = FreshKey(KeyType::kBacking);
  const Vector other(100);
  EXPECT_EQ(MessageEncrypt(*key, {}, {}, bytes.subspan(10, 100), blob), Status::kInvalidArgument);
  EXPECT_EQ(MessageEncrypt(*key, {}, bytes.subspan(163, 1), other, blob), Status::kInvalidArgument);
  EXPECT_EQ(MessageEncrypt(*key, bytes.first(10), {}, Bytes(other).first(90), blob),
            Status::kInvalidArgument);
  EXPECT_EQ(MessageEncrypt(*key, {}, {}, Bytes(other).first(99), blob), Status::kInvalidArgument);
  ASSERT_EQ(MessageEncrypt(*key, {}, bytes.subspan(164, 10), other, blob), Status::kOk);
  EXPECT_EQ(MessageDecrypt(*key, 0, blob, bytes.subspan(164, 10), bytes.subspan(48, 100)),
            Status::kInvalidArgument);
  EXPECT_EQ(MessageDecrypt(*key, 0, blob, bytes.subspan(164, 10), bytes.subspan(170, 100)),
            Status::kInvalidArgument);
}

TEST(MessageBatch, DecryptsWhatTheBatchEncrypted) {
  Generator generator;
  Sample sample;
  Vector data;
  std::vector<std::uint32_t> ends;
  for (int i = 0; i < 64; ++i) {
    data = Concat({data, generator.Octets(0, 60)});
    ends.push_back(static_cast<std::uint32_t>(data.size()));
  }
  Vector blobs(data.size() + ends.size() * (40 + kMessageOverheadBytes));
  std::vector<std::uint32_t> blob_ends(ends.size());
  ASSERT_TRUE(MessageEncryptBatch(*sample.key, sample.header, sample.context, {data, ends},
                                  {blobs, blob_ends})
                  .ok());
  Vector opened(data.size());
  std::vector<std::uint32_t> opened_ends(ends.size());
  ASSERT_TRUE(MessageDecryptBatch(*sample.key, 40, sample.context, {blobs, blob_ends},
                                  {opened, opened_ends})
                  .ok());
  EXPECT_EQ(opened, data);
  EXPECT_EQ(opened_ends, ends);

  blobs[50] ^= 1;
  EXPECT_EQ(MessageDecryptBatch(*sample.key, 40, sample.context, {blobs, blob_ends},
                                {opened, opened_ends})
                .status(),
            Status::kAuthenticationFailed);
  EXPECT_EQ(opened, Vector(data.size()));
}

TEST(DataKey, BlobOpensToThePlaintext) {
  Sample sample;
  constexpr std::size_t kCount = 20;
  Vector plaintexts(kCount * 32);
  const std::size_t blob_length = 40 + 32 + kMessageOverheadBytes;
  Vector blobs(kCount * blob_length);
  ASSERT_EQ(
      GenerateDataKeyBatch(*sample.key, sample.header, sample.context, kCount, plaintexts, blobs),
      Status::kOk);
  for (std::size_t i = 0; i < kCount; ++i) {
    Vector out;
    ASSERT_EQ(Open(*sample.key, 40, Copy(Bytes(blobs).subspan(i * blob_length, blob_length)),
                   sample.context, out),
              Status::kOk);
    ASSERT_EQ(out, Copy(Bytes(plaintexts).subspan(i * 32, 32)));
  }
}

TEST(DataKey, WithoutPlaintextOpensToAKeyOfThatLength) {
  Sample sample;
  Vector blob(40 + 24 + kMessageOverheadBytes);
  ASSERT_EQ(GenerateDataKeyWithoutPlaintext(*sample.key, sample.header, sample.context, 24, blob),
            Status::kOk);
  Vector out;
  ASSERT_EQ(Open(*sample.key, 40, blob, sample.context, out), Status::kOk);
  EXPECT_EQ(out.size(), 24U);
  EXPECT_NE(out, Vector(24));
}

TEST(DataKey, RefusesLengthsOutOfBounds) {
  const KeyPtr key = FreshKey(KeyType::kBacking);
  Vector blob(2000);
  Vector plaintext(1025);
  EXPECT_EQ(GenerateDataKey(*key, {}, {}, plaintext, MutableBytes(blob).first(1025 + 64)),
            Status::kInvalidArgument);
  EXPECT_EQ(GenerateDataKey(*key, {}, {}, {}, MutableBytes(blob).first(64)),
            Status::kInvalidArgument);
  EXPECT_EQ(GenerateDataKeyWithoutPlaintext(*key, {}, {}, 1025, blob), Status::kInvalidArgument);
}

TEST(Threads, ShareKeysAndNothingElse) {
  const KeyPtr gcm_key = FreshKey(KeyType::kBacking);
  const auto work = [&] {
    for (int round = 0; round < 500; ++round) {
      const Vector plaintext(64, static_cast<std::uint8_t>(round));
      Vector blob(plaintext.size() + kMessageOverheadBytes);
      ASSERT_EQ(MessageEncrypt(*gcm_key, {}, {}, plaintext, blob), Status::kOk);
      Vector out;
      ASSERT_EQ(Open(*gcm_key, 0, blob, {}, out), Status::kOk);
      ASSERT_EQ(out, plaintext);
    }
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace keywright
