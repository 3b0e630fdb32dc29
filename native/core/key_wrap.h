#ifndef KEYWRIGHT_CORE_KEY_WRAP_H_
#define KEYWRIGHT_CORE_KEY_WRAP_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"
#include "core/secret_form.h"

// AES-256 key wrap: with padding (RFC 5649 = SP 800-38F §6.3) under a kAesKwp key, without (RFC
// 3394 = SP 800-38F §6.2) under a kAesKw key.

namespace keywright {

constexpr std::size_t KwpWrappedSize(std::size_t key_size) { return (key_size + 7) / 8 * 8 + 8; }
constexpr std::size_t KwWrappedSize(std::size_t key_size) { return key_size + 8; }

// `out` has KwpWrappedSize bytes of the secret form of the key. kWrongKeyType for a public key.
Status KwpWrap(const Key& kek, const Key& key, MutableBytes out);

// kAuthenticationFailed when kek or bytes do not fit, or `type` has no keys of the wrapped length.
Result<KeyPtr> KwpUnwrap(const Key& kek, Bytes wrapped, KeyType type);

// The same without padding. kInvalidArgument for a key whose secret form is shorter than 16 bytes
// or no multiple of 8.
Status KwWrap(const Key& kek, const Key& key, MutableBytes out);
Result<KeyPtr> KwUnwrap(const Key& kek, Bytes wrapped, KeyType type);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_WRAP_H_
