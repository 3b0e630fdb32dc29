#ifndef KEYWRIGHT_FUZZ_HOSTILE_MODULE_H_
#define KEYWRIGHT_FUZZ_HOSTILE_MODULE_H_

#include <cstddef>
#include <vector>

#include "fuzz/fuzzing.h"
#include "pkcs11/cryptoki.h"

namespace keywright::fuzz {

// A PKCS#11 module of one token in which an input decides each answer. Where the input has a zero,
// or has ended, the answer is honest: there is every mechanism, and every key that was asked for.
// Elsewhere return values, lengths, counts and attributes are anything. It never writes beyond the
// room that it was given, since that could not be survived. There is one at a time.
class HostileModule {
 public:
  // What the keys are that have been there before.
  enum class Kind : std::uint8_t { kRsa, kP256, kEd25519, kMlDsa, kSecret, kCount };

  // `ids` are those of keys that have been there before.
  HostileModule(Input answers, Kind kind, std::vector<Vector> ids);
  HostileModule(const HostileModule&) = delete;
  HostileModule& operator=(const HostileModule&) = delete;
  ~HostileModule();

  CK_FUNCTION_LIST_PTR functions();

  // Objects that were made in it and not destroyed.
  std::size_t objects_left() const;
};

inline constexpr char kTokenLabel[] = "token";

}  // namespace keywright::fuzz

#endif  // KEYWRIGHT_FUZZ_HOSTILE_MODULE_H_
