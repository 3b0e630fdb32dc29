#ifndef KEYWRIGHT_CORE_PUBLIC_ENCRYPTION_H_
#define KEYWRIGHT_CORE_PUBLIC_ENCRYPTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"
#include "core/secure_buffer.h"

namespace keywright {

// The numbers are those of src/core/codes.ts.
enum class EncryptionAlgorithm : std::uint8_t {
  kRsaesOaepSha1 = 1,  // RFC 8017 §7.1; MGF1 with the same hash, empty label
  kRsaesOaepSha256 = 2,
  kSm2Pke = 3,      // GB/T 32918.4 with SM3; ciphertext as the DER structure of GM/T 0009
  kRsaesPkcs1 = 4,  // RFC 8017 §7.2; unwrapping of imported keys only
};

std::optional<EncryptionAlgorithm> EncryptionAlgorithmFromNumber(std::uint32_t number);

inline constexpr std::size_t kMaxSm2PlaintextBytes = 1024;
// The longest of all: SM2 of 1024 bytes; RSA-4096 gives 512.
inline constexpr std::size_t kMaxPublicCiphertextBytes = 1280;

// Bytes of the longest ciphertext of the key, or more; 0 for a key that does not encrypt.
std::size_t PublicCiphertextRoom(const Key& key);

// Writes the ciphertext at the front of `out`, which has at least PublicCiphertextRoom bytes, and
// returns its length. Takes private and public keys. kInvalidArgument when the plaintext is empty
// (SM2) or longer than the scheme allows (RSA: modulus - 2 × hash - 2 bytes), and for kRsaesPkcs1.
Result<std::size_t> PublicEncrypt(const Key& key, EncryptionAlgorithm algorithm, Bytes plaintext,
                                  MutableBytes out);

// kAuthenticationFailed for whatever does not decrypt. kWrongKeyType for a public key. The result
// has no bytes (and no memory) when the plaintext is empty.
Result<SecureBuffer> PrivateDecrypt(const Key& key, EncryptionAlgorithm algorithm,
                                    Bytes ciphertext);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PUBLIC_ENCRYPTION_H_
