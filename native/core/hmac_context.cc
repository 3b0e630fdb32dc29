#include "core/hmac_context.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "core/key_access.h"
#include "core/library_context.h"

namespace keywright {

bool HmacContext::Start(const Key& key) {
  if (key.id() == key_) {
    return EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1;
  }
  if (!context_) {
    context_.reset(EVP_MAC_CTX_new(Library().hmac));
  }
  if (!context_) {
    return false;
  }
  // libcrypto takes the name through a pointer to non-const, and does not write to it.
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                       const_cast<char*>(DigestName(algorithm_)), 0),
      OSSL_PARAM_construct_end(),
  };
  const Bytes bytes = KeyAccess::BytesOf(key);
  if (EVP_MAC_init(context_.get(), bytes.data(), bytes.size(), parameters) != 1) {
    return false;
  }
  key_ = key.id();
  return true;
}

bool HmacContext::Compute(const Key& key, Bytes data, MutableBytes mac) {
  std::size_t written = 0;
  if (Start(key) &&
      (data.empty() || EVP_MAC_update(context_.get(), data.data(), data.size()) == 1) &&
      EVP_MAC_final(context_.get(), mac.data(), &written, mac.size()) == 1 &&
      written == mac.size()) {
    return true;
  }
  Forget(key_);
  return false;
}

void HmacContext::Forget(KeyId key) {
  if (key != key_) {
    return;
  }
  context_.reset();
  key_ = 0;
}

}  // namespace keywright
