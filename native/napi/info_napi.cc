#include "napi/info_napi.h"

#include <openssl/crypto.h>

#include "core/secure_heap.h"
#include "napi/own_libcrypto.h"

namespace keywright {

Napi::Value Info(const Napi::CallbackInfo& call) {
  const SecureHeapInfo heap = DescribeSecureHeap();
  Napi::Object secure_heap = Napi::Object::New(call.Env());
  secure_heap.Set("sizeBytes", static_cast<double>(heap.size_bytes));
  secure_heap.Set("usedBytes", static_cast<double>(heap.used_bytes));
  secure_heap.Set("isLocked", heap.is_locked);

  Napi::Object info = Napi::Object::New(call.Env());
  info.Set("binding", "napi");
  info.Set("opensslVersion", OpenSSL_version(OPENSSL_VERSION));
  info.Set("isOwnLibcrypto", IsOwnLibcrypto());
  info.Set("secureHeap", secure_heap);
  return info;
}

}  // namespace keywright
