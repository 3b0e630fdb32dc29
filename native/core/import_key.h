#ifndef KEYWRIGHT_CORE_IMPORT_KEY_H_
#define KEYWRIGHT_CORE_IMPORT_KEY_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"

// Key material that a customer brings, encrypted to a wrapping key that never leaves the core.

namespace keywright {

// The numbers are those of src/core/codes.ts.
enum class WrappingAlgorithm : std::uint8_t {
  kRsaesOaepSha1 = 1,
  kRsaesOaepSha256 = 2,
  // OAEP of a fresh AES-256 key, in the length of the modulus, and the material wrapped under that
  // key by RFC 5649 (CKM_RSA_AES_KEY_WRAP of PKCS#11).
  kRsaAesKeyWrapSha1 = 3,
  kRsaAesKeyWrapSha256 = 4,
  kRsaesPkcs1V15 = 5,
  kSm2Pke = 6,
};

std::optional<WrappingAlgorithm> WrappingAlgorithmFromNumber(std::uint32_t number);

// Decrypts the material and makes a key of `type` of it: a symmetric key of `length` bytes (0: of
// any length that the type has), a key pair from its PrivateKeyInfo (`length` is not looked at).
// kWrongKeyType when the wrapping key has no such algorithm or is public, kAuthenticationFailed
// when the material cannot be decrypted, kInvalidKey when what came out is no key of that type and
// length.
Result<KeyPtr> UnwrapImported(const Key& wrapping_key, WrappingAlgorithm algorithm, Bytes wrapped,
                              KeyType type, std::size_t length);

// Recognises key material that comes a second time: HMAC-SHA-256, under the kHmac key
// `fingerprint_key`, of "keywright/material/v1" ‖ 0x00 ‖ type ‖ secret form. `out` has 32 bytes.
Status MaterialFingerprint(const Key& fingerprint_key, const Key& key, MutableBytes out);
inline constexpr std::size_t kFingerprintBytes = 32;

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_IMPORT_KEY_H_
