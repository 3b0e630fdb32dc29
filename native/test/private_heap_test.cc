#include "core/private_heap.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <thread>

#include "core/key_pair_codec.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "test/testing.h"

namespace keywright {
namespace {

#define SKIP_WITHOUT_HEAP()                                  \
  if (!DescribePrivateHeap().is_active) {                    \
    GTEST_SKIP() << "sanitizers watch malloc instead of it"; \
  }

TEST(PrivateHeap, HoldsWhatLibcryptoAllocates) {
  SKIP_WITHOUT_HEAP();
  const BignumPtr number(BN_new());
  EXPECT_TRUE(IsInPrivateHeap(number.get()));
  const PrivateHeapInfo info = DescribePrivateHeap();
  EXPECT_GT(info.mapped_bytes, 0U);
  EXPECT_LE(info.locked_bytes, info.mapped_bytes);
}

TEST(PrivateHeap, GivesMemoryOfEverySizeThatKeepsItsContent) {
  Generator generator;
  struct Block {
    std::uint8_t* data;
    std::size_t size;
    std::uint8_t mark;
  };
  std::vector<Block> blocks;
  const auto check_and_free = [](const Block& block) {
    EXPECT_TRUE(std::all_of(block.data, block.data + block.size,
                            [&](std::uint8_t byte) { return byte == block.mark; }));
    OPENSSL_free(block.data);
  };
  for (int round = 0; round < 20'000; ++round) {
    const std::size_t size =
        generator.Number(1, 100) == 1 ? generator.Number(1, 400'000) : generator.Number(1, 3000);
    auto* data = static_cast<std::uint8_t*>(OPENSSL_malloc(size));
    ASSERT_NE(data, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 16, 0U);
    Block block{data, size, static_cast<std::uint8_t>(round)};
    std::fill_n(data, size, block.mark);
    if (generator.Number(0, 3) == 0) {
      const std::size_t other = generator.Number(1, 60'000);
      block.data = static_cast<std::uint8_t*>(OPENSSL_realloc(data, other));
      ASSERT_NE(block.data, nullptr);
      std::fill(block.data + std::min(size, other), block.data + other, block.mark);
      block.size = other;
    }
    blocks.push_back(block);
    if (blocks.size() > 200) {
      const std::size_t index = generator.Number(0, blocks.size() - 1);
      check_and_free(blocks[index]);
      blocks[index] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const Block& block : blocks) {
    check_and_free(block);
  }
}

TEST(PrivateHeap, WipesWhatIsFreed) {
  SKIP_WITHOUT_HEAP();
  for (const std::size_t size : {40U, 300U, 5000U, 100'000U}) {
    auto* data = static_cast<std::uint8_t*>(OPENSSL_malloc(size));
    std::fill_n(data, size, 0xaa);
    OPENSSL_free(data);
    // The pages stay; only the link of the free list, in front of the block, was written.
    EXPECT_TRUE(std::all_of(data, data + size, [](std::uint8_t byte) { return byte == 0; }));
  }
}

TEST(PrivateHeap, CarriesMemoryBetweenThreads) {
  SKIP_WITHOUT_HEAP();
  const auto churn = [] {
    std::vector<void*> blocks;
    for (std::size_t i = 0; i < 3000; ++i) {
      blocks.push_back(OPENSSL_malloc(20 + i % 700));
    }
    return blocks;
  };
  std::size_t mapped = 0;
  for (int round = 0; round < 30; ++round) {
    std::vector<void*> blocks;
    std::thread([&] { blocks = churn(); }).join();
    std::thread([&] {
      for (void* block : blocks) {
        OPENSSL_free(block);
      }
    }).join();
    if (round == 5) {
      mapped = DescribePrivateHeap().mapped_bytes;
    }
  }
  // What one thread allocates and another frees comes back: the heap does not grow for ever.
  EXPECT_EQ(DescribePrivateHeap().mapped_bytes, mapped);
}

TEST(PrivateHeap, DoesNotGrowWithTheNumberOfKeys) {
  SKIP_WITHOUT_HEAP();
  for (int round = 0; round < 50; ++round) {
    EXPECT_TRUE(GenerateKeyPair(KeyType::kP256).ok());
  }
  const std::size_t mapped = DescribePrivateHeap().mapped_bytes;
  for (int round = 0; round < 500; ++round) {
    EXPECT_TRUE(GenerateKeyPair(KeyType::kP256).ok());
  }
  EXPECT_EQ(DescribePrivateHeap().mapped_bytes, mapped);
}

}  // namespace
}  // namespace keywright
