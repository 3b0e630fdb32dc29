#include "pkcs11/profile.h"

#include <algorithm>
#include <array>

namespace keywright::pkcs11 {
namespace {

// CloudHSM documents 16,224 bytes for GCM and for HMAC with SHA-384 and SHA-512, and up to 64 more
// for the other hashes: the smallest number serves all.
constexpr std::size_t kCloudHsmDataBytes = 16224;

constexpr std::array kProfiles = {
    // Takes nothing for granted that PKCS#11 leaves open. CKM_AES_KEY_WRAP_PAD is not used: it is
    // RFC 5649 in some modules, and PKCS padding in others.
    Profile{.code = ProfileCode::kGeneric,
            .name = "generic",
            .makes_gcm_iv = false,
            .max_data_bytes = 0,
            .bad_ciphertext = CKR_OK,
            .kw_mechanism = CKM_AES_KEY_WRAP,
            .kwp_mechanism = kMechanismAesKeyWrapKwp,
            .kwp_needs_semiblocks = false},
    Profile{.code = ProfileCode::kSoftHsm,
            .name = "softhsm",
            .makes_gcm_iv = false,
            .max_data_bytes = 0,
            .bad_ciphertext = CKR_GENERAL_ERROR,
            .kw_mechanism = CKM_AES_KEY_WRAP,
            .kwp_mechanism = CKM_AES_KEY_WRAP_PAD,
            .kwp_needs_semiblocks = true},
    Profile{.code = ProfileCode::kCloudHsm,
            .name = "cloudhsm",
            .makes_gcm_iv = true,
            .max_data_bytes = kCloudHsmDataBytes,
            .bad_ciphertext = CKR_OK,
            .kw_mechanism = kMechanismCloudHsmKeyWrapNoPad,
            .kwp_mechanism = kMechanismCloudHsmKeyWrapZeroPad,
            .kwp_needs_semiblocks = false},
    Profile{.code = ProfileCode::kNss,
            .name = "nss",
            .makes_gcm_iv = false,
            .max_data_bytes = 0,
            .bad_ciphertext = CKR_OK,
            .kw_mechanism = CKM_AES_KEY_WRAP,
            .kwp_mechanism = kMechanismAesKeyWrapKwp,
            .kwp_needs_semiblocks = false},
};

}  // namespace

const Profile* FindProfile(std::uint32_t code) {
  const auto* const found = std::find_if(
      kProfiles.begin(), kProfiles.end(),
      [code](const Profile& profile) { return static_cast<std::uint32_t>(profile.code) == code; });
  return found == kProfiles.end() ? nullptr : found;
}

}  // namespace keywright::pkcs11
