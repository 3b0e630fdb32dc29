#ifndef KEYWRIGHT_CORE_STATUS_H_
#define KEYWRIGHT_CORE_STATUS_H_

#include <cstdint>

namespace keywright {

// Results of the core. The numbers are those of src/core/status.ts (a test compares the two files);
// a number never changes its meaning, new ones are added at the end.
//
// Laid out by hand, because LLVM 15 takes an enum with an attribute for a braced list.
// clang-format off
enum class [[nodiscard]] Status : std::int32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kBufferTooSmall = 2,
  kWrongKeyType = 3,
  kDestroyedKey = 4,
  kAuthenticationFailed = 5,
  kRandomFailed = 6,
  kOutOfSecureMemory = 7,
  kLibcryptoFailed = 8,
  kInvalidKey = 9,
  kInvalidLength = 10,
};
// clang-format on

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_STATUS_H_
