#include "pkcs11/perform.h"

#include <algorithm>
#include <iterator>

#include "pkcs11/answer.h"
#include "pkcs11/operations.h"

namespace keywright::pkcs11 {
namespace {

struct Entry {
  Operation operation;
  Reply (*perform)(Session&, const Request&);
  // `common` is the CKA_ID of a second key that takes part.
  bool has_second_key = false;
};

constexpr Entry kOperations[] = {
    {Operation::kGenerateRandom, GenerateRandom},
    {Operation::kGenerateSecretKey, GenerateSecretKey},
    {Operation::kFindKeys, FindKeys},
    {Operation::kDestroyKey, DestroyKey},
    {Operation::kEncryptGcm, EncryptGcm},
    {Operation::kDecryptGcm, DecryptGcm},
};

// A handle from the cache whose object somebody else destroyed, or that the module gave up.
bool IsStaleHandle(CK_RV rv) {
  return rv == CKR_KEY_HANDLE_INVALID || rv == CKR_OBJECT_HANDLE_INVALID ||
         rv == CKR_WRAPPING_KEY_HANDLE_INVALID || rv == CKR_UNWRAPPING_KEY_HANDLE_INVALID;
}

}  // namespace

Reply Perform(Session& session, const Request& request) {
  const Entry* const entry =
      std::find_if(std::begin(kOperations), std::end(kOperations),
                   [&](const Entry& one) { return one.operation == request.operation; });
  if (entry == std::end(kOperations)) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  Reply reply = entry->perform(session, request);
  if (!IsStaleHandle(reply.failure.rv)) {
    return reply;
  }
  session.ForgetObjects(request.key_id.bytes());
  if (entry->has_second_key) {
    session.ForgetObjects(request.common.bytes());
  }
  return entry->perform(session, request);
}

}  // namespace keywright::pkcs11
