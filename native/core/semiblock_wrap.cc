#include "core/semiblock_wrap.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/declassify.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"

namespace keywright {
namespace {

constexpr std::size_t kBlockBytes = 2 * kSemiblockBytes;
constexpr std::uint64_t kRounds = 6;

// RFC 3394 §2.2.3.1 and RFC 5649 §3.
constexpr std::array<std::uint8_t, 8> kDefaultValue = {0xa6, 0xa6, 0xa6, 0xa6,
                                                       0xa6, 0xa6, 0xa6, 0xa6};
constexpr std::array<std::uint8_t, 4> kPaddedValue = {0xa6, 0x59, 0x59, 0xa6};

// AES-256 of single blocks in one direction. A new context each time: keys are wrapped rarely, and
// no schedule of a KEK stays behind.
class BlockCipher {
 public:
  BlockCipher(WrappingKey kek, bool is_encrypting)
      : context_(EVP_CIPHER_CTX_new()),
        is_ready_(context_ &&
                  EVP_CipherInit_ex2(context_.get(), Library().aes_256_ecb, kek.data(), nullptr,
                                     is_encrypting ? 1 : 0, nullptr) == 1 &&
                  EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1) {}

  // In place.
  bool Process(std::span<std::uint8_t, kBlockBytes> block) {
    int written = 0;
    return is_ready_ &&
           EVP_CipherUpdate(context_.get(), block.data(), &written, block.data(), kBlockBytes) == 1;
  }

 private:
  EvpCipherCtxPtr context_;
  bool is_ready_;
};

void XorCounter(std::span<std::uint8_t, kBlockBytes> block, std::uint64_t counter) {
  for (std::size_t i = 0; i < kSemiblockBytes; ++i) {
    block[kSemiblockBytes - 1 - i] ^= static_cast<std::uint8_t>(counter >> (8 * i));
  }
}

// W and its inverse of SP 800-38F §6.1, in place: the integrity value and one semiblock at a time
// make a block; the values of the counter are public. A single semiblock is one block of AES
// (§6.3).
bool Transform(BlockCipher& cipher, bool is_wrapping, MutableBytes semiblocks) {
  if (semiblocks.size() == kBlockBytes) {
    return cipher.Process(semiblocks.first<kBlockBytes>());
  }
  const std::uint64_t count = semiblocks.size() / kSemiblockBytes - 1;
  const std::uint64_t steps = kRounds * count;
  SecretArray<kBlockBytes> block;
  const MutableBytes value = block.bytes().first(kSemiblockBytes);
  const MutableBytes other = block.bytes().last(kSemiblockBytes);
  CopyBytes(semiblocks.first(kSemiblockBytes), value);
  for (std::uint64_t step = 0; step < steps; ++step) {
    const std::uint64_t counter = is_wrapping ? step + 1 : steps - step;
    const auto index = static_cast<std::size_t>((counter - 1) % count + 1);
    const MutableBytes semiblock = semiblocks.subspan(index * kSemiblockBytes, kSemiblockBytes);
    CopyBytes(semiblock, other);
    if (!is_wrapping) {
      XorCounter(block.bytes(), counter);
    }
    if (!cipher.Process(block.bytes())) {
      return false;
    }
    if (is_wrapping) {
      XorCounter(block.bytes(), counter);
    }
    CopyBytes(other, semiblock);
  }
  CopyBytes(value, semiblocks.first(kSemiblockBytes));
  return true;
}

// The length that a padded key says it has, when integrity value, length and padding are those of
// RFC 5649 §3; else 0. All of them are looked at, whatever the first ones are.
std::size_t PaddedLength(Bytes semiblocks) {
  const Bytes value = semiblocks.first(kSemiblockBytes);
  const Bytes key = semiblocks.subspan(kSemiblockBytes);
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < kPaddedValue.size(); ++i) {
    wrong |= static_cast<std::uint64_t>(value[i] ^ kPaddedValue[i]);
  }
  std::uint64_t length = 0;
  for (const std::uint8_t byte : value.subspan(kPaddedValue.size())) {
    length = length << 8 | byte;
  }
  // From 0 to 7 bytes of padding: a length that is too large leaves a huge difference.
  wrong |= (key.size() - length) / kSemiblockBytes;
  for (std::size_t i = key.size() - kSemiblockBytes; i < key.size(); ++i) {
    // All ones behind the key, where the difference has not wrapped around.
    const std::uint64_t is_padding = ((i - length) >> 63) - 1;
    wrong |= is_padding & key[i];
  }
  return Declassified(wrong == 0) ? static_cast<std::size_t>(Declassified(length)) : 0;
}

std::size_t UnpaddedLength(Bytes semiblocks) {
  return ConstantTimeEqual(semiblocks.first(kSemiblockBytes), kDefaultValue)
             ? semiblocks.size() - kSemiblockBytes
             : 0;
}

}  // namespace

Status WrapSecret(WrappingKey kek, WrapPadding padding, Bytes secret, MutableBytes out) {
  if (padding == WrapPadding::kPadded) {
    CopyBytes(kPaddedValue, out);
    StoreBigEndian32(static_cast<std::uint32_t>(secret.size()), &out[kPaddedValue.size()]);
  } else {
    CopyBytes(kDefaultValue, out);
  }
  CopyBytes(secret, out.subspan(kSemiblockBytes));
  const MutableBytes behind = out.subspan(kSemiblockBytes + secret.size());
  std::fill(behind.begin(), behind.end(), std::uint8_t{0});
  BlockCipher cipher(kek, true);
  if (Transform(cipher, true, out)) {
    return Status::kOk;
  }
  Cleanse(out);
  return Fail(Status::kLibcryptoFailed);
}

Result<SecureBuffer> UnwrapSecret(WrappingKey kek, WrapPadding padding, Bytes wrapped) {
  const std::size_t shortest =
      padding == WrapPadding::kPadded ? kBlockBytes : kBlockBytes + kSemiblockBytes;
  if (wrapped.size() % kSemiblockBytes != 0 || wrapped.size() < shortest) {
    return Status::kAuthenticationFailed;
  }
  Result<SecureBuffer> semiblocks = SecureBuffer::CopyOf(wrapped);
  if (!semiblocks.ok()) {
    return semiblocks.status();
  }
  BlockCipher cipher(kek, false);
  if (!Transform(cipher, false, semiblocks.value().bytes())) {
    return Fail(Status::kLibcryptoFailed);
  }
  const Bytes opened = std::as_const(semiblocks.value()).bytes();
  const std::size_t length =
      padding == WrapPadding::kPadded ? PaddedLength(opened) : UnpaddedLength(opened);
  if (length == 0) {
    return Status::kAuthenticationFailed;
  }
  return SecureBuffer::CopyOf(opened.subspan(kSemiblockBytes, length));
}

}  // namespace keywright
