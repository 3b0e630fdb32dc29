#ifndef KEYWRIGHT_CORE_PRIVATE_HEAP_H_
#define KEYWRIGHT_CORE_PRIVATE_HEAP_H_

#include <cstddef>

namespace keywright {

// The ordinary heap of this binary's libcrypto, which holds what SecureBuffer cannot: the numbers
// of private keys, their Montgomery forms, temporaries of signatures, DER on its way in and out.
// Like the secure heap it is locked where the system allows it, left out of core dumps, and every
// block is wiped when it is freed; unlike it, it grows, and threads allocate from lists of their
// own. Nothing outside of our copy of libcrypto is affected.

struct PrivateHeapInfo {
  bool is_active;
  std::size_t mapped_bytes;
  std::size_t locked_bytes;
};

// Before anything of libcrypto allocates; false when it is too late. Does nothing, and is true,
// under sanitizers (which watch malloc) and in WebAssembly (which has no pages to protect).
bool InstallPrivateHeap();

PrivateHeapInfo DescribePrivateHeap();

// Gives back what OPENSSL_malloc gave (or null), wiped: by this heap, once, or before it goes where
// this heap is not.
void FreePrivate(void* block, std::size_t size);

// Whether the address lies in the heap. For tests.
bool IsInPrivateHeap(const void* address);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PRIVATE_HEAP_H_
