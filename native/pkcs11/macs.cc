#include "core/digest_algorithm.h"
#include "core/secure_buffer.h"
#include "pkcs11/answer.h"
#include "pkcs11/operations.h"
#include "pkcs11/template.h"

// HMAC (PKCS#11 2.40, section 2.22), of the full length of the digest.

namespace keywright::pkcs11 {
namespace {

constexpr CK_MECHANISM_TYPE kMechanisms[] = {CKM_SHA224_HMAC, CKM_SHA256_HMAC, CKM_SHA384_HMAC,
                                             CKM_SHA512_HMAC};

struct Mac {
  CK_MECHANISM mechanism;
  std::size_t size;
};

Failure CheckLength(const Session& session, const Mac& mac, std::size_t length) {
  const std::size_t limit = session.profile().max_data_bytes;
  const bool fits = length <= kMaxDataBytes && (limit == 0 || length <= limit);
  return fits ? Failure{} : FailureOf(Reason::kTooLong, mac.mechanism.mechanism);
}

Failure GenerateItem(Session& session, CK_OBJECT_HANDLE key, Mac mac, Bytes message,
                     PrivateBuffer& out) {
  const CK_MECHANISM_TYPE type = mac.mechanism.mechanism;
  Failure failure = CheckLength(session, mac, message.size());
  PrivateBuffer value;
  if (failure.ok()) {
    failure = Allocate(mac.size, value);
  }
  if (!failure.ok()) {
    return failure;
  }
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_SignInit(session.handle(), &mac.mechanism, key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, type);
  }
  CK_ULONG written = mac.size;
  rv = module->C_Sign(session.handle(), InputPointer(message), message.size(), value.bytes().data(),
                      &written);
  if (rv == CKR_DATA_LEN_RANGE) {
    return FailureOf(Reason::kTooLong, type, rv);
  }
  if (rv == CKR_OK && written != mac.size) {
    return FailureOf(Reason::kNotOffered, type);
  }
  out = std::move(value);
  return ModuleAnswer(rv, type);
}

// Not by C_Verify: NSS softokn answers with any return value when the MAC is another one.
Failure VerifyItem(Session& session, CK_OBJECT_HANDLE key, Mac mac, Bytes mac_and_message,
                   PrivateBuffer&) {
  const Failure mismatch = FailureOf(Reason::kAuthenticationFailed, mac.mechanism.mechanism);
  if (mac_and_message.size() < mac.size) {
    return mismatch;
  }
  PrivateBuffer expected;
  const Failure failure =
      GenerateItem(session, key, mac, mac_and_message.subspan(mac.size), expected);
  if (!failure.ok()) {
    return failure;
  }
  return ConstantTimeEqual(expected.bytes(), mac_and_message.first(mac.size)) ? Failure{}
                                                                              : mismatch;
}

using Item = Failure(Session&, CK_OBJECT_HANDLE, Mac, Bytes, PrivateBuffer&);

Reply Each(Session& session, const Request& request, Item* item) {
  const std::optional<DigestAlgorithm> digest = DigestAlgorithmFromNumber(request.numbers[0]);
  if (!digest) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  const Mac mac{.mechanism = {.mechanism = kMechanisms[DigestIndex(*digest)],
                              .pParameter = nullptr,
                              .ulParameterLen = 0},
                .size = DigestSize(*digest)};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  Failure failure = RequireMechanism(session, mac.mechanism.mechanism, CKF_SIGN);
  if (failure.ok()) {
    failure = session.FindObject(CKO_SECRET_KEY, request.key_id.bytes(), &key);
  }
  if (!failure.ok()) {
    return ReplyOf(failure);
  }
  return ForEachItem(request, [&](Bytes input, PrivateBuffer& output) {
    return item(session, key, mac, input, output);
  });
}

}  // namespace

Reply GenerateMac(Session& session, const Request& request) {
  return Each(session, request, GenerateItem);
}

Reply VerifyMac(Session& session, const Request& request) {
  return Each(session, request, VerifyItem);
}

}  // namespace keywright::pkcs11
