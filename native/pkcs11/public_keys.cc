#include "pkcs11/public_keys.h"
#include "core/private_buffer.h"
#include "pkcs11/answer.h"
#include "pkcs11/der_integer.h"
#include "pkcs11/key_objects.h"
#include "pkcs11/operations.h"
#include "pkcs11/public_key_der.h"

namespace keywright::pkcs11 {
namespace {

// Two attributes that are bytes, and what they make.
Failure ReadPair(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE first_type,
                 CK_ATTRIBUTE_TYPE second_type,
                 std::optional<DerBytes> (*encode)(Bytes first, Bytes second),
                 std::optional<DerBytes>& encoded) {
  PrivateBuffer first;
  PrivateBuffer second;
  Failure failure = ReadAttribute(session, object, first_type, first);
  if (failure.ok()) {
    failure = ReadAttribute(session, object, second_type, second);
  }
  if (failure.ok()) {
    encoded = encode(first.bytes(), second.bytes());
  }
  return failure;
}

Failure ReadMlDsa(const Session& session, CK_OBJECT_HANDLE object,
                  std::optional<DerBytes>& encoded) {
  CK_ULONG parameter_set = 0;
  PrivateBuffer value;
  Failure failure = ReadNumber(session, object, kAttributeParameterSet, parameter_set);
  if (failure.ok()) {
    failure = ReadAttribute(session, object, CKA_VALUE, value);
  }
  if (failure.ok()) {
    encoded = MlDsaSpki(parameter_set, value.bytes());
  }
  return failure;
}

Failure ReadEncoded(const Session& session, CK_OBJECT_HANDLE object, CK_KEY_TYPE key_type,
                    std::optional<DerBytes>& encoded) {
  switch (key_type) {
    case CKK_RSA:
      return ReadPair(session, object, CKA_MODULUS, CKA_PUBLIC_EXPONENT, RsaSpki, encoded);
    case CKK_EC:
    case kKeyTypeEcEdwards:
      return ReadPair(session, object, CKA_EC_PARAMS, CKA_EC_POINT, CurveSpki, encoded);
    case kKeyTypeMlDsa:
      return ReadMlDsa(session, object, encoded);
    default:
      return {};
  }
}

}  // namespace

Failure ReadPublicKey(const Session& session, CK_OBJECT_HANDLE object, PrivateBuffer& spki) {
  CK_KEY_TYPE key_type = 0;
  std::optional<DerBytes> encoded;
  Failure failure = ReadNumber(session, object, CKA_KEY_TYPE, key_type);
  if (failure.ok()) {
    failure = ReadEncoded(session, object, key_type, encoded);
  }
  if (!failure.ok()) {
    return failure;
  }
  // A key of a kind that Keywright does not know, which somebody else made.
  return encoded ? CopyTo(spki, *encoded) : FailureOf(Reason::kInvalidArgument);
}

Failure ReadModulus(const Session& session, CK_OBJECT_HANDLE object, DerBytes& modulus) {
  PrivateBuffer value;
  const Failure failure = ReadAttribute(session, object, CKA_MODULUS, value);
  const Bytes digits = WithoutLeadingZeros(value.bytes());
  modulus.assign(digits.begin(), digits.end());
  return failure;
}

Reply ExportPublicKey(Session& session, const Request& request) {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  PrivateBuffer spki;
  Failure failure = session.FindObject(CKO_PUBLIC_KEY, request.key_id.bytes(), &object);
  if (failure.ok()) {
    failure = ReadPublicKey(session, object, spki);
  }
  return failure.ok() ? ReplyOf(std::move(spki)) : ReplyOf(failure);
}

}  // namespace keywright::pkcs11
