#include "core/gcm_context.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "core/key_access.h"
#include "core/library_context.h"

namespace keywright {

bool GcmContext::StartWith(Bytes key, GcmNonce nonce) {
  if (!context_) {
    context_.reset(EVP_CIPHER_CTX_new());
  }
  // The cipher is named only when it changes: naming it makes libcrypto tear the context down and
  // build it anew.
  const EVP_CIPHER* cipher = nullptr;
  if (!key.empty() && key.size() != key_bytes_) {
    key_bytes_ = key.size();
    cipher = key_bytes_ == kAes128KeyBytes ? Library().aes_128_gcm : Library().aes_256_gcm;
  }
  return context_ && EVP_CipherInit_ex2(context_.get(), cipher, key.data(), nonce.data(),
                                        static_cast<int>(direction_), nullptr) == 1;
}

bool GcmContext::Start(const Key& key, GcmNonce nonce) {
  const bool is_keyed = key.id() == key_;
  if (!StartWith(is_keyed ? Bytes() : KeyAccess::BytesOf(key), nonce)) {
    Reset();
    return false;
  }
  key_ = key.id();
  return true;
}

bool GcmContext::Start(std::span<const std::uint8_t, kAes256KeyBytes> one_time_key,
                       GcmNonce nonce) {
  key_ = 0;
  if (StartWith(one_time_key, nonce)) {
    return true;
  }
  Reset();
  return false;
}

bool GcmContext::Authenticate(Bytes aad) {
  int ignored = 0;
  return aad.empty() || EVP_CipherUpdate(context_.get(), nullptr, &ignored, aad.data(),
                                         static_cast<int>(aad.size())) == 1;
}

bool GcmContext::Process(Bytes in, std::uint8_t* out) {
  int written = 0;
  return in.empty() || EVP_CipherUpdate(context_.get(), out, &written, in.data(),
                                        static_cast<int>(in.size())) == 1;
}

bool GcmContext::FinishEncrypt(std::span<std::uint8_t, kGcmTagBytes> tag) {
  int ignored = 0;
  std::uint8_t nothing = 0;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
      OSSL_PARAM_construct_end(),
  };
  return EVP_CipherFinal_ex(context_.get(), &nothing, &ignored) == 1 &&
         EVP_CIPHER_CTX_get_params(context_.get(), parameters) == 1;
}

bool GcmContext::FinishDecrypt(std::span<const std::uint8_t, kGcmTagBytes> tag) {
  int ignored = 0;
  std::uint8_t nothing = 0;
  // libcrypto takes the tag to check through a pointer to non-const, and does not write to it.
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
                                        const_cast<std::uint8_t*>(tag.data()), tag.size()),
      OSSL_PARAM_construct_end(),
  };
  return EVP_CIPHER_CTX_set_params(context_.get(), parameters) == 1 &&
         EVP_CipherFinal_ex(context_.get(), &nothing, &ignored) == 1;
}

void GcmContext::Reset() {
  context_.reset();
  key_bytes_ = 0;
  key_ = 0;
}

}  // namespace keywright
