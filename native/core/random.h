#ifndef KEYWRIGHT_CORE_RANDOM_H_
#define KEYWRIGHT_CORE_RANDOM_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/status.h"

namespace keywright {

// All randomness is the CTR_DRBG (SP 800-90A §10.2) of libcrypto, of this thread, reseeded from the
// system. Every function fails with kRandomFailed only.

// Bytes that may become public.
Status RandomPublic(MutableBytes out);

// Keys and data keys: a DRBG of its own, so that no public output ever comes from its state.
Status RandomSecret(MutableBytes out);

// At most 64 bytes for a nonce or an IV, from a 4 KiB block drawn ahead for this thread: asking the
// DRBG for 12 bytes costs five times the encryption they are for. Bytes are wiped from the block as
// they are handed out; the block is dropped in the child after fork() and wiped when the thread
// ends.
Status RandomNonce(MutableBytes out);
inline constexpr std::size_t kMaxNonceBytes = 64;

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_RANDOM_H_
