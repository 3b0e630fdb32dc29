#include <array>
#include <string_view>

#include "core/der.h"
#include "core/digest_algorithm.h"
#include "core/signature.h"
#include "pkcs11/answer.h"
#include "pkcs11/der_integer.h"
#include "pkcs11/operations.h"
#include "pkcs11/template.h"

// Signatures of digests, which the caller made, or of messages where the scheme hashes itself.

namespace keywright::pkcs11 {
namespace {

using namespace std::string_view_literals;

// Up to the digest, DigestInfo of RFC 8017 §9.2, note 1.
constexpr std::array kDigestInfos = {
    ""sv,
    "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"sv,
    "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"sv,
    "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"sv,
};

struct Scheme {
  CK_MECHANISM_TYPE mechanism;
  SignatureAlgorithm algorithm;
  std::optional<DigestAlgorithm> digest;  // nothing when the scheme takes messages
  std::size_t curve_bytes = 0;            // of ECDSA: r and s each
};

// Not Ed25519ph: the parameter that asks for it is ignored by modules of PKCS#11 2.40, which then
// sign as pure Ed25519.
constexpr Scheme kSchemes[] = {
    {CKM_RSA_PKCS_PSS, SignatureAlgorithm::kRsassaPssSha256, DigestAlgorithm::kSha256},
    {CKM_RSA_PKCS_PSS, SignatureAlgorithm::kRsassaPssSha384, DigestAlgorithm::kSha384},
    {CKM_RSA_PKCS_PSS, SignatureAlgorithm::kRsassaPssSha512, DigestAlgorithm::kSha512},
    {CKM_RSA_PKCS, SignatureAlgorithm::kRsassaPkcs1V15Sha256, DigestAlgorithm::kSha256},
    {CKM_RSA_PKCS, SignatureAlgorithm::kRsassaPkcs1V15Sha384, DigestAlgorithm::kSha384},
    {CKM_RSA_PKCS, SignatureAlgorithm::kRsassaPkcs1V15Sha512, DigestAlgorithm::kSha512},
    {CKM_ECDSA, SignatureAlgorithm::kEcdsaSha256, DigestAlgorithm::kSha256, 32},
    {CKM_ECDSA, SignatureAlgorithm::kEcdsaSha384, DigestAlgorithm::kSha384, 48},
    {CKM_ECDSA, SignatureAlgorithm::kEcdsaSha512, DigestAlgorithm::kSha512, 66},
    {kMechanismEddsa, SignatureAlgorithm::kEd25519Sha512, std::nullopt},
    {kNoMechanism, SignatureAlgorithm::kEd25519PhSha512, std::nullopt},
    {kMechanismMlDsa, SignatureAlgorithm::kMlDsaShake256, std::nullopt},
    {kNoMechanism, SignatureAlgorithm::kSm2Dsa, std::nullopt},
};

// The mechanism with its parameters.
class SchemeMechanism {
 public:
  explicit SchemeMechanism(const Scheme& scheme)
      : mechanism_{.mechanism = scheme.mechanism, .pParameter = nullptr, .ulParameterLen = 0} {
    if (scheme.mechanism == CKM_RSA_PKCS_PSS) {
      constexpr CK_MECHANISM_TYPE kHashes[] = {CKM_SHA224, CKM_SHA256, CKM_SHA384, CKM_SHA512};
      constexpr CK_RSA_PKCS_MGF_TYPE kMasks[] = {CKG_MGF1_SHA224, CKG_MGF1_SHA256, CKG_MGF1_SHA384,
                                                 CKG_MGF1_SHA512};
      const std::size_t index = DigestIndex(*scheme.digest);
      pss_ = {.hashAlg = kHashes[index], .mgf = kMasks[index], .sLen = DigestSize(*scheme.digest)};
      mechanism_.pParameter = &pss_;
      mechanism_.ulParameterLen = sizeof(pss_);
    }
  }
  // It points into itself.
  SchemeMechanism(const SchemeMechanism&) = delete;
  SchemeMechanism& operator=(const SchemeMechanism&) = delete;
  ~SchemeMechanism() = default;

  CK_MECHANISM_PTR get() { return &mechanism_; }

 private:
  CK_RSA_PKCS_PSS_PARAMS pss_ = {};
  CK_MECHANISM mechanism_;
};

// What the token signs: the digest, its DigestInfo, or the message.
Failure InputOf(const Scheme& scheme, Bytes message, PrivateBuffer& input) {
  if (scheme.digest && message.size() != DigestSize(*scheme.digest)) {
    return FailureOf(Reason::kInvalidArgument, scheme.mechanism);
  }
  if (message.size() > kMaxDataBytes) {
    return FailureOf(Reason::kTooLong, scheme.mechanism);
  }
  const Bytes prefix = scheme.mechanism == CKM_RSA_PKCS
                           ? AsBytes(kDigestInfos[DigestIndex(*scheme.digest)])
                           : Bytes();
  const Failure failure = Allocate(prefix.size() + message.size(), input);
  if (failure.ok()) {
    CopyBytes(prefix, input.bytes());
    CopyBytes(message, input.bytes().subspan(prefix.size()));
  }
  return failure;
}

// Signatures of ECDSA are r‖s in a token and DER outside; a key on another curve than the algorithm
// is for makes others.
Failure OutputOf(const Scheme& scheme, Bytes signature, PrivateBuffer& out) {
  if (scheme.curve_bytes == 0) {
    return CopyTo(out, signature);
  }
  const std::optional<DerBytes> der =
      signature.size() == 2 * scheme.curve_bytes ? EcdsaDer(signature) : std::nullopt;
  return der ? CopyTo(out, *der) : FailureOf(Reason::kInvalidArgument, scheme.mechanism);
}

Failure SignItem(Session& session, CK_OBJECT_HANDLE key, const Scheme& scheme,
                 CK_MECHANISM_PTR mechanism, Bytes message, PrivateBuffer& out) {
  PrivateBuffer input;
  if (Failure failure = InputOf(scheme, message, input); !failure.ok()) {
    return failure;
  }
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_SignInit(session.handle(), mechanism, key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, scheme.mechanism);
  }
  std::array<std::uint8_t, kMaxSignatureBytes> signature;
  CK_ULONG written = signature.size();
  rv = module->C_Sign(session.handle(), InputPointer(input.bytes()), input.bytes().size(),
                      signature.data(), &written);
  Failure failure = ModuleAnswer(rv, scheme.mechanism);
  if (failure.ok()) {
    failure = RoomAnswer(written, signature.size(), scheme.mechanism);
  }
  return failure.ok() ? OutputOf(scheme, Bytes(signature).first(written), out) : failure;
}

Failure VerifyItem(Session& session, CK_OBJECT_HANDLE key, const Scheme& scheme, Bytes message,
                   Bytes signature) {
  PrivateBuffer input;
  if (Failure failure = InputOf(scheme, message, input); !failure.ok()) {
    return failure;
  }
  const std::optional<DerBytes> raw =
      scheme.curve_bytes == 0 ? std::nullopt : EcdsaRaw(signature, scheme.curve_bytes);
  if (scheme.curve_bytes != 0 && !raw) {
    return FailureOf(Reason::kAuthenticationFailed, scheme.mechanism);
  }
  const Bytes value = raw ? Bytes(*raw) : signature;
  SchemeMechanism mechanism(scheme);
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_VerifyInit(session.handle(), mechanism.get(), key);
  if (rv != CKR_OK) {
    return MechanismAnswer(rv, scheme.mechanism);
  }
  rv = module->C_Verify(session.handle(), InputPointer(input.bytes()), input.bytes().size(),
                        InputPointer(value), value.size());
  return VerificationAnswer(rv, scheme.mechanism);
}

// The scheme and the key of a request.
struct Work {
  const Scheme* scheme = nullptr;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
};

Failure Prepare(Session& session, const Request& request, CK_FLAGS flags,
                CK_OBJECT_CLASS object_class, Work& work) {
  const std::optional<SignatureAlgorithm> algorithm =
      SignatureAlgorithmFromNumber(request.numbers[0]);
  if (!algorithm) {
    return FailureOf(Reason::kInvalidArgument);
  }
  work.scheme = &kSchemes[static_cast<std::size_t>(*algorithm) - 1];
  if (work.scheme->mechanism == kNoMechanism) {
    return FailureOf(Reason::kNotOffered);
  }
  const Failure failure = RequireMechanism(session, work.scheme->mechanism, flags);
  return failure.ok() ? session.FindObject(object_class, request.key_id.bytes(), &work.key)
                      : failure;
}

}  // namespace

Reply Sign(Session& session, const Request& request) {
  Work work;
  if (Failure failure = Prepare(session, request, CKF_SIGN, CKO_PRIVATE_KEY, work); !failure.ok()) {
    return ReplyOf(failure);
  }
  SchemeMechanism mechanism(*work.scheme);
  return ForEachItem(request, [&](Bytes message, PrivateBuffer& out) {
    return SignItem(session, work.key, *work.scheme, mechanism.get(), message, out);
  });
}

Reply Verify(Session& session, const Request& request) {
  Work work;
  if (Failure failure = Prepare(session, request, CKF_VERIFY, CKO_PUBLIC_KEY, work);
      !failure.ok()) {
    return ReplyOf(failure);
  }
  return ForEachItem(request, [&](Bytes message, PrivateBuffer&) {
    return VerifyItem(session, work.key, *work.scheme, message, request.common.bytes());
  });
}

}  // namespace keywright::pkcs11
