#include "core/key.h"

#include "core/key_access.h"
#include "core/secure_heap.h"
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
