#include "core/key_type.h"
#include "pkcs11/answer.h"
#include "pkcs11/key_objects.h"
#include "pkcs11/new_key.h"
#include "pkcs11/operations.h"

namespace keywright::pkcs11 {
namespace {

Failure MakeSecretKey(Session& session, SecretType type, const NewKey& key, std::size_t length) {
  const CK_MECHANISM_TYPE mechanism_type =
      type == SecretType::kHmac ? CKM_GENERIC_SECRET_KEY_GEN : CKM_AES_KEY_GEN;
  if (Failure failure = RequireMechanism(session, mechanism_type, CKF_GENERATE); !failure.ok()) {
    return failure;
  }
  if (Failure failure = RequireFreeId(session, CKO_SECRET_KEY, key.id); !failure.ok()) {
    return failure;
  }
  Template attributes;
  DescribeSecretKey(type, key, attributes);
  attributes.AddNumber(CKA_VALUE_LEN, length);
  CK_MECHANISM mechanism = {
      .mechanism = mechanism_type, .pParameter = nullptr, .ulParameterLen = 0};
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV rv = session.functions()->C_GenerateKey(
      session.handle(), &mechanism, attributes.data(), attributes.size(), &object);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, mechanism_type);
  }
  const Failure failure = VerifyProtection(session, object, key, true);
  if (!failure.ok() && !DestroyObject(session, object)) {
    session.NoteChange();
  }
  return failure;
}

}  // namespace

Reply GenerateSecretKey(Session& session, const Request& request) {
  const std::optional<SecretType> type = SecretTypeFromNumber(request.numbers[0]);
  const std::optional<NewKey> key =
      NewKeyOf(request.key_id.bytes(), request.common.bytes(), request.numbers[1]);
  const std::size_t length = request.numbers[2];
  if (!type || !key || !IsSecretLength(*type, length)) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  return ReplyOf(MakeSecretKey(session, *type, *key, length));
}

}  // namespace keywright::pkcs11
