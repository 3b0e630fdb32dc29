#ifndef KEYWRIGHT_VECTOR_GHASH_H_
#define KEYWRIGHT_VECTOR_GHASH_H_

// GHASH of NIST SP 800-38D by vector permutations: no address and no branch depends on hash key or
// data. For WebAssembly, which has no carry-less multiplication.

#include <array>
#include <cstddef>
#include <cstdint>

#include "vector/vector.h"

namespace keywright::vector {

// Products of the hash key, made ready for lookups.
class GhashKey {
 public:
  // `multiples` are the products of the hash key by every polynomial of degree 3 or less, 16 bytes
  // each, at the place that has the coefficient of x^0 as its highest bit of four. Byte r of a
  // product, in the order of SP 800-38D, is byte `place_of_byte[r]` there.
  GhashKey(const std::uint8_t* multiples, const VectorBytes& place_of_byte);

  // The running hash after it took in `blocks` blocks of `in`.
  Vector Hash(Vector hash, const std::uint8_t* in, std::size_t blocks) const;

  Vector Multiply(Vector element) const;

 private:
  // Row r holds byte r of each product.
  std::array<Vector, kVectorBytes> rows_;
};

}  // namespace keywright::vector

#endif  // KEYWRIGHT_VECTOR_GHASH_H_
