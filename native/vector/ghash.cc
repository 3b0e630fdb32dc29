#include "vector/ghash.h"

#include "vector/byte_map.h"

namespace keywright::vector {
namespace {

// An element of GHASH's field is a polynomial whose coefficient of x^0 is the highest bit of the
// first byte: multiplying by x shifts towards the end, and x^128 = x^7 + x^2 + x + 1. A byte of the
// second half of a product thus becomes two bytes of the first.
constexpr Map MakeReduction(unsigned shift) {
  Map map{};
  for (unsigned byte = 0; byte < map.size(); ++byte) {
    const unsigned two_bytes = byte << 8;
    const unsigned product = two_bytes ^ two_bytes >> 1 ^ two_bytes >> 2 ^ two_bytes >> 7;
    map[byte] = static_cast<std::uint8_t>(product >> shift);
  }
  return map;
}
constexpr TablePair kReductionHere = TablesOfHalves(MakeReduction(8));
constexpr TablePair kReductionNext = TablesOfHalves(MakeReduction(0));

inline Vector InterleaveFirst(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

inline Vector InterleaveLast(Vector a, Vector b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}

// The 32 bytes of `before` and `vector`, moved by one towards the end: what is then in the second
// half.
inline Vector MoveOn(Vector before, Vector vector) {
  return __builtin_shufflevector(before, vector, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
                                 28, 29, 30);
}

// Twice as long as an element: a product before its reduction.
struct Product {
  Vector first = Splat(0);
  Vector second = Splat(0);

  // Multiplies by x^8.
  void MoveOneByte() {
    second = MoveOn(first, second);
    first = MoveOn(Splat(0), first);
  }

  // Multiplies by x^4.
  void MoveHalfByte() {
    Product low{LowHalvesUp(first), LowHalvesUp(second)};
    low.MoveOneByte();
    first = HighHalves(first) ^ low.first;
    second = HighHalves(second) ^ low.second;
  }

 private:
  static Vector LowHalvesUp(Vector bytes) {
    using Words __attribute__((vector_size(16))) = std::uint16_t;
    return reinterpret_cast<Vector>(reinterpret_cast<Words>(LowHalves(bytes)) << 4);
  }
};

inline Vector Reduce(const Product& product) {
  const Pair halves = HalvesOf(product.second);
  const Vector next = Apply(kReductionNext, halves);
  // What its last byte adds to the second half goes the same way once more.
  const Pair again = HalvesOf(MoveOn(next, Splat(0)));
  return product.first ^ Apply(kReductionHere, halves) ^ Apply(kReductionHere, again) ^
         MoveOn(Splat(0), next ^ Apply(kReductionNext, again));
}

}  // namespace

GhashKey::GhashKey(const std::uint8_t* multiples, const VectorBytes& place_of_byte) {
  std::array<Vector, kVectorBytes> matrix;
  for (std::size_t n = 0; n < matrix.size(); ++n) {
    matrix[n] = Load(multiples + n * kVectorBytes);
  }
  // Each pass rotates the bits of (row, column) by one: four of them swap rows with columns.
  for (int pass = 0; pass < 4; ++pass) {
    std::array<Vector, kVectorBytes> interleaved;
    for (std::size_t n = 0; n < matrix.size() / 2; ++n) {
      interleaved[2 * n] = InterleaveFirst(matrix[n], matrix[n + 8]);
      interleaved[2 * n + 1] = InterleaveLast(matrix[n], matrix[n + 8]);
    }
    matrix = interleaved;
  }
  for (std::size_t byte = 0; byte < rows_.size(); ++byte) {
    rows_[byte] = matrix[place_of_byte[byte]];
  }
}

Vector GhashKey::Multiply(Vector element) const {
  const Pair halves = HalvesOf(element);
  Product of_high;
  Product of_low;
  for (std::size_t byte = rows_.size(); byte-- > 0;) {
    of_high.MoveOneByte();
    of_low.MoveOneByte();
    of_high.first ^= LookUp(rows_[byte], halves.second);
    of_low.first ^= LookUp(rows_[byte], halves.first);
  }
  of_low.MoveHalfByte();
  of_high.first ^= of_low.first;
  of_high.second ^= of_low.second;
  return Reduce(of_high);
}

Vector GhashKey::Hash(Vector hash, const std::uint8_t* in, std::size_t blocks) const {
  for (; blocks > 0; --blocks) {
    hash = Multiply(hash ^ Load(in));
    in += kVectorBytes;
  }
  return hash;
}

}  // namespace keywright::vector
