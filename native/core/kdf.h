#ifndef KEYWRIGHT_CORE_KDF_H_
#define KEYWRIGHT_CORE_KDF_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"

// SP 800-108r1 §4.1: KDF in counter mode, PRF HMAC-SHA-256, 32-bit counter in front, 32-bit length
// behind: K(i) = HMAC(key, [i] ‖ label ‖ 0x00 ‖ context ‖ [L]). Under kBacking keys only.

namespace keywright {

inline constexpr std::size_t kMaxDerivedBytes = 8160;  // 255 blocks

// Labels of the constructions of this library; DeriveBytes refuses every label that begins like
// one, so that nobody can derive their keys through it.
inline constexpr std::string_view kMessageLabel = "keywright/message/v1";
inline constexpr std::string_view kWrapLabel = "keywright/wrap/v1";

// `out` has 1 to kMaxDerivedBytes bytes and overlaps no input. kInvalidArgument for a reserved
// label, or one with a zero byte (it could pass for the separator).
Status DeriveBytes(const Key& key, Bytes label, Bytes context, MutableBytes out);

// The same, 32 bytes, as a key of `type`.
Result<KeyPtr> DeriveKey(const Key& key, Bytes label, Bytes context, KeyType type);

// The fast road to the same function, without restriction of the label: `out` is a multiple of 32
// bytes, and label and context have at most kMaxShortInputBytes together. Precondition: a backing
// key and these sizes.
inline constexpr std::size_t kMaxShortInputBytes =
    kMaxShortMessageBytes - 9;  // counter, separator and length
void DeriveShort(const Key& key, std::string_view label, Bytes context, MutableBytes out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KDF_H_
