#ifndef KEYWRIGHT_CORE_PASSPHRASE_H_
#define KEYWRIGHT_CORE_PASSPHRASE_H_

#include <cstddef>
#include <cstdint>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"

namespace keywright {

inline constexpr std::size_t kMinSaltBytes = 16;
inline constexpr std::size_t kMaxSaltBytes = 64;
inline constexpr std::size_t kMaxPassphraseBytes = 65536;
inline constexpr std::uint32_t kMinArgonMemoryKiB = 8;  // RFC 9106 §3.1, for one lane
inline constexpr std::uint32_t kMaxArgonMemoryKiB = 4U * 1024 * 1024;
inline constexpr std::uint32_t kMaxArgonIterations = 1024;

struct PassphraseCost {
  std::uint32_t memory_kib;
  std::uint32_t iterations;
};

// Argon2id (RFC 9106), version 0x13, one lane, 32 bytes, as a kBacking key. kInvalidArgument
// outside the bounds above or for an empty passphrase.
Result<KeyPtr> DeriveKeyFromPassphrase(Bytes passphrase, Bytes salt, PassphraseCost cost);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PASSPHRASE_H_
