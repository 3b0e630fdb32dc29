#ifndef KEYWRIGHT_VECTOR_AES_TABLES_H_
#define KEYWRIGHT_VECTOR_AES_TABLES_H_

// The tables of aes.cc, derived by the compiler from the definition of AES (FIPS 197) after Mike
// Hamburg, "Accelerating AES with Vector Permute Instructions" (CHES 2009): no number here was
// taken from elsewhere.
//
// A table of a vector lookup has 16 entries, so the S-box, which inverts in a field of 256
// elements, is computed in a field of 16. AES's field is isomorphic to the tower: elements are
// i + k*s, a byte with k in its high half, where i and k are of GF(2)[y]/(y^4 + y + 1), and
// s^2 = s + a. With j = i + k and N = i^2 + i*k + a*k^2:
//
//   1/(i + k*s) = (j + k*s) / N
//   u = 1/(1/i + 1/(a*k)) + j   has 1/u = (i + a*k) / N
//   v = 1/(1/j + 1/(a*k)) + i   has 1/v = (j + a*k) / N
//   1/(i + k*s) = (a + s)/u + (1 + a + s)/v
//
// The last line is one lookup for u and one for v, and a linear map of the result only changes what
// the tables hold. Zeros: 1/0 is kInfinity, which stays recognizable when a number is added to it,
// and for which a lookup gives 0.

#include <array>
#include <cstddef>
#include <cstdint>

#include "vector/byte_map.h"

namespace keywright::vector {

using Byte = std::uint8_t;

constexpr Byte kInfinity = 0x80;

// The product of two polynomials over GF(2), reduced by the polynomial `modulus` of that degree.
constexpr Byte Multiply(Byte a, Byte b, unsigned modulus, unsigned degree) {
  unsigned product = 0;
  unsigned shifted = a;
  for (unsigned bits = b; bits != 0; bits >>= 1) {
    product ^= (bits & 1) != 0 ? shifted : 0;
    shifted <<= 1;
    shifted ^= (shifted >> degree) != 0 ? modulus : 0;
  }
  return static_cast<Byte>(product);
}

// In the field of AES, modulo x^8 + x^4 + x^3 + x + 1.
constexpr Byte AesMultiply(Byte a, Byte b) { return Multiply(a, b, 0x11b, 8); }

// In the field of 16 elements, modulo y^4 + y + 1.
constexpr Byte SmallMultiply(Byte a, Byte b) { return Multiply(a, b, 0x13, 4); }

constexpr Byte SmallInverse(Byte n) {
  Byte inverse = 1;
  while (SmallMultiply(n, inverse) != 1) {
    ++inverse;
  }
  return inverse;
}

// The a of s^2 = s + a: the first for which no element of the small field solves that.
constexpr Byte FindTowerConstant() {
  for (Byte a = 1;; ++a) {
    bool is_solved = false;
    for (Byte n = 0; n < 16; ++n) {
      is_solved |= (SmallMultiply(n, n) ^ n) == a;
    }
    if (!is_solved) {
      return a;
    }
  }
}
constexpr Byte kTowerConstant = FindTowerConstant();

constexpr Byte TowerMultiply(Byte x, Byte y) {
  const Byte i = x & 0xf;
  const Byte k = x >> 4;
  const Byte other_i = y & 0xf;
  const Byte other_k = y >> 4;
  const Byte both = SmallMultiply(k, other_k);
  const unsigned low = SmallMultiply(i, other_i) ^ SmallMultiply(kTowerConstant, both);
  const unsigned high = SmallMultiply(i, other_k) ^ SmallMultiply(k, other_i) ^ both;
  return static_cast<Byte>((high << 4) | low);
}

// What x of AES's field is in the tower: the first root there of AES's polynomial.
constexpr Byte FindRoot() {
  for (Byte root = 2;; ++root) {
    const Byte square = TowerMultiply(root, root);
    const Byte fourth = TowerMultiply(square, square);
    const Byte third = TowerMultiply(square, root);
    if ((TowerMultiply(fourth, fourth) ^ fourth ^ third ^ root ^ 1) == 0) {
      return root;
    }
  }
}

constexpr Map MakeToTower() {
  Map map{};
  const Byte root = FindRoot();
  Byte power = 1;
  for (std::size_t bit = 1; bit < map.size(); bit <<= 1) {
    for (std::size_t rest = 0; rest < bit; ++rest) {
      map[bit + rest] = map[rest] ^ power;
    }
    power = TowerMultiply(power, root);
  }
  return map;
}

constexpr Map Inverse(const Map& map) {
  Map inverse{};
  for (std::size_t byte = 0; byte < map.size(); ++byte) {
    inverse[map[byte]] = static_cast<Byte>(byte);
  }
  return inverse;
}

// `second` of `first`.
constexpr Map Compose(const Map& second, const Map& first) {
  Map map{};
  for (std::size_t byte = 0; byte < map.size(); ++byte) {
    map[byte] = second[first[byte]];
  }
  return map;
}

// The linear part of the affine map of the S-box; its constant is kAffineConstant.
constexpr Map MakeAffine() {
  Map map{};
  for (unsigned byte = 0; byte < map.size(); ++byte) {
    const unsigned twice = byte << 8 | byte;
    map[byte] = static_cast<Byte>(byte ^ twice >> 7 ^ twice >> 6 ^ twice >> 5 ^ twice >> 4);
  }
  return map;
}
constexpr Byte kAffineConstant = 0x63;

constexpr Map Times(Byte factor) {
  Map map{};
  for (std::size_t byte = 0; byte < map.size(); ++byte) {
    map[byte] = AesMultiply(static_cast<Byte>(byte), factor);
  }
  return map;
}

constexpr Map kToTower = MakeToTower();
constexpr Map kFromTower = Inverse(kToTower);
constexpr Map kAffine = MakeAffine();
constexpr Map kFromAffine = Inverse(kAffine);

// `map` of the inverse of an element of the tower: lookups by u, and by v.
constexpr TablePair InverseThen(const Map& map) {
  constexpr Byte kFirstFactor = 0x10 | kTowerConstant;
  constexpr Byte kSecondFactor = kFirstFactor ^ 1;
  TablePair tables{};
  for (Byte n = 1; n < kVectorBytes; ++n) {
    tables.first[n] = map[TowerMultiply(kFirstFactor, SmallInverse(n))];
    tables.second[n] = map[TowerMultiply(kSecondFactor, SmallInverse(n))];
  }
  return tables;
}

// factor/n for each n of the small field.
constexpr VectorBytes Quotients(Byte factor) {
  VectorBytes quotients{};
  quotients[0] = kInfinity;
  for (Byte n = 1; n < kVectorBytes; ++n) {
    quotients[n] = SmallMultiply(factor, SmallInverse(n));
  }
  return quotients;
}

}  // namespace keywright::vector

#endif  // KEYWRIGHT_VECTOR_AES_TABLES_H_
