#ifndef KEYWRIGHT_TEST_TESTING_H_
#define KEYWRIGHT_TEST_TESTING_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/key.h"

namespace keywright {

using Vector = std::vector<std::uint8_t>;
using Sizes = std::initializer_list<std::size_t>;

Vector FromHex(std::string_view hex);
Vector Concat(std::initializer_list<Bytes> parts);
// For sets: g++ 12 warns of the comparison of two Vectors in them, wrongly.
inline std::string AsString(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
inline Vector Copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// A key that must be possible to make.
KeyPtr MakeKey(KeyType type, Bytes bytes);
KeyPtr FreshKey(KeyType type, std::size_t length);
inline KeyPtr FreshKey(KeyType type) { return FreshKey(type, KeyBytesOf(type)); }

// Numbers that follow from the seed, which main prints and KEYWRIGHT_TEST_SEED sets.
class Generator {
 public:
  Generator();
  std::size_t Number(std::size_t min, std::size_t max);
  Vector Octets(std::size_t length);
  Vector Octets(std::size_t min, std::size_t max) { return Octets(Number(min, max)); }

 private:
  std::mt19937_64 engine_;
};

std::uint64_t TestSeed();

}  // namespace keywright

#endif  // KEYWRIGHT_TEST_TESTING_H_
