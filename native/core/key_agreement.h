#ifndef KEYWRIGHT_CORE_KEY_AGREEMENT_H_
#define KEYWRIGHT_CORE_KEY_AGREEMENT_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"

namespace keywright {

// P-521.
inline constexpr std::size_t kMaxSharedSecretBytes = 66;

// ECDH (SP 800-56A §5.7.1.2; the cofactors are 1) with the SubjectPublicKeyInfo of the other side:
// the x-coordinate in the width of the field (P-256 and SM2 32 bytes, P-384 48, P-521 66), at the
// front of `out`. Returns its length. kWrongKeyType for keys of other types and public ones,
// kInvalidKey when `peer_spki` is no public key of the same curve.
Result<std::size_t> Ecdh(const Key& key, Bytes peer_spki, MutableBytes out);

// ML-KEM (FIPS 203).
inline constexpr std::size_t kKemSecretBytes = 32;

// Bytes of a ciphertext: 768, 1088 or 1568; 0 for types that are no ML-KEM.
std::size_t KemCiphertextBytes(KeyType type);

// A fresh shared secret and its encapsulation, in outputs of exactly these sizes. Takes private and
// public keys.
Status Encapsulate(const Key& key, MutableBytes shared_secret, MutableBytes ciphertext);

// kInvalidArgument when the ciphertext has another length. One that was not made for this key gives
// a shared secret too, that nobody else knows (implicit rejection).
Status Decapsulate(const Key& key, Bytes ciphertext, MutableBytes shared_secret);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_AGREEMENT_H_
