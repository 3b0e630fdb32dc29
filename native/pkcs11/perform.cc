#include "pkcs11/perform.h"

#include <algorithm>
#include <iterator>

#include "core/vector_registers.h"
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
    {Operation::kGenerateKeyPair, GenerateKeyPair},
    {Operation::kFindKeys, FindKeys},
    {Operation::kDestroyKey, DestroyKey},
    {Operation::kExportPublicKey, ExportPublicKey},
    {Operation::kWrapKey, WrapKey},
    {Operation::kUnwrapKey, UnwrapKey},
    {Operation::kEncryptGcm, EncryptGcm},
    {Operation::kDecryptGcm, DecryptGcm},
    {Operation::kGenerateMac, GenerateMac},
    {Operation::kVerifyMac, VerifyMac},
    {Operation::kSign, Sign},
    {Operation::kVerify, Verify},
    {Operation::kRsaEncrypt, RsaEncrypt},
    {Operation::kRsaDecrypt, RsaDecrypt},
    {Operation::kAgree, Agree},
    {Operation::kImportPublicKey, ImportPublicKey},
};

}  // namespace

Reply Perform(Session& session, const Request& request) {
  const Entry* const entry =
      std::find_if(std::begin(kOperations), std::end(kOperations),
                   [&](const Entry& one) { return one.operation == request.operation; });
  if (entry == std::end(kOperations)) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  Reply reply = entry->perform(session, request);
  ClearVectorRegisters();
  return reply;
}

}  // namespace keywright::pkcs11
