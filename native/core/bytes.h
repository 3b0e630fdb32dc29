#ifndef KEYWRIGHT_CORE_BYTES_H_
#define KEYWRIGHT_CORE_BYTES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

namespace keywright {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// Largest plaintext, ciphertext or AAD of one call. EVP counts in int, and with it every length
// that a binding returns (data, header and overhead together) fits a non-negative int32.
inline constexpr std::size_t kMaxDataBytes = 0x7fff'0000;

// True when the two regions share a byte. Empty regions share nothing.
inline bool Overlaps(Bytes a, Bytes b) {
  if (a.empty() || b.empty()) {
    return false;
  }
  // std::less orders pointers into different objects too, which operator< does not promise.
  const std::less<> before;
  return before(a.data(), b.data() + b.size()) && before(b.data(), a.data() + a.size());
}

inline void CopyBytes(Bytes from, MutableBytes to) {
  if (!from.empty()) {
    std::memcpy(to.data(), from.data(), from.size());
  }
}

inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline void StoreBigEndian32(std::uint32_t value, std::uint8_t* out) {
  // Not four shifts: g++ 12 makes vector code of those that is three times slower than the hash
  // they feed.
  if constexpr (std::endian::native == std::endian::little) {
    value = __builtin_bswap32(value);
  }
  std::memcpy(out, &value, sizeof(value));
}

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_BYTES_H_
