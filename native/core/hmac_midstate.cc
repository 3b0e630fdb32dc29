// The only translation unit that may use the deprecated low-level SHA-2: EVP has no way to keep the
// state after the pad block and start from it again without a copy that costs more than the hash
// (hmac_midstate.h has the figures).
#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/hmac_midstate.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

namespace keywright {
namespace {

constexpr std::uint8_t kInnerPad = 0x36;
constexpr std::uint8_t kOuterPad = 0x5c;

// FIPS 180-4 §5.1 and §6: hashes of 32-bit words, and of 64-bit words.
struct Narrow {
  using Context = SHA256_CTX;
  using Word = std::uint32_t;
  static constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
  static constexpr auto kTransform = SHA256_Transform;
  static constexpr auto kUpdate = SHA256_Update;
  static constexpr auto kFinal = SHA256_Final;

  static void Init(Context& context, DigestAlgorithm algorithm) {
    static_cast<void>(algorithm == DigestAlgorithm::kSha224 ? SHA224_Init(&context)
                                                            : SHA256_Init(&context));
  }
};
struct Wide {
  using Context = SHA512_CTX;
  using Word = std::uint64_t;
  static constexpr std::size_t kBlockBytes = SHA512_CBLOCK;
  static constexpr auto kTransform = SHA512_Transform;
  static constexpr auto kUpdate = SHA512_Update;
  static constexpr auto kFinal = SHA512_Final;

  static void Init(Context& context, DigestAlgorithm algorithm) {
    static_cast<void>(algorithm == DigestAlgorithm::kSha384 ? SHA384_Init(&context)
                                                            : SHA512_Init(&context));
  }
};

void StoreWord(std::uint32_t word, std::uint8_t* out) { StoreBigEndian32(word, out); }

void StoreWord(std::uint64_t word, std::uint8_t* out) {
  StoreBigEndian32(static_cast<std::uint32_t>(word >> 32), out);
  StoreBigEndian32(static_cast<std::uint32_t>(word), out + 4);
}

// Chaining values on the stack, cleansed when the call ends.
template <typename Sha>
class Hash {
 public:
  explicit Hash(DigestAlgorithm algorithm) { Sha::Init(context_, algorithm); }
  template <typename Word>
  explicit Hash(const std::array<Word, 8>& state) {
    for (std::size_t i = 0; i < state.size(); ++i) {
      context_.h[i] = static_cast<typename Sha::Word>(state[i]);
    }
  }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  ~Hash() { OPENSSL_cleanse(context_.h, sizeof(context_.h)); }

  void Compress(const std::uint8_t* block) { Sha::kTransform(&context_, block); }

  // The digest of a message whose first block is hashed and whose rest is `data`.
  void Digest(Bytes data, std::size_t size, std::uint8_t* out) {
    context_.Nl = Sha::kBlockBytes * 8;
    context_.Nh = 0;
    context_.num = 0;
    context_.md_len = static_cast<unsigned int>(size);
    Sha::kUpdate(&context_, data.data(), data.size());
    Sha::kFinal(out, &context_);
    OPENSSL_cleanse(&context_, sizeof(context_));
  }

  template <typename Word>
  void Save(std::array<Word, 8>& state) const {
    std::copy(std::begin(context_.h), std::end(context_.h), state.begin());
  }
  void Store(MutableBytes out) const {
    for (std::size_t i = 0; i < out.size() / sizeof(context_.h[0]); ++i) {
      StoreWord(static_cast<typename Sha::Word>(context_.h[i]),
                out.data() + i * sizeof(context_.h[0]));
    }
  }

 private:
  typename Sha::Context context_;  // compressing reads and writes h only; the rest stays unset
};

template <typename Sha>
using Block = std::array<std::uint8_t, Sha::kBlockBytes>;

// The longest message that has room for its padding in a block: a byte, and the length as two
// words.
template <typename Sha>
constexpr std::size_t kShortBytes = Sha::kBlockBytes - 2 * sizeof(typename Sha::Word) - 1;
static_assert(kShortBytes<Narrow> == kMaxShortMessageBytes);
static_assert(kSha256BlockBytes == Narrow::kBlockBytes);

// Pads a block that ends a message of `length` bytes in it, after one block (the key pad) hashed
// before.
template <typename Sha>
void Pad(std::uint8_t* block, std::size_t length) {
  block[length] = 0x80;
  std::memset(block + length + 1, 0, Sha::kBlockBytes - length - 1);
  StoreBigEndian32(static_cast<std::uint32_t>((Sha::kBlockBytes + length) * 8),
                   block + Sha::kBlockBytes - 4);
}

// `key` has at most the size of a block.
template <typename Sha, typename Word>
void HashPad(DigestAlgorithm algorithm, Bytes key, std::uint8_t pad, std::array<Word, 8>& state) {
  Block<Sha> block;
  block.fill(pad);
  for (std::size_t i = 0; i < key.size(); ++i) {
    block[i] = static_cast<std::uint8_t>(key[i] ^ pad);
  }
  Hash<Sha> hash(algorithm);
  hash.Compress(block.data());
  hash.Save(state);
  OPENSSL_cleanse(block.data(), block.size());
}

template <typename Sha>
void HashPads(DigestAlgorithm algorithm, Bytes key, HmacPads& pads) {
  Block<Sha> hashed;
  if (key.size() > Sha::kBlockBytes) {
    typename Sha::Context context;
    Sha::Init(context, algorithm);
    Sha::kUpdate(&context, key.data(), key.size());
    Sha::kFinal(hashed.data(), &context);
    OPENSSL_cleanse(&context, sizeof(context));
    key = Bytes(hashed).first(DigestSize(algorithm));
  }
  HashPad<Sha>(algorithm, key, kInnerPad, pads.inner);
  HashPad<Sha>(algorithm, key, kOuterPad, pads.outer);
  OPENSSL_cleanse(hashed.data(), hashed.size());
}

// The outer hash of the inner one, which `block` begins with; cleanses that, half of the way to a
// key of ours.
template <typename Sha, typename Word>
void Finish(const std::array<Word, 8>& state, std::uint8_t* block, MutableBytes mac) {
  Pad<Sha>(block, mac.size());
  Hash<Sha> outer(state);
  outer.Compress(block);
  outer.Store(mac);
  OPENSSL_cleanse(block, mac.size());
}

template <typename Sha>
void MacUnder(const HmacPads& pads, Bytes data, MutableBytes mac) {
  Block<Sha> block;
  Hash<Sha> inner(pads.inner);
  const MutableBytes digest = MutableBytes(block).first(mac.size());
  if (data.size() <= kShortBytes<Sha>) {
    CopyBytes(data, block);
    Pad<Sha>(block.data(), data.size());
    inner.Compress(block.data());
    // What is left of the data behind the digest; most have none.
    if (data.size() > mac.size()) {
      OPENSSL_cleanse(block.data() + mac.size(), data.size() - mac.size());
    }
    inner.Store(digest);
  } else {
    inner.Digest(data, mac.size(), block.data());
  }
  Finish<Sha>(pads.outer, block.data(), mac);
}

bool IsNarrow(DigestAlgorithm algorithm) {
  return algorithm == DigestAlgorithm::kSha224 || algorithm == DigestAlgorithm::kSha256;
}

}  // namespace

void ComputeHmacMidstate(Bytes key, HmacMidstate& midstate) {
  HashPad<Narrow>(DigestAlgorithm::kSha256, key, kInnerPad, midstate.inner);
  HashPad<Narrow>(DigestAlgorithm::kSha256, key, kOuterPad, midstate.outer);
}

void HmacShort(const HmacMidstate& midstate, std::span<std::uint8_t, kSha256BlockBytes> block,
               std::size_t length, std::span<std::uint8_t, kHmacSha256Bytes> mac) {
  Pad<Narrow>(block.data(), length);
  Hash<Narrow> inner(midstate.inner);
  inner.Compress(block.data());
  Block<Narrow> outer_block;
  inner.Store(MutableBytes(outer_block).first(kHmacSha256Bytes));
  Finish<Narrow>(midstate.outer, outer_block.data(), mac);
}

void HashHmacPads(DigestAlgorithm algorithm, Bytes key, HmacPads& pads) {
  (IsNarrow(algorithm) ? HashPads<Narrow> : HashPads<Wide>)(algorithm, key, pads);
}

void HmacUnder(DigestAlgorithm algorithm, const HmacPads& pads, Bytes data, MutableBytes mac) {
  (IsNarrow(algorithm) ? MacUnder<Narrow> : MacUnder<Wide>)(pads, data, mac);
}

}  // namespace keywright
