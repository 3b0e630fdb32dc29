#include "core/secure_heap.h"

#include <openssl/crypto.h>

#include <bit>

namespace keywright {
namespace {

constexpr std::size_t kMiB = std::size_t{1024} * 1024;
constexpr std::size_t kDefaultBytes = 16 * kMiB;
// Smallest block: an AES-256 key.
constexpr std::size_t kMinimumBlockBytes = 32;
// What CRYPTO_secure_malloc_init answers when the heap stands and every protection was granted; 2
// when one was not.
constexpr int kProtected = 1;

// Written once, before any other thread knows of the heap (see InitializeLibrary).
std::size_t heap_bytes = 0;
bool heap_is_locked = false;

bool Create(std::size_t bytes) {
  const int outcome = CRYPTO_secure_malloc_init(bytes, kMinimumBlockBytes);
  heap_bytes = outcome == 0 ? 0 : bytes;
  heap_is_locked = outcome == kProtected;
  return outcome != 0;
}

}  // namespace

bool InitializeSecureHeap(std::size_t requested_bytes) {
  if (requested_bytes != 0) {
    return Create(std::bit_ceil(requested_bytes));
  }
  // Without privileges the limit of locked memory is often 8 MiB: a smaller heap that is locked
  // beats a larger one that may be swapped.
  for (std::size_t bytes = kDefaultBytes; bytes >= kMiB; bytes /= 2) {
    if (Create(bytes) && heap_is_locked) {
      return true;
    }
    if (heap_bytes != 0) {
      CRYPTO_secure_malloc_done();
    }
  }
  return Create(kDefaultBytes);
}

SecureHeapInfo DescribeSecureHeap() {
  return {
      .size_bytes = heap_bytes, .used_bytes = CRYPTO_secure_used(), .is_locked = heap_is_locked};
}

}  // namespace keywright
