#ifndef KEYWRIGHT_PKCS11_PUBLIC_KEY_DER_H_
#define KEYWRIGHT_PKCS11_PUBLIC_KEY_DER_H_

#include <optional>

#include "core/bytes.h"
#include "core/der.h"
#include "core/key_type.h"
#include "pkcs11/cryptoki.h"

// SubjectPublicKeyInfo (RFC 5280 §4.1) from the attributes of public keys. What a token gives is
// taken for no more than bytes: whether a point lies on its curve is for those to check who import
// the key.

namespace keywright::pkcs11 {

// CKA_EC_PARAMS (the object identifier) of a type on a curve, Ed25519 included.
Bytes EcParametersOf(KeyType type);
// The type with these CKA_EC_PARAMS; the name of PKCS#11 3.0 does for Ed25519 too.
std::optional<KeyType> CurveOf(Bytes ec_parameters);

// All: nothing when the attributes make no key.

std::optional<DerBytes> RsaSpki(Bytes modulus, Bytes public_exponent);
// `ec_point` as the standard has it, in an OCTET STRING, or bare.
std::optional<DerBytes> CurveSpki(Bytes ec_parameters, Bytes ec_point);
// CKA_PARAMETER_SET and CKA_VALUE.
std::optional<DerBytes> MlDsaSpki(CK_ULONG parameter_set, Bytes value);

struct RsaNumbers {
  Bytes modulus;
  Bytes public_exponent;
};
// What is in a SubjectPublicKeyInfo of RSA, without leading zeros; nothing when it is none.
std::optional<RsaNumbers> RsaNumbersOf(Bytes spki);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_PUBLIC_KEY_DER_H_
