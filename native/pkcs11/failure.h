#ifndef KEYWRIGHT_PKCS11_FAILURE_H_
#define KEYWRIGHT_PKCS11_FAILURE_H_

#include <cstdint>

#include "pkcs11/cryptoki.h"

namespace keywright::pkcs11 {

// Why a request has no result. The numbers are those of src/pkcs11/codes.ts (a test compares the
// two files); a number never changes its meaning.
//
// Laid out by hand, because LLVM 15 takes an enum with an attribute for a braced list.
// clang-format off
enum class [[nodiscard]] Reason : std::uint32_t {
  kNone = 0,
  // The module answered with the return value that goes with this reason.
  kModule = 1,
  // Arguments that no token could make sense of: a bug of the caller.
  kInvalidArgument = 2,
  // No key of that class has the id.
  kKeyNotFound = 3,
  // The token does not offer the mechanism, or not with these parameters; `mechanism` names it.
  kNotOffered = 4,
  // A ciphertext, wrapped key, MAC or signature is not what the key made.
  kAuthenticationFailed = 5,
  // More data than the token takes in one request (profile.h).
  kTooLong = 6,
  // A key that was just made can be read or exported although it must not; it was destroyed.
  kNotProtected = 7,
  // As many requests wait as may wait; nothing was done.
  kQueueFull = 8,
  // The time was over; whether the token did the work is unknown.
  kTimedOut = 9,
  // The token cannot be reached at present and was not asked; the circuit is open.
  kUnavailable = 10,
  // The token was closed.
  kClosed = 11,
  // The module cannot be loaded, or is none.
  kNoModule = 12,
  // No token has the label, or no slot the id.
  kNoToken = 13,
  // The token refused the PIN: the return value tells which way.
  kPinRefused = 14,
  kOutOfMemory = 15,
  // An id that must be free is taken.
  kKeyExists = 16,
  // The helper process with the module ended before it answered; its parent says so.
  kHelperEnded = 17,
};
// clang-format on

// `rv` is the module's return value where it has a part in the failure, else CKR_OK; `mechanism`
// the one that was asked for, where there was one.
struct [[nodiscard]] Failure {
  Reason reason = Reason::kNone;
  CK_RV rv = CKR_OK;
  CK_MECHANISM_TYPE mechanism = kNoMechanism;

  bool ok() const { return reason == Reason::kNone; }
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_FAILURE_H_
