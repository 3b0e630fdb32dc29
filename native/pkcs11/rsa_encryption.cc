#include <algorithm>

#include "core/public_encryption.h"
#include "pkcs11/answer.h"
#include "pkcs11/oaep.h"
#include "pkcs11/operations.h"
#include "pkcs11/public_keys.h"
#include "pkcs11/template.h"

namespace keywright::pkcs11 {
namespace {

// RSA-8192, more than anybody's key.
constexpr std::size_t kMaxModulusBytes = 1024;

// kNotOffered for what is no RSA.
Failure HashOf(const Request& request, OaepHash& hash) {
  const std::optional<EncryptionAlgorithm> algorithm =
      EncryptionAlgorithmFromNumber(request.numbers[0]);
  if (!algorithm) {
    return FailureOf(Reason::kInvalidArgument);
  }
  hash = *algorithm == EncryptionAlgorithm::kRsaesOaepSha1 ? OaepHash::kSha1 : OaepHash::kSha256;
  const bool is_oaep = *algorithm == EncryptionAlgorithm::kRsaesOaepSha1 ||
                       *algorithm == EncryptionAlgorithm::kRsaesOaepSha256;
  return is_oaep ? Failure{} : FailureOf(Reason::kNotOffered);
}

struct Work {
  OaepHash hash = OaepHash::kSha1;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  DerBytes modulus;
};

Failure Prepare(Session& session, const Request& request, CK_FLAGS flags,
                CK_OBJECT_CLASS object_class, Work& work) {
  Failure failure = HashOf(request, work.hash);
  if (failure.ok()) {
    failure = RequireMechanism(session, CKM_RSA_PKCS_OAEP, flags);
  }
  if (failure.ok()) {
    failure = session.FindObject(object_class, request.key_id.bytes(), &work.key);
  }
  if (failure.ok()) {
    failure = ReadModulus(session, work.key, work.modulus);
  }
  return failure.ok() && work.modulus.size() > kMaxModulusBytes
             ? FailureOf(Reason::kNotOffered, CKM_RSA_PKCS_OAEP)
             : failure;
}

Failure EncryptItem(Session& session, const Work& work, CK_MECHANISM_PTR mechanism, Bytes plaintext,
                    PrivateBuffer& out) {
  // RFC 8017 §7.1.1, step 1b; not every module says which of its checks failed.
  if (plaintext.size() + 2 * OaepHashBytes(work.hash) + 2 > work.modulus.size()) {
    return FailureOf(Reason::kTooLong, CKM_RSA_PKCS_OAEP);
  }
  PrivateBuffer ciphertext;
  if (Failure failure = Allocate(work.modulus.size(), ciphertext); !failure.ok()) {
    return failure;
  }
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_EncryptInit(session.handle(), mechanism, work.key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, CKM_RSA_PKCS_OAEP);
  }
  CK_ULONG written = work.modulus.size();
  rv = module->C_Encrypt(session.handle(), InputPointer(plaintext), plaintext.size(),
                         ciphertext.bytes().data(), &written);
  if (rv != CKR_OK) {
    return ModuleAnswer(rv, CKM_RSA_PKCS_OAEP);
  }
  const Failure failure = RoomAnswer(written, work.modulus.size(), CKM_RSA_PKCS_OAEP);
  ciphertext.Truncate(written);
  out = std::move(ciphertext);
  return failure;
}

Failure DecryptItem(Session& session, const Work& work, CK_MECHANISM_PTR mechanism,
                    Bytes ciphertext, PrivateBuffer& out) {
  // RFC 8017 §7.1.2, step 1b, and §5.1.2, step 1: NSS softokn takes the latter for a fault of the
  // caller.
  if (ciphertext.size() != work.modulus.size() ||
      !std::lexicographical_compare(ciphertext.begin(), ciphertext.end(), work.modulus.begin(),
                                    work.modulus.end())) {
    return FailureOf(Reason::kAuthenticationFailed, CKM_RSA_PKCS_OAEP);
  }
  PrivateBuffer plaintext;
  if (Failure failure = Allocate(work.modulus.size(), plaintext); !failure.ok()) {
    return failure;
  }
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_DecryptInit(session.handle(), mechanism, work.key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, CKM_RSA_PKCS_OAEP);
  }
  CK_ULONG written = work.modulus.size();
  rv = module->C_Decrypt(session.handle(), InputPointer(ciphertext), ciphertext.size(),
                         plaintext.bytes().data(), &written);
  if (rv != CKR_OK) {
    return DecryptionAnswer(session, rv, CKM_RSA_PKCS_OAEP);
  }
  const Failure failure = RoomAnswer(written, work.modulus.size(), CKM_RSA_PKCS_OAEP);
  plaintext.Truncate(written);
  out = std::move(plaintext);
  return failure;
}

using Item = Failure(Session&, const Work&, CK_MECHANISM_PTR, Bytes, PrivateBuffer&);

Reply Each(Session& session, const Request& request, CK_FLAGS flags, CK_OBJECT_CLASS object_class,
           Item* item) {
  Work work;
  if (Failure failure = Prepare(session, request, flags, object_class, work); !failure.ok()) {
    return ReplyOf(failure);
  }
  OaepMechanism mechanism(work.hash);
  return ForEachItem(request, [&](Bytes input, PrivateBuffer& output) {
    return item(session, work, mechanism.get(), input, output);
  });
}

}  // namespace

Reply RsaEncrypt(Session& session, const Request& request) {
  return Each(session, request, CKF_ENCRYPT, CKO_PUBLIC_KEY, EncryptItem);
}

Reply RsaDecrypt(Session& session, const Request& request) {
  return Each(session, request, CKF_DECRYPT, CKO_PRIVATE_KEY, DecryptItem);
}

}  // namespace keywright::pkcs11
