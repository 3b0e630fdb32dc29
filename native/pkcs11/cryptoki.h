#ifndef KEYWRIGHT_PKCS11_CRYPTOKI_H_
#define KEYWRIGHT_PKCS11_CRYPTOKI_H_

// The names of PKCS#11 2.40, from the headers of the npm package pkcs11js, and those of later
// versions that Keywright uses.

#include <pkcs11/pkcs11.h>

namespace keywright::pkcs11 {

// PKCS#11 3.0, section 2.3.14 (EdDSA) and 2.14.3 (AES key wrap with padding of RFC 5649).
inline constexpr CK_KEY_TYPE kKeyTypeEcEdwards = 0x40;
inline constexpr CK_MECHANISM_TYPE kMechanismEcEdwardsKeyPairGen = 0x1055;
inline constexpr CK_MECHANISM_TYPE kMechanismEddsa = 0x1057;
inline constexpr CK_MECHANISM_TYPE kMechanismAesKeyWrapKwp = 0x210b;

// PKCS#11 3.2, section 6.67 (ML-DSA).
inline constexpr CK_KEY_TYPE kKeyTypeMlDsa = 0x4a;
inline constexpr CK_ATTRIBUTE_TYPE kAttributeParameterSet = 0x61d;
inline constexpr CK_MECHANISM_TYPE kMechanismMlDsaKeyPairGen = 0x1c;
inline constexpr CK_MECHANISM_TYPE kMechanismMlDsa = 0x1d;

// AWS CloudHSM's key wrap of RFC 3394 and RFC 5649 (Client SDK 5, pkcs11t.h).
inline constexpr CK_MECHANISM_TYPE kMechanismCloudHsmKeyWrapNoPad = 0x80002109;
inline constexpr CK_MECHANISM_TYPE kMechanismCloudHsmKeyWrapZeroPad = 0x8000216f;

inline constexpr CK_MECHANISM_TYPE kNoMechanism = CK_UNAVAILABLE_INFORMATION;

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_CRYPTOKI_H_
