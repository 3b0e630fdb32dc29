#include <algorithm>
#include <array>

#include "core/asymmetric_type.h"
#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "pkcs11/answer.h"
#include "pkcs11/key_objects.h"
#include "pkcs11/operations.h"
#include "pkcs11/public_key_der.h"
#include "pkcs11/template.h"
#include "pkcs11/temporary_object.h"

// ECDH without a key derivation function (CKM_ECDH1_DERIVE with CKD_NULL): the token makes an
// object of the shared secret, which may be read, and is destroyed when it was.

namespace keywright::pkcs11 {
namespace {

Failure ReadCurve(const Session& session, CK_OBJECT_HANDLE key, KeyType& type) {
  PrivateBuffer parameters;
  Failure failure = ReadAttribute(session, key, CKA_EC_PARAMS, parameters);
  if (!failure.ok()) {
    return failure;
  }
  const std::optional<KeyType> curve = CurveOf(parameters.bytes());
  type = curve.value_or(KeyType::kEd25519);
  return AsymmetricTypeOf(type).family == Family::kEc ? Failure{}
                                                      : FailureOf(Reason::kInvalidArgument);
}

// The point of a key that was sent, uncompressed. Whether it lies on the curve is checked here and
// not left to the token.
Failure PointOf(KeyType type, Bytes peer_spki, DerBytes& point) {
  const Result<KeyPtr> peer = ImportPublicKey(type, peer_spki);
  std::array<std::uint8_t, kMaxSpkiBytes> spki;
  const Result<std::size_t> length =
      peer.ok() ? keywright::ExportPublicKey(*peer.value(), spki) : peer.status();
  if (!length.ok()) {
    return FailureOf(Reason::kInvalidArgument, CKM_ECDH1_DERIVE);
  }
  const Bytes last = Bytes(spki).first(length.value()).last(AsymmetricTypeOf(type).public_bytes);
  point.assign(last.begin(), last.end());
  return {};
}

Failure Derive(const Session& session, CK_OBJECT_HANDLE key, const DerBytes& point,
               std::size_t secret_bytes, TemporaryObject& secret) {
  CK_ECDH1_DERIVE_PARAMS parameters = {.kdf = CKD_NULL,
                                       .ulSharedDataLen = 0,
                                       .pSharedData = nullptr,
                                       .ulPublicDataLen = point.size(),
                                       .pPublicData = InputPointer(point)};
  CK_MECHANISM mechanism = {.mechanism = CKM_ECDH1_DERIVE,
                            .pParameter = &parameters,
                            .ulParameterLen = sizeof(parameters)};
  Template attributes;
  attributes.AddNumber(CKA_CLASS, CKO_SECRET_KEY);
  attributes.AddNumber(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
  attributes.AddFlag(CKA_TOKEN, false);
  attributes.AddFlag(CKA_SENSITIVE, false);
  attributes.AddFlag(CKA_EXTRACTABLE, true);
  attributes.AddNumber(CKA_VALUE_LEN, secret_bytes);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV rv = session.functions()->C_DeriveKey(session.handle(), &mechanism, key,
                                                    attributes.data(), attributes.size(), &object);
  if (rv == CKR_OK) {
    secret.Adopt(object);
  }
  return MechanismAnswer(rv, CKM_ECDH1_DERIVE);
}

// In the width of the field: a module may leave out leading zeros.
Failure ReadSecret(const Session& session, CK_OBJECT_HANDLE secret, std::size_t secret_bytes,
                   PrivateBuffer& out) {
  PrivateBuffer value;
  Failure failure = ReadAttribute(session, secret, CKA_VALUE, value);
  if (failure.ok() && value.bytes().size() > secret_bytes) {
    failure = FailureOf(Reason::kNotOffered, CKM_ECDH1_DERIVE);
  }
  if (failure.ok()) {
    failure = Allocate(secret_bytes, out);
  }
  if (failure.ok()) {
    const std::size_t missing = secret_bytes - value.bytes().size();
    std::fill_n(out.bytes().begin(), missing, std::uint8_t{0});
    CopyBytes(value.bytes(), out.bytes().subspan(missing));
  }
  return failure;
}

Failure AgreeItem(const Session& session, CK_OBJECT_HANDLE key, KeyType type, Bytes peer_spki,
                  PrivateBuffer& out) {
  DerBytes point;
  Failure failure = PointOf(type, peer_spki, point);
  // An uncompressed point is a mark and two coordinates.
  const std::size_t secret_bytes = (AsymmetricTypeOf(type).public_bytes - 1) / 2;
  TemporaryObject secret(session);
  if (failure.ok()) {
    failure = Derive(session, key, point, secret_bytes, secret);
  }
  return failure.ok() ? ReadSecret(session, secret.get(), secret_bytes, out) : failure;
}

}  // namespace

Reply Agree(Session& session, const Request& request) {
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  KeyType type = KeyType::kP256;
  Failure failure = RequireMechanism(session, CKM_ECDH1_DERIVE, CKF_DERIVE);
  if (failure.ok()) {
    failure = session.FindObject(CKO_PRIVATE_KEY, request.key_id.bytes(), &key);
  }
  if (failure.ok()) {
    failure = ReadCurve(session, key, type);
  }
  PrivateBuffer secret;
  if (failure.ok()) {
    failure = AgreeItem(session, key, type, request.common.bytes(), secret);
  }
  return failure.ok() ? ReplyOf(std::move(secret)) : ReplyOf(failure);
}

}  // namespace keywright::pkcs11
