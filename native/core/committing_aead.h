#ifndef KEYWRIGHT_CORE_COMMITTING_AEAD_H_
#define KEYWRIGHT_CORE_COMMITTING_AEAD_H_

#include <cstddef>
#include <string_view>

#include "core/bytes.h"
#include "core/gcm_context.h"
#include "core/key.h"
#include "core/status.h"

// AES-256-GCM under a key of its own for every message, with commitment to that key:
//
//   nonce (16, random) ‖ commitment (32) ‖ ciphertext ‖ tag (16)
//
// DeriveShort(backing key, label, nonce) gives 64 bytes: the message key and the commitment. GCM
// runs under the message key with a nonce of 12 zero bytes: SP 800-38D §8 asks that no pair of key
// and nonce serves twice, and this key encrypts one message only. The 128-bit nonce of the
// derivation lifts GCM's bound of 2^32 messages per backing key. The commitment is compared before
// anything is decrypted, so that a blob opens under one key only (GCM by itself allows blobs that
// open under several). See docs/adr/0003-ciphertext-blob.md.

namespace keywright {

inline constexpr std::size_t kDerivationNonceBytes = 16;
inline constexpr std::size_t kCommitmentBytes = 32;
inline constexpr std::size_t kCommittingOverheadBytes =
    kDerivationNonceBytes + kCommitmentBytes + kGcmTagBytes;

// What a blob is bound to. `aad_prefix` has a length that follows from the label and the format, so
// that aad_prefix ‖ aad is injective.
struct Binding {
  std::string_view label;
  Bytes aad_prefix;
  Bytes aad;
};

// `out` has plaintext.size() + kCommittingOverheadBytes bytes.
// Precondition of both: a backing key, sizes up to kMaxDataBytes, and no overlap of `out` with an
// input.
Status CommittingEncrypt(const Key& key, const Binding& binding, Bytes plaintext, MutableBytes out);

// `out` has sealed.size() - kCommittingOverheadBytes bytes (kAuthenticationFailed when `sealed` is
// shorter than that) and is all zero after a failure.
Status CommittingDecrypt(const Key& key, const Binding& binding, Bytes sealed, MutableBytes out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_COMMITTING_AEAD_H_
