#ifndef KEYWRIGHT_VECTOR_GHASH_H_
#define KEYWRIGHT_VECTOR_GHASH_H_

// GHASH of NIST SP 800-38D by vector permutations: no address and no branch depends on hash key or
// data. For WebAssembly, which has no carry-less multiplication.

#include <cstddef>
#include <cstdint>

namespace keywright::vector {

// The products of the hash key and all polynomials of degree 3 or less, as libcrypto's
// gcm_init_4bit makes them on a little-endian machine: 16 products of 16 bytes, at the index whose
// highest bit of four is the coefficient of x^0. Each is two numbers of 64 bits, the first of which
// has the coefficient of x^0 as its highest bit.
constexpr std::size_t kGhashProductsBytes = 256;

// Multiplies `hash`, 16 bytes, by the hash key.
void GhashMultiply(const std::uint8_t* products, std::uint8_t* hash);

// Takes `blocks` blocks of `in` into `hash`, 16 bytes.
void GhashUpdate(const std::uint8_t* products, std::uint8_t* hash, const std::uint8_t* in,
                 std::size_t blocks);

}  // namespace keywright::vector

#endif  // KEYWRIGHT_VECTOR_GHASH_H_
