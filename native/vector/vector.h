#ifndef KEYWRIGHT_VECTOR_VECTOR_H_
#define KEYWRIGHT_VECTOR_VECTOR_H_

// Sixteen bytes that are computed with at once: SIMD of WebAssembly, and SSSE3 of x86-64, on which
// the same code is tested and looked through by valgrind. The compiler has their operators
// (^, &, >>); here is the rest.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSSE3__)
#include <tmmintrin.h>
#else
#error "compile with -msimd128 for WebAssembly, or with -mssse3 for x86-64"
#endif

namespace keywright::vector {

using Vector __attribute__((vector_size(16))) = std::uint8_t;

constexpr std::size_t kVectorBytes = sizeof(Vector);
using VectorBytes = std::array<std::uint8_t, kVectorBytes>;

inline Vector Load(const std::uint8_t* bytes) {
  Vector loaded;
  std::memcpy(&loaded, bytes, kVectorBytes);
  return loaded;
}

inline void Store(Vector vector, std::uint8_t* bytes) { std::memcpy(bytes, &vector, kVectorBytes); }

// `byte` sixteen times.
inline Vector Splat(std::uint8_t byte) {
  VectorBytes bytes;
  bytes.fill(byte);
  return Load(bytes.data());
}

// For each byte of `indices`, from 0 to 15, that byte of `table`; 0 where its highest bit is set.
// Sixteen table lookups in one instruction, which reads no memory.
inline Vector LookUp(Vector table, Vector indices) {
#if defined(__wasm_simd128__)
  return reinterpret_cast<Vector>(
      wasm_i8x16_swizzle(reinterpret_cast<v128_t>(table), reinterpret_cast<v128_t>(indices)));
#else
  return reinterpret_cast<Vector>(
      _mm_shuffle_epi8(reinterpret_cast<__m128i>(table), reinterpret_cast<__m128i>(indices)));
#endif
}

}  // namespace keywright::vector

#endif  // KEYWRIGHT_VECTOR_VECTOR_H_
