#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/ossl_ptr.h"
#include "test/testing.h"
#include "vector/aes.h"
#include "vector/ghash.h"

namespace keywright {
namespace {

using Block = std::array<std::uint8_t, 16>;
constexpr std::size_t kBlockBytes = 16;
constexpr Sizes kKeySizes = {16, 24, 32};

vector::AesSchedule EncryptionSchedule(Bytes key) {
  vector::AesSchedule schedule{};
  vector::AesExpandForEncryption(key.data(), key.size(), schedule);
  return schedule;
}

vector::AesSchedule DecryptionSchedule(Bytes key) {
  vector::AesSchedule schedule{};
  vector::AesExpandForDecryption(key.data(), key.size(), schedule);
  return schedule;
}

Vector EncryptBlock(Bytes key, Bytes in) {
  Vector out(kBlockBytes);
  vector::AesEncryptBlock(EncryptionSchedule(key), in.data(), out.data());
  return out;
}

Vector DecryptBlock(Bytes key, Bytes in) {
  Vector out(kBlockBytes);
  vector::AesDecryptBlock(DecryptionSchedule(key), in.data(), out.data());
  return out;
}

// By libcrypto, block by block.
Vector Reference(Bytes key, Bytes in) {
  const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  const EVP_CIPHER* cipher = key.size() == 16   ? EVP_aes_128_ecb()
                             : key.size() == 24 ? EVP_aes_192_ecb()
                                                : EVP_aes_256_ecb();
  Vector out(in.size());
  int written = 0;
  EXPECT_EQ(EVP_EncryptInit_ex2(context.get(), cipher, key.data(), nullptr, nullptr), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context.get(), out.data(), &written, in.data(),
                              static_cast<int>(in.size())),
            1);
  return out;
}

// Appendix C of FIPS 197.
TEST(VectorAes, ComputesThePublishedVectors) {
  const Vector plaintext = FromHex("00112233445566778899aabbccddeeff");
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a"},
      {"000102030405060708090a0b0c0d0e0f1011121314151617", "dda97ca4864cdfe06eaf70a0ec0d7191"},
      {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
       "8ea2b7ca516745bfeafc49904b496089"},
  };
  for (const auto& [key, ciphertext] : vectors) {
    EXPECT_EQ(EncryptBlock(FromHex(key), plaintext), FromHex(ciphertext));
    EXPECT_EQ(DecryptBlock(FromHex(key), FromHex(ciphertext)), plaintext);
  }
}

TEST(VectorAes, AgreesWithLibcryptoOnRandomKeysAndBlocks) {
  Generator random;
  for (const std::size_t key_bytes : kKeySizes) {
    for (int i = 0; i < 2000; ++i) {
      const Vector key = random.Octets(key_bytes);
      const Vector block = random.Octets(kBlockBytes);
      const Vector ciphertext = Reference(key, block);
      ASSERT_EQ(EncryptBlock(key, block), ciphertext);
      ASSERT_EQ(DecryptBlock(key, ciphertext), block);
    }
  }
}

// Each byte of the state through each value: every entry of every table, the infinities too.
TEST(VectorAes, AgreesWithLibcryptoOnEveryByteValue) {
  Generator random;
  for (const std::size_t key_bytes : kKeySizes) {
    const Vector key = random.Octets(key_bytes);
    for (std::size_t place = 0; place < kBlockBytes; ++place) {
      for (unsigned value = 0; value < 256; ++value) {
        Vector block(kBlockBytes);
        block[place] = static_cast<std::uint8_t>(value);
        ASSERT_EQ(DecryptBlock(key, Reference(key, block)), block);
        ASSERT_EQ(EncryptBlock(key, block), Reference(key, block));
      }
    }
  }
}

TEST(VectorAes, CountsThirtyTwoBitsInCounterMode) {
  Generator random;
  for (std::size_t blocks = 0; blocks < 20; ++blocks) {
    const Vector key = random.Octets(32);
    Vector counter_block = random.Octets(kBlockBytes);
    // Passes 2^32 on its way.
    std::fill(counter_block.begin() + 12, counter_block.end(), std::uint8_t{0xff});
    counter_block[15] = static_cast<std::uint8_t>(random.Number(240, 255));
    const Vector in = random.Octets(blocks * kBlockBytes);

    Vector counters;
    std::uint32_t counter = 0xffffff00U | counter_block[15];
    for (std::size_t n = 0; n < blocks; ++n, ++counter) {
      counters.insert(counters.end(), counter_block.begin(), counter_block.begin() + 12);
      for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        counters.push_back(static_cast<std::uint8_t>(counter >> shift));
      }
    }
    Vector expected = Reference(key, counters);
    std::transform(expected.begin(), expected.end(), in.begin(), expected.begin(),
                   [](std::uint8_t a, std::uint8_t b) { return a ^ b; });

    Vector out = in;
    vector::AesCounterMode(EncryptionSchedule(key), counter_block.data(), out.data(), out.data(),
                           blocks);
    ASSERT_EQ(out, expected) << blocks << " blocks";
  }
}

// Algorithm 1 of SP 800-38D, bit by bit.
Block Product(const Block& x, Block v) {
  Block z{};
  for (std::size_t bit = 0; bit < 128; ++bit) {
    if ((x[bit / 8] >> (7 - bit % 8) & 1) != 0) {
      std::transform(z.begin(), z.end(), v.begin(), z.begin(),
                     [](std::uint8_t a, std::uint8_t b) { return a ^ b; });
    }
    const bool is_odd = (v[15] & 1) != 0;
    for (std::size_t byte = 15; byte > 0; --byte) {
      v[byte] = static_cast<std::uint8_t>(v[byte] >> 1 | v[byte - 1] << 7);
    }
    v[0] = static_cast<std::uint8_t>(v[0] >> 1 ^ (is_odd ? 0xe1 : 0));
  }
  return z;
}

Block RandomBlock(Generator& random) {
  Block block{};
  const Vector octets = random.Octets(kBlockBytes);
  std::copy(octets.begin(), octets.end(), block.begin());
  return block;
}

// As ghash.h describes them.
Vector ProductsOf(const Block& hash_key) {
  Vector products;
  for (unsigned n = 0; n < 16; ++n) {
    const Block product = Product({static_cast<std::uint8_t>(n << 4)}, hash_key);
    products.insert(products.end(), product.rbegin() + 8, product.rend());
    products.insert(products.end(), product.rbegin(), product.rbegin() + 8);
  }
  return products;
}

TEST(VectorGhash, AgreesWithItsDefinition) {
  Generator random;
  for (std::size_t blocks = 0; blocks < 200; ++blocks) {
    const Block hash_key = RandomBlock(random);
    const Vector products = ProductsOf(hash_key);
    Block expected = RandomBlock(random);
    Block hash = expected;
    Vector in;
    for (std::size_t n = 0; n < blocks % 8; ++n) {
      const Block block = RandomBlock(random);
      in.insert(in.end(), block.begin(), block.end());
      std::transform(expected.begin(), expected.end(), block.begin(), expected.begin(),
                     [](std::uint8_t a, std::uint8_t b) { return a ^ b; });
      expected = Product(expected, hash_key);
    }
    vector::GhashUpdate(products.data(), hash.data(), in.data(), blocks % 8);
    ASSERT_EQ(hash, expected) << blocks % 8 << " blocks";
    vector::GhashMultiply(products.data(), hash.data());
    ASSERT_EQ(hash, Product(expected, hash_key));
  }
}

// One bit times one bit: every entry of the tables of the reduction.
TEST(VectorGhash, MultipliesEveryPairOfBits) {
  for (std::size_t first = 0; first < 128; ++first) {
    Block hash_key{};
    hash_key[first / 8] = static_cast<std::uint8_t>(1U << (first % 8));
    const Vector products = ProductsOf(hash_key);
    for (std::size_t second = 0; second < 128; ++second) {
      Block element{};
      element[second / 8] = static_cast<std::uint8_t>(1U << (second % 8));
      Block hash = element;
      vector::GhashMultiply(products.data(), hash.data());
      ASSERT_EQ(hash, Product(element, hash_key)) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace keywright
