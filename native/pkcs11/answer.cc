#include "pkcs11/answer.h"

namespace keywright::pkcs11 {

Failure MechanismAnswer(CK_RV rv, CK_MECHANISM_TYPE mechanism) {
  switch (rv) {
    case CKR_ARGUMENTS_BAD:  // SoftHSM, of a hash of OAEP
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_DOMAIN_PARAMS_INVALID:
    case CKR_KEY_SIZE_RANGE:  // SoftHSM, of HMAC keys that are shorter than the digest
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
      return FailureOf(Reason::kNotOffered, mechanism, rv);
    default:
      return ModuleAnswer(rv, mechanism);
  }
}

Failure DecryptionAnswer(const Session& session, CK_RV rv, CK_MECHANISM_TYPE mechanism) {
  switch (rv) {
    case CKR_OK:
      return {};
    case CKR_DATA_INVALID:
    case CKR_DATA_LEN_RANGE:
    case CKR_ENCRYPTED_DATA_INVALID:
    case CKR_ENCRYPTED_DATA_LEN_RANGE:
    case CKR_KEY_SIZE_RANGE:
    case CKR_WRAPPED_KEY_INVALID:
    case CKR_WRAPPED_KEY_LEN_RANGE:
      return FailureOf(Reason::kAuthenticationFailed, mechanism, rv);
    default:
      return rv == session.profile().bad_ciphertext
                 ? FailureOf(Reason::kAuthenticationFailed, mechanism, rv)
                 : ModuleAnswer(rv, mechanism);
  }
}

Failure VerificationAnswer(CK_RV rv, CK_MECHANISM_TYPE mechanism) {
  return rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE
             ? FailureOf(Reason::kAuthenticationFailed, mechanism, rv)
             : ModuleAnswer(rv, mechanism);
}

Failure RequireMechanism(const Session& session, CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) {
  return session.Offers(mechanism, flags) ? Failure{} : FailureOf(Reason::kNotOffered, mechanism);
}

Failure Allocate(std::size_t size, PrivateBuffer& out) {
  Result<PrivateBuffer> buffer = PrivateBuffer::Allocate(size);
  if (!buffer.ok()) {
    return FailureOf(Reason::kOutOfMemory);
  }
  out = std::move(buffer).value();
  return {};
}

Failure CopyTo(PrivateBuffer& out, Bytes bytes) {
  const Failure failure = Allocate(bytes.size(), out);
  if (failure.ok()) {
    CopyBytes(bytes, out.bytes());
  }
  return failure;
}

Reply ReplyOf(Failure failure) {
  Reply reply;
  reply.failure = failure;
  return reply;
}

Reply ReplyOf(PrivateBuffer output) {
  Reply reply;
  reply.outputs.push_back(std::move(output));
  return reply;
}

}  // namespace keywright::pkcs11
