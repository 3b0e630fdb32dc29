#ifndef KEYWRIGHT_CORE_SECURE_HEAP_H_
#define KEYWRIGHT_CORE_SECURE_HEAP_H_

#include <cstddef>

namespace keywright {

// The heap of OPENSSL_secure_malloc: between guard pages, locked into memory where the system
// allows it, left out of core dumps, cleansed on free. It never grows: when it is full, making a
// key fails with kOutOfSecureMemory.
struct SecureHeapInfo {
  std::size_t size_bytes;
  std::size_t used_bytes;
  bool is_locked;  // mlock was granted: the pages are never swapped
};

// `requested_bytes`, rounded up to a power of two, whether it can be locked or not. With 0: 16 MiB,
// or the largest power of two from 1 MiB that can be locked, or 16 MiB unlocked. False when not
// even the address space is to be had.
bool InitializeSecureHeap(std::size_t requested_bytes);

SecureHeapInfo DescribeSecureHeap();

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_SECURE_HEAP_H_
