#ifndef KEYWRIGHT_CORE_DATA_KEY_H_
#define KEYWRIGHT_CORE_DATA_KEY_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/key.h"
#include "core/status.h"

// Data keys: fresh random bytes and their encryption as a message (message.h) under a backing key.

namespace keywright {

inline constexpr std::size_t kMaxDataKeyBytes = 1024;

// Draws `plaintext` (1 to kMaxDataKeyBytes bytes) and encrypts it into `blob`, sized as for
// MessageEncrypt. After a failure `plaintext` is all zero.
Status GenerateDataKey(const Key& key, Bytes header, Bytes context, MutableBytes plaintext,
                       MutableBytes blob);

// The same for a key of `length` bytes that nobody sees.
Status GenerateDataKeyWithoutPlaintext(const Key& key, Bytes header, Bytes context,
                                       std::size_t length, MutableBytes blob);

// `count` data keys of plaintexts.size() / count bytes each; blobs end to end in `blobs`.
Status GenerateDataKeyBatch(const Key& key, Bytes header, Bytes context, std::size_t count,
                            MutableBytes plaintexts, MutableBytes blobs);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_DATA_KEY_H_
