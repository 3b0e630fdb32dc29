#ifndef KEYWRIGHT_CORE_MESSAGE_H_
#define KEYWRIGHT_CORE_MESSAGE_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/committing_aead.h"
#include "core/key.h"
#include "core/packed_items.h"
#include "core/result.h"

// Messages under a backing key: header ‖ the blob of committing_aead.h, with header and context
// authenticated. All of them fail with kAuthenticationFailed for every blob that does not open,
// whatever the reason.

namespace keywright {

inline constexpr std::size_t kMessageOverheadBytes = kCommittingOverheadBytes;
inline constexpr std::size_t kMaxHeaderBytes = 4096;

// `blob` has header.size() + plaintext.size() + kMessageOverheadBytes bytes and overlaps no input.
Status MessageEncrypt(const Key& key, Bytes header, Bytes context, Bytes plaintext,
                      MutableBytes blob);

// `plaintext` has blob.size() - header_length - kMessageOverheadBytes bytes, overlaps no input, and
// is all zero after a failure.
Status MessageDecrypt(const Key& key, std::size_t header_length, Bytes blob, Bytes context,
                      MutableBytes plaintext);

// Every item with the same header and context, see TransformEach. Return the bytes written.
Result<std::size_t> MessageEncryptBatch(const Key& key, Bytes header, Bytes context,
                                        const PackedItems& items, const PackedOutput& out);
Result<std::size_t> MessageDecryptBatch(const Key& key, std::size_t header_length, Bytes context,
                                        const PackedItems& items, const PackedOutput& out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_MESSAGE_H_
