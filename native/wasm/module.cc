#include <openssl/crypto.h>
#include <wasi/api.h>

#include <cerrno>
#include <cstdlib>

#include "core/library_context.h"
#include "core/secure_buffer.h"
#include "core/secure_heap.h"
#include "wasm/slots.h"

// The module as a whole: what it needs of its host, and what the host needs of it before and
// between calls.

extern "C" {

// The one source of entropy of libcrypto (script/openssl). A failure makes every draw fail: there
// is no other source to fall back to.
int getentropy(void* buffer, std::size_t length) {
  if (__wasi_random_get(static_cast<std::uint8_t*>(buffer), length) == __WASI_ERRNO_SUCCESS) {
    return 0;
  }
  errno = EIO;
  return -1;
}

// Emscripten's own says that it locked the memory, which nothing can do from in here.
int mlock(const void* /*address*/, std::size_t /*length*/) {
  errno = ENOSYS;
  return -1;
}

__attribute__((export_name("kw_initialize"))) std::int32_t kw_initialize(
    std::size_t secure_heap_bytes) {
  return keywright::CodeOf(keywright::InitializeLibrary(secure_heap_bytes));
}

// Memory for the arguments of a call; null when there is none left.
__attribute__((export_name("kw_allocate"))) void* kw_allocate(std::size_t size) {
  return std::malloc(size);
}

__attribute__((export_name("kw_free"))) void kw_free(void* memory, std::size_t size) {
  keywright::Cleanse({static_cast<std::uint8_t*>(memory), size});
  std::free(memory);
}

__attribute__((export_name("kw_opensslVersion"))) const char* kw_opensslVersion() {
  return OpenSSL_version(OPENSSL_VERSION);
}

__attribute__((export_name("kw_secureHeapSize"))) std::size_t kw_secureHeapSize() {
  return keywright::DescribeSecureHeap().size_bytes;
}

__attribute__((export_name("kw_secureHeapUsed"))) std::size_t kw_secureHeapUsed() {
  return keywright::DescribeSecureHeap().used_bytes;
}

}  // extern "C"
