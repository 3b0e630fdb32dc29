#ifndef KEYWRIGHT_CORE_SEMIBLOCK_WRAP_H_
#define KEYWRIGHT_CORE_SEMIBLOCK_WRAP_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/key_type.h"
#include "core/result.h"
#include "core/secure_buffer.h"

// AES-256 key wrap over the block cipher of EVP, without padding (RFC 3394 = SP 800-38F §6.2) and
// with it (RFC 5649 = SP 800-38F §6.3). Not libcrypto's own ciphers of these names: they run an AES
// of tables, read at places that follow from the key, on processors that have AES instructions too.

namespace keywright {

using WrappingKey = std::span<const std::uint8_t, kAes256KeyBytes>;

inline constexpr std::size_t kSemiblockBytes = 8;

enum class WrapPadding : bool { kNone, kPadded };

// `out` has the bytes of `secret`, rounded up to a multiple of 8, and 8 more, and does not overlap
// it. Precondition: at least one byte; without padding at least 16, a multiple of 8.
Status WrapSecret(WrappingKey kek, WrapPadding padding, Bytes secret, MutableBytes out);

// kAuthenticationFailed when key and bytes do not fit. Which of the checks failed shows neither in
// the status nor in the time.
Result<SecureBuffer> UnwrapSecret(WrappingKey kek, WrapPadding padding, Bytes wrapped);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_SEMIBLOCK_WRAP_H_
