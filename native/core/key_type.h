#ifndef KEYWRIGHT_CORE_KEY_TYPE_H_
#define KEYWRIGHT_CORE_KEY_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace keywright {

// What a key may be used for. The numbers are those of src/core/codes.ts; they are authenticated
// inside wrapped keys (protected_key.h) and therefore never change.
enum class KeyType : std::uint8_t { kAesGcm = 1, kAesKwp = 2, kBacking = 3, kHmac = 4 };

inline constexpr std::size_t kAes256KeyBytes = 32;
inline constexpr std::size_t kMaxSecretKeyBytes = 1024;

constexpr std::optional<KeyType> KeyTypeFromNumber(std::uint32_t number) {
  if (number < 1 || number > 4) {
    return std::nullopt;
  }
  return static_cast<KeyType>(number);
}

constexpr bool IsKeyLength(KeyType type, std::size_t length) {
  if (type == KeyType::kHmac) {
    return length >= 1 && length <= kMaxSecretKeyBytes;
  }
  return length == kAes256KeyBytes;
}

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_TYPE_H_
