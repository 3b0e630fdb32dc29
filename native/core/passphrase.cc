#include "core/passphrase.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <utility>

#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/secure_buffer.h"

namespace keywright {

Result<KeyPtr> DeriveKeyFromPassphrase(Bytes passphrase, Bytes salt, PassphraseCost cost) {
  if (passphrase.empty() || passphrase.size() > kMaxPassphraseBytes ||
      salt.size() < kMinSaltBytes || salt.size() > kMaxSaltBytes ||
      cost.memory_kib < kMinArgonMemoryKiB || cost.memory_kib > kMaxArgonMemoryKiB ||
      cost.iterations < 1 || cost.iterations > kMaxArgonIterations) {
    return Status::kInvalidArgument;
  }
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(kAes256KeyBytes);
  if (!bytes.ok()) {
    return bytes.status();
  }
  const EvpKdfCtxPtr kdf(EVP_KDF_CTX_new(Library().argon2id));
  std::uint32_t one = 1;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_PASSWORD, const_cast<std::uint8_t*>(passphrase.data()), passphrase.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<std::uint8_t*>(salt.data()),
                                        salt.size()),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &cost.iterations),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_MEMCOST, &cost.memory_kib),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ARGON2_LANES, &one),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_THREADS, &one),
      OSSL_PARAM_construct_end(),
  };
  const MutableBytes out = bytes.value().bytes();
  if (!kdf || EVP_KDF_derive(kdf.get(), out.data(), out.size(), parameters) != 1) {
    return Fail(Status::kLibcryptoFailed);
  }
  return Key::Adopt(KeyType::kBacking, std::move(bytes).value());
}

}  // namespace keywright
