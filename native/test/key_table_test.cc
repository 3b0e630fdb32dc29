#include "core/key_table.h"

#include <set>

#include "test/testing.h"

namespace keywright {
namespace {

TEST(KeyTable, FindsTheKeyOfEachHandle) {
  KeyTable table;
  const KeyPtr a = FreshKey(KeyType::kAesGcm);
  const KeyPtr b = FreshKey(KeyType::kHmac);
  const KeyHandle handle_a = table.Add(a).value();
  const KeyHandle handle_b = table.Add(b).value();
  EXPECT_GT(handle_a, 0);
  EXPECT_EQ(table.Find(handle_a), a.get());
  EXPECT_EQ(table.Find(handle_b), b.get());
  EXPECT_EQ(table.size(), 2U);
}

TEST(KeyTable, ARemovedKeyIsGoneAndFreed) {
  KeyTable table;
  const KeyHandle handle = table.Add(FreshKey(KeyType::kAesGcm)).value();
  const KeyPtr watched = FreshKey(KeyType::kHmac);
  const KeyHandle other = table.Add(watched).value();
  table.Remove(other);
  EXPECT_EQ(watched.use_count(), 1);
  EXPECT_EQ(table.Find(other), nullptr);
  EXPECT_NE(table.Find(handle), nullptr);
  table.Remove(other);
  EXPECT_EQ(table.size(), 1U);
}

TEST(KeyTable, NumbersThatWereNeverGivenOutFindNothing) {
  KeyTable table;
  EXPECT_EQ(table.Find(0), nullptr);
  const KeyHandle handle = table.Add(FreshKey(KeyType::kAesGcm)).value();
  Generator generator;
  for (int round = 0; round < 100'000; ++round) {
    const auto number = static_cast<std::int64_t>(generator.Number(0, ~std::size_t{0}));
    if (number != handle) {
      ASSERT_EQ(table.Find(number), nullptr) << number;
    }
  }
  for (std::int64_t delta = 1; delta < 62; ++delta) {
    EXPECT_EQ(table.Find(handle + (std::int64_t{1} << delta)), nullptr);
    EXPECT_EQ(table.Find(handle - (std::int64_t{1} << delta)), nullptr);
  }
}

TEST(KeyTable, AHandleDoesNotComeBackWithinAMillionKeys) {
  KeyTable table;
  const KeyPtr key = FreshKey(KeyType::kAesGcm);
  std::set<KeyHandle> seen;
  for (int i = 0; i < 1'000'000; ++i) {
    const KeyHandle handle = table.Add(key).value();
    ASSERT_TRUE(seen.insert(handle).second);
    table.Remove(handle);
  }
}

TEST(KeyTable, IsFullAtItsLimitAndNotBefore) {
  KeyTable table;
  const KeyPtr key = FreshKey(KeyType::kAesGcm);
  KeyHandle last = 0;
  for (int i = 0; i < 1 << 20; ++i) {
    last = table.Add(key).value();
  }
  EXPECT_EQ(table.Add(key).status(), Status::kOutOfSecureMemory);
  table.Remove(last);
  EXPECT_TRUE(table.Add(key).ok());
  EXPECT_EQ(table.Find(last), nullptr);
}

}  // namespace
}  // namespace keywright
