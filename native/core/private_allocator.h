#ifndef KEYWRIGHT_CORE_PRIVATE_ALLOCATOR_H_
#define KEYWRIGHT_CORE_PRIVATE_ALLOCATOR_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <cstdlib>

#include "core/private_heap.h"

namespace keywright {

// Allocator for containers and shared objects in the private heap: for what one thread makes and
// another frees. Threads pass blocks of that heap on in groups; with malloc each free would go to
// the arena of the other thread. Without memory the process ends, as with operator new.
template <typename T>
struct PrivateAllocator {
  using value_type = T;

  PrivateAllocator() = default;
  template <typename Other>
  PrivateAllocator(const PrivateAllocator<Other>& /*other*/) {
  }  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    static_assert(alignof(T) <= 16);
    void* memory = OPENSSL_malloc(count * sizeof(T));
    if (memory == nullptr) {
      std::abort();
    }
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { FreePrivate(memory, count * sizeof(T)); }

  bool operator==(const PrivateAllocator& /*other*/) const { return true; }
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PRIVATE_ALLOCATOR_H_
