#ifndef KEYWRIGHT_CORE_ASYMMETRIC_TYPE_H_
#define KEYWRIGHT_CORE_ASYMMETRIC_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/bytes.h"
#include "core/key_type.h"

namespace keywright {

enum class Family : std::uint8_t { kRsa, kEc, kEd25519, kSm2, kMlDsa, kMlKem };

// What tells one type of key pair from the others.
struct AsymmetricType {
  Family family;
  const char* name;   // of the key type in libcrypto
  const char* group;  // of an elliptic curve; else null
  std::size_t bits;   // of an RSA modulus; else 0
  // Bytes inside the BIT STRING of the SubjectPublicKeyInfo (a point uncompressed); 0 for RSA,
  // where they are a structure of their own.
  std::size_t public_bytes;
  std::size_t seed_bytes;  // Ed25519 and FIPS 203/204: the private key in its short form; else 0
  std::size_t expanded_bytes;  // FIPS 203/204: the private key in its long form; else 0
  std::string_view algorithm;  // AlgorithmIdentifier, DER; empty for RSA
};

// Precondition: IsAsymmetric(type).
const AsymmetricType& AsymmetricTypeOf(KeyType type);

inline constexpr std::size_t kAsymmetricTypeCount = 15;

// From 0, for tables; of one that AsymmetricTypeOf gave.
std::size_t AsymmetricIndex(const AsymmetricType& type);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_ASYMMETRIC_TYPE_H_
