#ifndef KEYWRIGHT_CORE_PROTECTED_KEY_H_
#define KEYWRIGHT_CORE_PROTECTED_KEY_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/committing_aead.h"
#include "core/key.h"
#include "core/result.h"

// Keys under a backing key: the blob of committing_aead.h around the secret form of the key
// (secret_form.h), bound to its type and to `aad`.

namespace keywright {

inline constexpr std::size_t kWrapOverheadBytes = kCommittingOverheadBytes;

// `out` has the size of the secret form + kWrapOverheadBytes bytes and does not overlap `aad`.
// kWrongKeyType for a public key.
Status WrapKey(const Key& kek, const Key& key, Bytes aad, MutableBytes out);

// kAuthenticationFailed when kek, aad, type or bytes do not fit.
Result<KeyPtr> UnwrapKey(const Key& kek, Bytes wrapped, Bytes aad, KeyType type);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PROTECTED_KEY_H_
