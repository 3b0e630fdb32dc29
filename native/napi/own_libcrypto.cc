#include "napi/own_libcrypto.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace keywright {
namespace {

// The loaded object that holds `address`; null when none does.
const void* ObjectOf(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

}  // namespace

bool IsOwnLibcrypto() {
  const void* own = ObjectOf(reinterpret_cast<const void*>(&IsOwnLibcrypto));
  const void* libcrypto = ObjectOf(reinterpret_cast<const void*>(&EVP_CIPHER_fetch));
  return own != nullptr && own == libcrypto && OpenSSL_version_num() == OPENSSL_VERSION_NUMBER;
}

}  // namespace keywright
