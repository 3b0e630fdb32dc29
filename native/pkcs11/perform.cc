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
};

constexpr Entry kOperations[] = {
    {Operation::kGenerateRandom, GenerateRandom},
    {Operation::kGenerateSecretKey, GenerateSecretKey},
    {Operation::kFindKeys, FindKeys},
    {Operation::kDestroyKey, DestroyKey},
    {Operation::kEncryptGcm, EncryptGcm},
    {Operation::kDecryptGcm, DecryptGcm},
};

}  // namespace

Reply Perform(Session& session, const Request& request) {
  const Entry* const entry =
      std::find_if(std::begin(kOperations), std::end(kOperations),
                   [&](const Entry& one) { return one.operation == request.operation; });
  if (entry == std::end(kOperations)) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  return entry->perform(session, request);
}

}  // namespace keywright::pkcs11
