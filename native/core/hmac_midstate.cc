// The only translation unit that may use the deprecated low-level SHA-256: EVP has no way to keep
// the state after the pad block and start from it again without a copy that costs more than the
// hash (hmac_midstate.h has the figures).
#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/hmac_midstate.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cstring>

namespace keywright {
namespace {

constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

using State = std::array<std::uint32_t, 8>;
static_assert(sizeof(State) == sizeof(SHA256_CTX::h));

// Chaining values on the stack, cleansed when the call ends.
class Hash {
 public:
  Hash() { SHA256_Init(&context_); }
  explicit Hash(const State& state) { std::memcpy(context_.h, state.data(), sizeof(context_.h)); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  ~Hash() { OPENSSL_cleanse(context_.h, sizeof(context_.h)); }

  void Compress(std::span<const std::uint8_t, kSha256BlockBytes> block) {
    SHA256_Transform(&context_, block.data());
  }
  void Save(State& state) const { std::memcpy(state.data(), context_.h, sizeof(context_.h)); }
  void Store(std::uint8_t* out) const {
    for (std::size_t i = 0; i < 8; ++i) {
      StoreBigEndian32(context_.h[i], out + 4 * i);
    }
  }

 private:
  SHA256_CTX context_;  // SHA256_Transform reads and writes h only; the rest stays unset
};

// Pads a block that ends a message of `length` bytes in it, after one block (the key pad) hashed
// before.
void Pad(std::span<std::uint8_t, kSha256BlockBytes> block, std::size_t length) {
  block[length] = 0x80;
  std::memset(block.data() + length + 1, 0, kSha256BlockBytes - length - 1);
  StoreBigEndian32(static_cast<std::uint32_t>((kSha256BlockBytes + length) * 8),
                   block.data() + kSha256BlockBytes - 4);
}

void HashPad(Bytes key, std::uint8_t pad, State& state) {
  std::array<std::uint8_t, kSha256BlockBytes> block;
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) {
    block[i] = static_cast<std::uint8_t>(key[i] ^ pad);
  }
  Hash hash;
  hash.Compress(block);
  hash.Save(state);
  OPENSSL_cleanse(block.data(), block.size());
}

}  // namespace

void ComputeHmacMidstate(Bytes key, HmacMidstate& midstate) {
  HashPad(key, kInnerPad, midstate.inner);
  HashPad(key, kOuterPad, midstate.outer);
}

void HmacShort(const HmacMidstate& midstate, std::span<std::uint8_t, kSha256BlockBytes> block,
               std::size_t length, std::span<std::uint8_t, kHmacSha256Bytes> mac) {
  Pad(block, length);
  Hash inner(midstate.inner);
  inner.Compress(block);

  std::array<std::uint8_t, kSha256BlockBytes> outer_block;
  inner.Store(outer_block.data());
  Pad(outer_block, kHmacSha256Bytes);
  Hash outer(midstate.outer);
  outer.Compress(outer_block);
  outer.Store(mac.data());
  // Half of the way to a key of ours.
  OPENSSL_cleanse(outer_block.data(), kHmacSha256Bytes);
}

}  // namespace keywright
