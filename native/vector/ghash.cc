#include "vector/ghash.h"

#include <array>
#include <utility>

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

// Sixteen vectors: row r holds byte r, in the order of SP 800-38D, of each product of the hash key.
using Matrix = std::array<Vector, kVectorBytes>;

using Rows = std::make_index_sequence<kVectorBytes>;

// Moves the element at row r and column c to where the bits of (r, c), eight of them, are rotated
// by one.
template <std::size_t... kRow>
inline Matrix Interleave(const Matrix& matrix, std::index_sequence<kRow...> /*rows*/) {
  return {(kRow % 2 == 0 ? InterleaveFirst(matrix[kRow / 2], matrix[kRow / 2 + 8])
                         : InterleaveLast(matrix[kRow / 2], matrix[kRow / 2 + 8]))...};
}

// Without loops, as Interleave is: so the compiler keeps what is in between out of memory.
template <std::size_t... kRow>
inline Matrix RowsOf(const std::uint8_t* products, std::index_sequence<kRow...> rows) {
  Matrix matrix = {Load(products + kRow * kVectorBytes)...};
  // Four times, which exchanges rows and columns.
  matrix = Interleave(Interleave(Interleave(Interleave(matrix, rows), rows), rows), rows);
  // The bytes of a number of 64 bits are the other way around.
  return {matrix[kRow < 8 ? 7 - kRow : 23 - kRow]...};
}

inline Vector Multiply(const Matrix& rows, Vector element) {
  const Pair halves = HalvesOf(element);
  Product of_high;
  Product of_low;
  // A loop, though the rows then lie in memory: twice as fast as without, where registers run out.
  for (std::size_t byte = rows.size(); byte-- > 0;) {
    of_high.MoveOneByte();
    of_low.MoveOneByte();
    of_high.first ^= LookUp(rows[byte], halves.second);
    of_low.first ^= LookUp(rows[byte], halves.first);
  }
  of_low.MoveHalfByte();
  of_high.first ^= of_low.first;
  of_high.second ^= of_low.second;
  return Reduce(of_high);
}

}  // namespace

void GhashMultiply(const std::uint8_t* products, std::uint8_t* hash) {
  constexpr std::array<std::uint8_t, kVectorBytes> kNothing{};
  GhashUpdate(products, hash, kNothing.data(), 1);
}

void GhashUpdate(const std::uint8_t* products, std::uint8_t* hash, const std::uint8_t* in,
                 std::size_t blocks) {
  Matrix rows = RowsOf(products, Rows());
  Vector running = Load(hash);
  for (; blocks > 0; --blocks) {
    running = Multiply(rows, running ^ Load(in));
    in += kVectorBytes;
  }
  Store(running, hash);
  rows.fill(Splat(0));
  // The compiler must think that somebody reads it, or it leaves the hash key on the stack.
  __asm__ volatile("" : : "r"(rows.data()) : "memory");
}

}  // namespace keywright::vector
