#ifndef KEYWRIGHT_PKCS11_PROFILE_H_
#define KEYWRIGHT_PKCS11_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pkcs11/cryptoki.h"

namespace keywright::pkcs11 {

// How a token wants to be spoken to where modules differ: one row of the table in profile.cc for
// each vendor. The numbers are those of src/pkcs11/codes.ts.
enum class ProfileCode : std::uint32_t { kGeneric = 1, kSoftHsm = 2, kCloudHsm = 3, kNss = 4 };

struct Profile {
  ProfileCode code;
  std::string_view name;
  // The HSM makes the IV of GCM and writes it over the caller's twelve zero bytes.
  bool makes_gcm_iv;
  // Largest plaintext of GCM and message of HMAC in one call, in bytes; 0 for no limit but memory.
  std::size_t max_data_bytes;
  // What a ciphertext or wrapped key that does not fit is answered with, besides the return values
  // that PKCS#11 has for it; CKR_OK when the module keeps to those.
  CK_RV bad_ciphertext;
  // The mechanisms that wrap as RFC 3394 (AES-KW) and RFC 5649 (AES-KWP) say.
  CK_MECHANISM_TYPE kw_mechanism;
  CK_MECHANISM_TYPE kwp_mechanism;
  // The module pads with zeros itself before it wraps by RFC 5649, which then takes them for a part
  // of the key: only keys of whole semiblocks (8 bytes) are wrapped that way.
  bool kwp_needs_semiblocks;
};

// Null when no profile has the number.
const Profile* FindProfile(std::uint32_t code);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_PROFILE_H_
