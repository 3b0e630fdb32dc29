#ifndef KEYWRIGHT_PKCS11_DER_INTEGER_H_
#define KEYWRIGHT_PKCS11_DER_INTEGER_H_

#include <optional>

#include "core/bytes.h"
#include "core/der.h"

// Numbers as tokens have them (unsigned, big-endian) and as DER has them.

namespace keywright::pkcs11 {

Bytes WithoutLeadingZeros(Bytes number);

// INTEGER of the number; leading zeros of `number` do not matter.
DerBytes DerUnsigned(Bytes number);

// The next INTEGER, without leading zeros: empty for 0. Nothing when it is negative, or longer than
// DER would write it.
std::optional<Bytes> ReadDerUnsigned(DerReader& reader);

// Ecdsa-Sig-Value (RFC 3279 §2.2.3) of r‖s, and back. Nothing when `raw` is no two halves, or `der`
// no two numbers that fit `width` bytes each.
std::optional<DerBytes> EcdsaDer(Bytes raw);
std::optional<DerBytes> EcdsaRaw(Bytes der, std::size_t width);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_DER_INTEGER_H_
