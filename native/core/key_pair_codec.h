#ifndef KEYWRIGHT_CORE_KEY_PAIR_CODEC_H_
#define KEYWRIGHT_CORE_KEY_PAIR_CODEC_H_

#include <cstddef>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"
#include "core/secure_buffer.h"

// Key pairs, made or read from and written to their standard forms.

namespace keywright {

// Largest SubjectPublicKeyInfo (ML-DSA-87: 2614 bytes) and PrivateKeyInfo (RSA-4096: at most 2376)
// of any type, with room to spare.
inline constexpr std::size_t kMaxSpkiBytes = 4096;
inline constexpr std::size_t kMaxPkcs8Bytes = 8192;

// kInvalidArgument for a symmetric type.
Result<KeyPtr> GenerateKeyPair(KeyType type);

// A PrivateKeyInfo (PKCS#8, RFC 5208) without encryption; for Ed25519, ML-DSA and ML-KEM also the
// seed alone (32, 32 and 64 bytes). kInvalidKey for all but a key of exactly `type` whose parts fit
// each other: other sizes, other or spelled-out curves, trailing bytes, RSA with more than two
// primes or a public exponent that is even, below 2^16 or above 2^64.
Result<KeyPtr> ImportPrivateKey(KeyType type, Bytes encoded);

// A SubjectPublicKeyInfo (RFC 5280 §4.1), DER. kInvalidKey for all but a public key of exactly
// `type`; a point may be compressed, and must lie on the curve.
Result<KeyPtr> ImportPublicKey(KeyType type, Bytes spki);

// Writes the SubjectPublicKeyInfo of a private or public key at the front of `out`; returns its
// length.
Result<std::size_t> ExportPublicKey(const Key& key, MutableBytes out);

// The PrivateKeyInfo: of ML-KEM in the seed form of RFC 9935. kWrongKeyType for a public key, and
// for ML-DSA, whose keys nobody takes out.
Result<SecureBuffer> ExportPrivateKey(const Key& key);

// The private key as it lies inside wrapped keys: the seed where the type has one and the key knows
// it (an expanded key of FIPS 203/204 otherwise), else a PrivateKeyInfo. kWrongKeyType for a public
// key.
Result<SecureBuffer> PrivateFormOf(const Key& key);
// Whether a private form may have that length.
bool IsPrivateFormLength(KeyType type, std::size_t length);
// Trusts what it reads, which was authenticated: only the type is checked.
Result<KeyPtr> KeyFromPrivateForm(KeyType type, Bytes form);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_PAIR_CODEC_H_
