#ifndef KEYWRIGHT_CORE_SIGNATURE_H_
#define KEYWRIGHT_CORE_SIGNATURE_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"

// Digital signatures as AWS KMS makes them.

namespace keywright {

// The numbers are those of src/core/codes.ts.
enum class SignatureAlgorithm : std::uint8_t {
  kRsassaPssSha256 = 1,  // RFC 8017; MGF1 with the same hash, salt as long as the hash
  kRsassaPssSha384 = 2,
  kRsassaPssSha512 = 3,
  kRsassaPkcs1V15Sha256 = 4,
  kRsassaPkcs1V15Sha384 = 5,
  kRsassaPkcs1V15Sha512 = 6,
  kEcdsaSha256 = 7,       // FIPS 186-5, as DER; P-256 and secp256k1
  kEcdsaSha384 = 8,       // P-384
  kEcdsaSha512 = 9,       // P-521
  kEd25519Sha512 = 10,    // RFC 8032, PureEdDSA
  kEd25519PhSha512 = 11,  // RFC 8032, Ed25519ph with an empty context
  kMlDsaShake256 = 12,    // FIPS 204, pure and hedged, with an empty context
  kSm2Dsa = 13,           // GB/T 32918.2 with SM3 and the identity 1234567812345678, as DER
};

// What the message of a call is. The numbers are those of src/core/codes.ts.
enum class MessageType : std::uint8_t {
  kRaw = 1,
  // Its digest, which is not hashed again. Of SM2, SM3(Z ‖ message). For Ed25519ph, which takes
  // nothing else, the digest is the message: it is hashed by the prehash, as in AWS KMS.
  kDigest = 2,
  kExternalMu = 3,  // µ of FIPS 204 §5.2, 64 bytes; ML-DSA only
};

std::optional<SignatureAlgorithm> SignatureAlgorithmFromNumber(std::uint32_t number);
std::optional<MessageType> MessageTypeFromNumber(std::uint32_t number);

// ML-DSA-87.
inline constexpr std::size_t kMaxSignatureBytes = 4627;

// Bytes of the longest signature of the key, or more; 0 for a symmetric key.
std::size_t SignatureRoom(const Key& key);

// Both: kWrongKeyType when the algorithm is none of the key's, kInvalidArgument when it takes no
// messages of that type, kInvalidLength when a digest or µ has another length than the algorithm's.

// Writes the signature at the front of `out`, which has at least SignatureRoom bytes, and returns
// its length. kWrongKeyType for a public key.
Result<std::size_t> Sign(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                         Bytes message, MutableBytes out);

// False for whatever is no signature, malformed ones included. Takes private and public keys.
Result<bool> Verify(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                    Bytes message, Bytes signature);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_SIGNATURE_H_
