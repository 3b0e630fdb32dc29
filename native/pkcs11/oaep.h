#ifndef KEYWRIGHT_PKCS11_OAEP_H_
#define KEYWRIGHT_PKCS11_OAEP_H_

#include <cstddef>
#include <cstdint>

#include "pkcs11/cryptoki.h"

namespace keywright::pkcs11 {

enum class OaepHash : std::uint8_t { kSha1, kSha256 };

constexpr std::size_t OaepHashBytes(OaepHash hash) { return hash == OaepHash::kSha1 ? 20 : 32; }

// RSAES-OAEP (RFC 8017 §7.1) with MGF1 of the same hash and an empty label, to encrypt and to wrap
// with.
class OaepMechanism {
 public:
  explicit OaepMechanism(OaepHash hash)
      : parameters_{.hashAlg = hash == OaepHash::kSha1 ? CKM_SHA_1 : CKM_SHA256,
                    .mgf = hash == OaepHash::kSha1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256,
                    .source = CKZ_DATA_SPECIFIED,
                    .pSourceData = nullptr,
                    .ulSourceDataLen = 0},
        mechanism_{.mechanism = CKM_RSA_PKCS_OAEP,
                   .pParameter = &parameters_,
                   .ulParameterLen = sizeof(parameters_)} {}
  // It points into itself.
  OaepMechanism(const OaepMechanism&) = delete;
  OaepMechanism& operator=(const OaepMechanism&) = delete;
  ~OaepMechanism() = default;

  CK_MECHANISM_PTR get() { return &mechanism_; }
  CK_RSA_PKCS_OAEP_PARAMS_PTR parameters() { return &parameters_; }

 private:
  CK_RSA_PKCS_OAEP_PARAMS parameters_;
  CK_MECHANISM mechanism_;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_OAEP_H_
