#ifndef KEYWRIGHT_CORE_LIBRARY_CONTEXT_H_
#define KEYWRIGHT_CORE_LIBRARY_CONTEXT_H_

#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <array>
#include <cstddef>

#include "core/digest_algorithm.h"
#include "core/status.h"

namespace keywright {

// The algorithms of libcrypto, fetched once and shared by all threads; immutable. Lives until the
// process ends: a worker thread that still computes while the process exits must not see it freed.
struct LibraryContext {
  OSSL_LIB_CTX* context;
  EVP_CIPHER* aes_128_gcm;
  EVP_CIPHER* aes_256_gcm;
  EVP_CIPHER* aes_256_ecb;
  EVP_CIPHER* aes_256_cbc;
  EVP_KDF* kbkdf;
  EVP_KDF* hkdf;
  EVP_KDF* argon2id;
  std::array<EVP_MD*, kDigestAlgorithmCount> digests;

  EVP_MD* digest(DigestAlgorithm algorithm) const { return digests[DigestIndex(algorithm)]; }
};

// Call before anything else, from every binding instance; later calls return the result of the
// first, whose `secure_heap_bytes` counts (0 for the default, see InitializeSecureHeap).
// Thread-safe.
Status InitializeLibrary(std::size_t secure_heap_bytes);

// Precondition: InitializeLibrary returned kOk.
const LibraryContext& Library();

// Returns `status` after emptying this thread's error queue of libcrypto. The library is linked
// into this binary and nobody else uses its queue, so a failure clears all of it and success, the
// fast path, need not touch it.
Status Fail(Status status);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_LIBRARY_CONTEXT_H_
