#include "core/key.h"

#include <thread>

#include "core/aead.h"
#include "core/key_access.h"
#include "core/key_pair_codec.h"
#include "core/mac.h"
#include "core/protected_key.h"
#include "core/secure_heap.h"
#include "core/signature.h"
#include "test/testing.h"

namespace keywright {
namespace {

TEST(Key, ImportTakesTheLengthsOfTheTypeOnly) {
  for (const KeyType type : {KeyType::kAesGcm, KeyType::kAesKwp, KeyType::kBacking}) {
    EXPECT_TRUE(Key::Import(type, Vector(32)).ok());
    for (const std::size_t length : Sizes{0, 16, 24, 31, 33, 64}) {
      EXPECT_EQ(Key::Import(type, Vector(length)).status(), Status::kInvalidArgument);
    }
  }
  EXPECT_TRUE(Key::Import(KeyType::kAes128Gcm, Vector(16)).ok());
  for (const std::size_t length : Sizes{0, 15, 17, 24, 32}) {
    EXPECT_EQ(Key::Import(KeyType::kAes128Gcm, Vector(length)).status(), Status::kInvalidArgument);
    EXPECT_EQ(Key::Generate(KeyType::kAes128Gcm, length).status(), Status::kInvalidArgument);
  }
  for (const std::size_t length : Sizes{1, 32, 64, 1024}) {
    EXPECT_TRUE(Key::Import(KeyType::kHmac, Vector(length)).ok());
  }
  EXPECT_EQ(Key::Import(KeyType::kHmac, {}).status(), Status::kInvalidArgument);
  EXPECT_EQ(Key::Import(KeyType::kHmac, Vector(1025)).status(), Status::kInvalidArgument);
}

TEST(Key, GeneratedKeysDiffer) {
  const KeyPtr a = FreshKey(KeyType::kBacking);
  const KeyPtr b = FreshKey(KeyType::kBacking);
  EXPECT_NE(Copy(KeyAccess::BytesOf(*a)), Copy(KeyAccess::BytesOf(*b)));
  EXPECT_NE(a->id(), b->id());
}

TEST(Key, GivesItsSecureMemoryBack) {
  const std::size_t before = DescribeSecureHeap().used_bytes;
  {
    const KeyPtr key = FreshKey(KeyType::kBacking);
    EXPECT_GE(DescribeSecureHeap().used_bytes, before + 32);
  }
  EXPECT_EQ(DescribeSecureHeap().used_bytes, before);
}

// What the pool of a binding does with keys: threads share them, make others from them, and hold
// the last reference by turns. ThreadSanitizer watches.
TEST(Key, WorksAndDiesInManyThreadsAtATime) {
  constexpr int kThreads = 4;
  const auto work = [](const KeyPtr& kek, const KeyPtr& pair, KeyPtr gcm) {
    const Vector message(40, 3);
    for (int round = 0; round < 20; ++round) {
      Vector sealed(message.size() + kAeadOverheadBytes);
      ASSERT_EQ(AeadEncrypt(*gcm, message, {}, sealed), Status::kOk);
      Vector wrapped(gcm->size() + kWrapOverheadBytes);
      ASSERT_EQ(WrapKey(*kek, *gcm, {}, wrapped), Status::kOk);
      gcm = UnwrapKey(*kek, wrapped, {}, gcm->type()).value();
      Vector opened(message.size());
      ASSERT_EQ(AeadDecrypt(*gcm, sealed, {}, opened), Status::kOk);
      const KeyPtr mac_key = FreshKey(KeyType::kHmac);
      ASSERT_TRUE(DeriveHmacKey(*mac_key, DigestAlgorithm::kSha256, opened).ok());
      Vector signature(kMaxSignatureBytes);
      ASSERT_TRUE(
          Sign(*pair, SignatureAlgorithm::kEcdsaSha256, MessageType::kRaw, opened, signature).ok());
    }
  };
  for (const KeyType type : {KeyType::kAesGcm, KeyType::kAes128Gcm}) {
    KeyPtr kek = FreshKey(KeyType::kBacking);
    KeyPtr pair = GenerateKeyPair(KeyType::kP256).value();
    KeyPtr gcm = FreshKey(type);
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back(work, kek, pair, gcm);
    }
    kek.reset();
    pair.reset();
    gcm.reset();
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
}

TEST(Key, AFullSecureHeapIsAStatus) {
  std::vector<KeyPtr> keys;
  Status status = Status::kOk;
  while (status == Status::kOk) {
    const Result<KeyPtr> key = Key::Import(KeyType::kHmac, Vector(1024, 1));
    status = key.status();
    if (key.ok()) {
      keys.push_back(key.value());
    }
  }
  EXPECT_EQ(status, Status::kOutOfSecureMemory);
  keys.clear();
  EXPECT_TRUE(Key::Import(KeyType::kHmac, Vector(1024, 1)).ok());
}

}  // namespace
}  // namespace keywright
