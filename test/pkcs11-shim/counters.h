#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_COUNTERS_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_COUNTERS_H_

#include <array>
#include <cstdint>

#include "function.h"

namespace keywright::shim {

// How often a function was called, and how often a fault befell the call. A file of counters is one
// such record of 40 bytes per function, numbers in the byte order of the machine.
struct Counter {
  std::array<char, 24> name;
  std::uint64_t calls;
  std::uint64_t faults;
};
static_assert(sizeof(Counter) == 40);

using Counters = std::array<Counter, kFunctions>;

// Maps the file of counters at `path` and makes it if there is none; several processes may share
// it. Without a path, or when the file cannot be mapped, the counters live in this process only.
Counters& MapCounters(const char* path);

// Adds one, as other threads and processes may do at the same time.
void Increment(std::uint64_t& count);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_COUNTERS_H_
