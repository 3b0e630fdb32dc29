#ifndef KEYWRIGHT_CORE_KEY_TYPE_H_
#define KEYWRIGHT_CORE_KEY_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace keywright {

// What a key may be used for. The numbers are those of src/core/codes.ts; they are authenticated
// inside wrapped keys (protected_key.h) and therefore never change.
enum class KeyType : std::uint8_t {
  kAesGcm = 1,
  kAesKwp = 2,
  kBacking = 3,
  kHmac = 4,
  kAesKw = 5,
  kAes128Gcm = 6,
  // Key pairs, or their public part alone (key_pair.h).
  kRsa2048 = 16,
  kRsa3072 = 17,
  kRsa4096 = 18,
  kP256 = 19,
  kP384 = 20,
  kP521 = 21,
  kSecp256k1 = 22,
  kEd25519 = 23,
  kSm2 = 24,
  kMlDsa44 = 25,
  kMlDsa65 = 26,
  kMlDsa87 = 27,
  kMlKem512 = 28,
  kMlKem768 = 29,
  kMlKem1024 = 30,
};

inline constexpr std::size_t kAes128KeyBytes = 16;
inline constexpr std::size_t kAes256KeyBytes = 32;
inline constexpr std::size_t kMaxSecretKeyBytes = 1024;

constexpr bool IsAsymmetric(KeyType type) { return type >= KeyType::kRsa2048; }
constexpr bool IsAesGcm(KeyType type) {
  return type == KeyType::kAesGcm || type == KeyType::kAes128Gcm;
}

constexpr std::optional<KeyType> KeyTypeFromNumber(std::uint32_t number) {
  constexpr auto kBetween = [](std::uint32_t value, KeyType first, KeyType last) {
    return value >= static_cast<std::uint32_t>(first) && value <= static_cast<std::uint32_t>(last);
  };
  if (kBetween(number, KeyType::kAesGcm, KeyType::kAes128Gcm) ||
      kBetween(number, KeyType::kRsa2048, KeyType::kMlKem1024)) {
    return static_cast<KeyType>(number);
  }
  return std::nullopt;
}

// Bytes of a symmetric key. kHmac has keys of other lengths too; this is that of a derived one.
constexpr std::size_t KeyBytesOf(KeyType type) {
  return type == KeyType::kAes128Gcm ? kAes128KeyBytes : kAes256KeyBytes;
}

// Lengths of symmetric keys; a key pair has none.
constexpr bool IsKeyLength(KeyType type, std::size_t length) {
  if (IsAsymmetric(type)) {
    return false;
  }
  if (type == KeyType::kHmac) {
    return length >= 1 && length <= kMaxSecretKeyBytes;
  }
  return length == KeyBytesOf(type);
}

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_TYPE_H_
