#ifndef KEYWRIGHT_CORE_AEAD_H_
#define KEYWRIGHT_CORE_AEAD_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/gcm_context.h"
#include "core/key.h"
#include "core/packed_items.h"
#include "core/status.h"

// AES-GCM under a kAesGcm or kAes128Gcm key: nonce (12, random) ‖ ciphertext ‖ tag (16). At most
// 2^32 messages per key (SP 800-38D §8.3), which the caller counts.

namespace keywright {

inline constexpr std::size_t kAeadOverheadBytes = kGcmNonceBytes + kGcmTagBytes;

// `out` has plaintext.size() + kAeadOverheadBytes bytes and overlaps no input.
Status AeadEncrypt(const Key& key, Bytes plaintext, Bytes aad, MutableBytes out);

// `out` has sealed.size() - kAeadOverheadBytes bytes, overlaps no input, and is all zero after a
// failure.
Status AeadDecrypt(const Key& key, Bytes sealed, Bytes aad, MutableBytes out);

// Every item with the same AAD, see TransformEach. Returns the bytes written.
Result<std::size_t> AeadEncryptBatch(const Key& key, const PackedItems& items, Bytes aad,
                                     const PackedOutput& out);
Result<std::size_t> AeadDecryptBatch(const Key& key, const PackedItems& items, Bytes aad,
                                     const PackedOutput& out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_AEAD_H_
