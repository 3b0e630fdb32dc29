// The tables of https://docs.aws.amazon.com/cloudhsm/latest/userguide/pkcs11-mechanisms.html,
// without what its note 5 disallows for clusters in FIPS mode: Triple DES, and RSA PKCS #1 v1.5 for
// encrypting and wrapping. What SoftHSM2 does not have either, such as CKM_ECDSA_SHA256 or
// CKM_RSA_AES_KEY_WRAP, is listed all the same: the module refuses it.
#include "cloudhsm_mechanisms.h"

#include <algorithm>
#include <array>
#include <utility>

namespace keywright::shim {
namespace {

constexpr Mechanism Same(CK_MECHANISM_TYPE type, CK_FLAGS uses, CK_ULONG max_data = 0) {
  return {.type = type, .uses = uses, .max_data = max_data, .module_type = type};
}

constexpr Mechanism Mapped(CK_MECHANISM_TYPE type, CK_FLAGS uses, CK_MECHANISM_TYPE module_type,
                           CK_ULONG max_data = 0) {
  return {.type = type, .uses = uses, .max_data = max_data, .module_type = module_type};
}

constexpr CK_ULONG kMaxGcm = 16224;

constexpr auto kMechanisms = std::to_array<Mechanism>({
    Same(CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR),
    Mapped(CKM_RSA_X9_31_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR, CKM_RSA_PKCS_KEY_PAIR_GEN),
    Same(CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR),
    Same(CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE),
    Same(CKM_AES_KEY_GEN, CKF_GENERATE),
    Same(CKM_RSA_X_509, kSignUse | kCipherUse),
    Same(CKM_RSA_PKCS, kSignUse),
    Same(CKM_RSA_PKCS_PSS, kSignUse),
    Same(CKM_SHA1_RSA_PKCS, kSignUse),
    Same(CKM_SHA224_RSA_PKCS, kSignUse),
    Same(CKM_SHA256_RSA_PKCS, kSignUse),
    Same(CKM_SHA384_RSA_PKCS, kSignUse),
    Same(CKM_SHA512_RSA_PKCS, kSignUse),
    Same(CKM_SHA1_RSA_PKCS_PSS, kSignUse),
    Same(CKM_SHA224_RSA_PKCS_PSS, kSignUse),
    Same(CKM_SHA256_RSA_PKCS_PSS, kSignUse),
    Same(CKM_SHA384_RSA_PKCS_PSS, kSignUse),
    Same(CKM_SHA512_RSA_PKCS_PSS, kSignUse),
    Same(CKM_ECDSA, kSignUse),
    Same(CKM_ECDSA_SHA1, kSignUse),
    Same(CKM_ECDSA_SHA224, kSignUse),
    Same(CKM_ECDSA_SHA256, kSignUse),
    Same(CKM_ECDSA_SHA384, kSignUse),
    Same(CKM_ECDSA_SHA512, kSignUse),
    Same(CKM_SHA_1_HMAC, kSignUse, 16288),
    Same(CKM_SHA224_HMAC, kSignUse, 16256),
    Same(CKM_SHA256_HMAC, kSignUse, 16288),
    Same(CKM_SHA384_HMAC, kSignUse, 16224),
    Same(CKM_SHA512_HMAC, kSignUse, 16224),
    Same(CKM_AES_CMAC, kSignUse),
    Same(CKM_SHA_1, CKF_DIGEST),
    Same(CKM_SHA224, CKF_DIGEST),
    Same(CKM_SHA256, CKF_DIGEST),
    Same(CKM_SHA384, CKF_DIGEST),
    Same(CKM_SHA512, CKF_DIGEST),
    Same(CKM_RSA_PKCS_OAEP, kCipherUse | kWrapUse),
    Same(CKM_AES_ECB, kCipherUse),
    Same(CKM_AES_CTR, kCipherUse),
    Same(CKM_AES_CBC, kCipherUse, 16272),
    Same(CKM_AES_CBC_PAD, kCipherUse),
    // Both wrap keys too, which no version of SoftHSM2 can do.
    Same(CKM_AES_GCM, kCipherUse, kMaxGcm),
    Mapped(kCloudHsmAesGcm, kCipherUse, CKM_AES_GCM, kMaxGcm),
    Same(CKM_ECDH1_DERIVE, CKF_DERIVE),
    Same(CKM_RSA_AES_KEY_WRAP, kWrapUse),
    Mapped(kCloudHsmWrapNoPad, kWrapUse, CKM_AES_KEY_WRAP),
    Mapped(kCloudHsmWrapZeroPad, kWrapUse, CKM_AES_KEY_WRAP_PAD),
});

constexpr auto kOaepPairs = std::to_array<std::pair<CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE>>({
    {CKM_SHA_1, CKG_MGF1_SHA1},
    {CKM_SHA224, CKG_MGF1_SHA224},
    {CKM_SHA256, CKG_MGF1_SHA256},
    {CKM_SHA384, CKG_MGF1_SHA384},
    {CKM_SHA512, CKG_MGF1_SHA512},
});

}  // namespace

std::span<const Mechanism> Mechanisms() { return kMechanisms; }

const Mechanism* FindMechanism(CK_MECHANISM_TYPE type, CK_FLAGS uses) {
  const auto* const found =
      std::find_if(kMechanisms.begin(), kMechanisms.end(), [&](const Mechanism& mechanism) {
        return mechanism.type == type && (mechanism.uses & uses) != 0;
      });
  return found == kMechanisms.end() ? nullptr : found;
}

bool IsOaepPair(const CK_MECHANISM& mechanism) {
  if (mechanism.pParameter == nullptr ||
      mechanism.ulParameterLen != sizeof(CK_RSA_PKCS_OAEP_PARAMS)) {
    return false;
  }
  const auto& params = *static_cast<const CK_RSA_PKCS_OAEP_PARAMS*>(mechanism.pParameter);
  return std::find(kOaepPairs.begin(), kOaepPairs.end(), std::pair(params.hashAlg, params.mgf)) !=
         kOaepPairs.end();
}

}  // namespace keywright::shim
