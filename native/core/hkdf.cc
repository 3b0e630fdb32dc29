#include "core/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

// libcrypto takes inputs through pointers to non-const, and does not write to them; a null pointer
// is no value to it, and empty spans have one.
OSSL_PARAM Octets(const char* name, Bytes value) {
  static constexpr std::uint8_t kNothing = 0;
  const std::uint8_t* data = value.empty() ? &kNothing : value.data();
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(data), value.size());
}

bool IsInput(Bytes value, MutableBytes out) {
  return value.size() <= kMaxHkdfInputBytes && !Overlaps(out, value);
}

}  // namespace

Status Hkdf(DigestAlgorithm algorithm, Bytes key_material, Bytes salt, Bytes info,
            MutableBytes out) {
  constexpr std::size_t kMaxBlocks = 255;
  if (out.empty() || out.size() > kMaxBlocks * DigestSize(algorithm) ||
      !IsInput(key_material, out) || !IsInput(salt, out) || !IsInput(info, out)) {
    return Status::kInvalidArgument;
  }
  const EvpKdfCtxPtr kdf(EVP_KDF_CTX_new(Library().hkdf));
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                       const_cast<char*>(DigestName(algorithm)), 0),
      Octets(OSSL_KDF_PARAM_KEY, key_material),
      Octets(OSSL_KDF_PARAM_SALT, salt),
      Octets(OSSL_KDF_PARAM_INFO, info),
      OSSL_PARAM_construct_end(),
  };
  if (kdf && EVP_KDF_derive(kdf.get(), out.data(), out.size(), parameters) == 1) {
    return Status::kOk;
  }
  Cleanse(out);
  return Fail(Status::kLibcryptoFailed);
}

}  // namespace keywright
