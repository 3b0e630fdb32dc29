#include <algorithm>
#include <array>

#include "core/gcm_context.h"
#include "core/random.h"
#include "pkcs11/answer.h"
#include "pkcs11/operations.h"
#include "pkcs11/template.h"

// AES-256-GCM with an IV of 12 bytes and a tag of 16, whatever else a module would take.

namespace keywright::pkcs11 {
namespace {

// CK_GCM_PARAMS with an IV of its own, into which an HSM that makes IVs writes.
class GcmMechanism {
 public:
  explicit GcmMechanism(Bytes aad)
      : parameters_{.pIv = iv_.data(),
                    .ulIvLen = iv_.size(),
                    .ulIvBits = iv_.size() * 8,
                    .pAAD = aad.empty() ? nullptr : InputPointer(aad),
                    .ulAADLen = aad.size(),
                    .ulTagBits = kGcmTagBytes * 8},
        mechanism_{.mechanism = CKM_AES_GCM,
                   .pParameter = &parameters_,
                   .ulParameterLen = sizeof(parameters_)} {}
  // It points into itself.
  GcmMechanism(const GcmMechanism&) = delete;
  GcmMechanism& operator=(const GcmMechanism&) = delete;
  ~GcmMechanism() = default;

  CK_MECHANISM_PTR get() { return &mechanism_; }
  MutableBytes iv() { return iv_; }

 private:
  std::array<std::uint8_t, kGcmNonceBytes> iv_ = {};
  CK_GCM_PARAMS parameters_;
  CK_MECHANISM mechanism_;
};

constexpr std::size_t kOverheadBytes = kGcmNonceBytes + kGcmTagBytes;

Failure CheckLength(const Session& session, std::size_t plaintext_length) {
  const std::size_t limit = session.profile().max_data_bytes;
  const bool fits = plaintext_length <= kMaxDataBytes && (limit == 0 || plaintext_length <= limit);
  return fits ? Failure{} : FailureOf(Reason::kTooLong, CKM_AES_GCM);
}

Failure ChooseIv(const Session& session, MutableBytes iv) {
  if (session.profile().makes_gcm_iv) {
    return {};  // zero bytes, for the HSM to write over
  }
  return RandomNonce(iv) == Status::kOk
             ? Failure{}
             : FailureOf(Reason::kModule, CKM_AES_GCM, CKR_RANDOM_NO_RNG);
}

// An HSM that should have made an IV and left the zeros would use the same one every time.
bool IsZero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

Failure EncryptItem(Session& session, CK_OBJECT_HANDLE key, Bytes aad, Bytes plaintext,
                    PrivateBuffer& out) {
  GcmMechanism mechanism(aad);
  if (Failure failure = CheckLength(session, plaintext.size()); !failure.ok()) {
    return failure;
  }
  if (Failure failure = ChooseIv(session, mechanism.iv()); !failure.ok()) {
    return failure;
  }
  PrivateBuffer sealed;
  if (Failure failure = Allocate(plaintext.size() + kOverheadBytes, sealed); !failure.ok()) {
    return failure;
  }
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_EncryptInit(session.handle(), mechanism.get(), key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, CKM_AES_GCM);
  }
  const MutableBytes body = sealed.bytes().subspan(kGcmNonceBytes);
  CK_ULONG written = body.size();
  rv = module->C_Encrypt(session.handle(), InputPointer(plaintext), plaintext.size(), body.data(),
                         &written);
  if (rv != CKR_OK) {
    return rv == CKR_DATA_LEN_RANGE ? FailureOf(Reason::kTooLong, CKM_AES_GCM, rv)
                                    : ModuleAnswer(rv, CKM_AES_GCM);
  }
  if (written != body.size() || IsZero(mechanism.iv())) {
    return FailureOf(Reason::kNotOffered, CKM_AES_GCM);
  }
  CopyBytes(mechanism.iv(), sealed.bytes());
  out = std::move(sealed);
  return {};
}

Failure DecryptItem(Session& session, CK_OBJECT_HANDLE key, Bytes aad, Bytes sealed,
                    PrivateBuffer& out) {
  if (sealed.size() < kOverheadBytes) {
    return FailureOf(Reason::kAuthenticationFailed, CKM_AES_GCM);
  }
  const std::size_t length = sealed.size() - kOverheadBytes;
  if (Failure failure = CheckLength(session, length); !failure.ok()) {
    return failure;
  }
  GcmMechanism mechanism(aad);
  CopyBytes(sealed.first(kGcmNonceBytes), mechanism.iv());
  const Bytes body = sealed.subspan(kGcmNonceBytes);
  PrivateBuffer plaintext;
  // As long as the input, which is what some modules ask for.
  if (Failure failure = Allocate(body.size(), plaintext); !failure.ok()) {
    return failure;
  }
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_DecryptInit(session.handle(), mechanism.get(), key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, CKM_AES_GCM);
  }
  CK_ULONG written = body.size();
  rv = module->C_Decrypt(session.handle(), InputPointer(body), body.size(),
                         plaintext.bytes().data(), &written);
  if (rv != CKR_OK) {
    return DecryptionAnswer(session, rv, CKM_AES_GCM);
  }
  if (written != length) {
    return FailureOf(Reason::kNotOffered, CKM_AES_GCM);
  }
  plaintext.Truncate(length);
  out = std::move(plaintext);
  return {};
}

using Item = Failure(Session&, CK_OBJECT_HANDLE, Bytes, Bytes, PrivateBuffer&);

Reply Each(Session& session, const Request& request, CK_FLAGS flags, Item* item) {
  if (Failure failure = RequireMechanism(session, CKM_AES_GCM, flags); !failure.ok()) {
    return ReplyOf(failure);
  }
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  if (Failure failure = session.FindObject(CKO_SECRET_KEY, request.key_id.bytes(), &key);
      !failure.ok()) {
    return ReplyOf(failure);
  }
  const Bytes aad = request.common.bytes();
  return ForEachItem(request, [&](Bytes input, PrivateBuffer& output) {
    return item(session, key, aad, input, output);
  });
}

}  // namespace

Reply EncryptGcm(Session& session, const Request& request) {
  return Each(session, request, CKF_ENCRYPT, EncryptItem);
}

Reply DecryptGcm(Session& session, const Request& request) {
  return Each(session, request, CKF_DECRYPT, DecryptItem);
}

}  // namespace keywright::pkcs11
