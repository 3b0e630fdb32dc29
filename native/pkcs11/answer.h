#ifndef KEYWRIGHT_PKCS11_ANSWER_H_
#define KEYWRIGHT_PKCS11_ANSWER_H_

#include <utility>

#include "core/private_buffer.h"
#include "pkcs11/failure.h"
#include "pkcs11/request.h"
#include "pkcs11/session.h"

// From the return values of a module to failures and replies.

namespace keywright::pkcs11 {

constexpr Failure FailureOf(Reason reason, CK_MECHANISM_TYPE mechanism = kNoMechanism,
                            CK_RV rv = CKR_OK) {
  return {.reason = reason, .rv = rv, .mechanism = mechanism};
}

// Of a call that any return value but CKR_OK makes fail.
constexpr Failure ModuleAnswer(CK_RV rv, CK_MECHANISM_TYPE mechanism = kNoMechanism) {
  return rv == CKR_OK ? Failure{} : FailureOf(Reason::kModule, mechanism, rv);
}

// Of a call that names a mechanism and its parameters (C_…Init, C_GenerateKey, C_WrapKey, …), with
// arguments that are right: a module that finds fault with them does not know the parameters.
Failure MechanismAnswer(CK_RV rv, CK_MECHANISM_TYPE mechanism);

// Of a call that decrypts or unwraps what the caller brought.
Failure DecryptionAnswer(const Session& session, CK_RV rv, CK_MECHANISM_TYPE mechanism);

// Of a call that verifies what the caller brought.
Failure VerificationAnswer(CK_RV rv, CK_MECHANISM_TYPE mechanism);

// Of a call that says it wrote `written` bytes: kModule with CKR_BUFFER_TOO_SMALL when there was
// less `room`, which a module that works would have answered itself.
constexpr Failure RoomAnswer(CK_ULONG written, std::size_t room,
                             CK_MECHANISM_TYPE mechanism = kNoMechanism) {
  return ModuleAnswer(written > room ? CKR_BUFFER_TOO_SMALL : CKR_OK, mechanism);
}

// kNotOffered unless the token lists the mechanism with `flags`.
Failure RequireMechanism(const Session& session, CK_MECHANISM_TYPE mechanism, CK_FLAGS flags);

Failure Allocate(std::size_t size, PrivateBuffer& out);
Failure CopyTo(PrivateBuffer& out, Bytes bytes);

Reply ReplyOf(Failure failure);
Reply ReplyOf(PrivateBuffer output);

// Whether the failure says something about one item, and nothing about the next.
constexpr bool IsOfItem(const Failure& failure) {
  return failure.reason == Reason::kAuthenticationFailed ||
         failure.reason == Reason::kInvalidArgument || failure.reason == Reason::kTooLong;
}

// Does `each(Bytes item, PrivateBuffer& output)` for every item of the request. A failure that is
// not of one item ends it.
template <typename Each>
Reply ForEachItem(const Request& request, Each each) {
  Reply reply;
  reply.outputs.resize(request.items.size());
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    const Failure failure = each(request.items[i].bytes(), reply.outputs[i]);
    if (failure.ok()) {
      continue;
    }
    if (!IsOfItem(failure)) {
      return ReplyOf(failure);
    }
    reply.failures.resize(request.items.size());
    reply.failures[i] = failure;
  }
  return reply;
}

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_ANSWER_H_
