#ifndef KEYWRIGHT_VECTOR_BYTE_MAP_H_
#define KEYWRIGHT_VECTOR_BYTE_MAP_H_

// Functions of a byte, computed on sixteen bytes at once by lookups in tables of 16 entries.

#include <array>
#include <cstddef>
#include <cstdint>

#include "vector/vector.h"

namespace keywright::vector {

// A linear map of bytes, by all its values.
using Map = std::array<std::uint8_t, 256>;

// Two tables, whose lookups are added.
struct TablePair {
  alignas(kVectorBytes) VectorBytes first;
  alignas(kVectorBytes) VectorBytes second;
};

struct Pair {
  Vector first;
  Vector second;
};

inline Vector Apply(const TablePair& tables, Pair indices) {
  return LookUp(Load(tables.first.data()), indices.first) ^
         LookUp(Load(tables.second.data()), indices.second);
}

inline Vector LowHalves(Vector bytes) { return bytes & Splat(0x0f); }

inline Vector HighHalves(Vector bytes) {
  using Words __attribute__((vector_size(16))) = std::uint16_t;
  return reinterpret_cast<Vector>(reinterpret_cast<Words>(bytes) >> 4) & Splat(0x0f);
}

inline Pair HalvesOf(Vector bytes) { return {LowHalves(bytes), HighHalves(bytes)}; }

// `map` by lookups of the halves of a byte.
constexpr TablePair TablesOfHalves(const Map& map) {
  TablePair tables{};
  for (std::size_t n = 0; n < kVectorBytes; ++n) {
    tables.first[n] = map[n];
    tables.second[n] = map[n << 4];
  }
  return tables;
}

}  // namespace keywright::vector

#endif  // KEYWRIGHT_VECTOR_BYTE_MAP_H_
