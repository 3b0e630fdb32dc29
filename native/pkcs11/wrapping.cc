#include "core/key_type.h"
#include "pkcs11/answer.h"
#include "pkcs11/key_objects.h"
#include "pkcs11/new_key.h"
#include "pkcs11/oaep.h"
#include "pkcs11/operations.h"
#include "pkcs11/public_keys.h"
#include "pkcs11/template.h"
#include "pkcs11/temporary_object.h"

namespace keywright::pkcs11 {
namespace {

// A private key of RSA-4096 has 2.4 KB, of ML-DSA-87 4.9 KB.
constexpr std::size_t kMaxWrappedBytes = 16384;

// How a key is wrapped. The numbers are those of WRAP_CODES in src/pkcs11/codes.ts.
enum class Wrap : std::uint8_t {
  kAesKw = 1,
  kAesKwp = 2,
  kRsaOaepSha1 = 3,
  kRsaOaepSha256 = 4,
  kRsaAesSha1 = 5,
  kRsaAesSha256 = 6,
};

struct Method {
  Wrap wrap;
  OaepHash hash;

  bool is_aes() const { return wrap == Wrap::kAesKw || wrap == Wrap::kAesKwp; }
  bool is_rsa_aes() const { return wrap == Wrap::kRsaAesSha1 || wrap == Wrap::kRsaAesSha256; }
};

std::optional<Method> MethodOf(std::uint32_t number) {
  if (number < static_cast<std::uint32_t>(Wrap::kAesKw) ||
      number > static_cast<std::uint32_t>(Wrap::kRsaAesSha256)) {
    return std::nullopt;
  }
  const auto wrap = static_cast<Wrap>(number);
  const bool is_sha1 = wrap == Wrap::kRsaOaepSha1 || wrap == Wrap::kRsaAesSha1;
  return Method{.wrap = wrap, .hash = is_sha1 ? OaepHash::kSha1 : OaepHash::kSha256};
}

// A mechanism of C_WrapKey and C_UnwrapKey with its parameters.
class WrapMechanism {
 public:
  WrapMechanism(const Session& session, const Method& method)
      : oaep_(method.hash),
        rsa_aes_{.ulAESKeyBits = 256, .pOAEPParams = oaep_.parameters()},
        mechanism_(*oaep_.get()) {
    if (method.is_aes()) {
      const Profile& profile = session.profile();
      mechanism_ = {
          .mechanism = method.wrap == Wrap::kAesKw ? profile.kw_mechanism : profile.kwp_mechanism,
          .pParameter = nullptr,  // the IV of the RFC
          .ulParameterLen = 0};
    } else if (method.is_rsa_aes()) {
      mechanism_ = {.mechanism = CKM_RSA_AES_KEY_WRAP,
                    .pParameter = &rsa_aes_,
                    .ulParameterLen = sizeof(rsa_aes_)};
    }
  }
  // It points into itself.
  WrapMechanism(const WrapMechanism&) = delete;
  WrapMechanism& operator=(const WrapMechanism&) = delete;
  ~WrapMechanism() = default;

  CK_MECHANISM_PTR get() { return &mechanism_; }
  CK_MECHANISM_TYPE type() const { return mechanism_.mechanism; }

 private:
  OaepMechanism oaep_;
  CK_RSA_AES_KEY_WRAP_PARAMS rsa_aes_;
  CK_MECHANISM mechanism_;
};

// Bytes that wrapping adds to a key: the IV of RFC 3394.
constexpr std::size_t kSemiblockBytes = 8;
// The shortest that RFC 3394 and RFC 5649 make.
constexpr std::size_t kMinKwBytes = 3 * kSemiblockBytes;
constexpr std::size_t kMinKwpBytes = 2 * kSemiblockBytes;

// A length that the token does not tell, as SoftHSM of unwrapped keys, is 0; AES keys are whole.
Failure RequireSemiblocks(const Session& session, CK_OBJECT_HANDLE key) {
  CK_ULONG key_type = 0;
  CK_ULONG length = 0;
  const Failure failure = ReadNumber(session, key, CKA_KEY_TYPE, key_type);
  if (!failure.ok() || key_type == CKK_AES) {
    return failure;
  }
  const bool is_known = ReadNumber(session, key, CKA_VALUE_LEN, length).ok() && length != 0;
  return is_known && length % kSemiblockBytes == 0
             ? Failure{}
             : FailureOf(Reason::kNotOffered, session.profile().kwp_mechanism);
}

Failure WrapWith(const Session& session, const Method& method, CK_OBJECT_HANDLE wrapping_key,
                 CK_OBJECT_HANDLE key, PrivateBuffer& out) {
  WrapMechanism mechanism(session, method);
  Failure failure = RequireMechanism(session, mechanism.type(), CKF_WRAP);
  if (failure.ok() && method.wrap == Wrap::kAesKwp && session.profile().kwp_needs_semiblocks) {
    failure = RequireSemiblocks(session, key);
  }
  PrivateBuffer wrapped;
  if (failure.ok()) {
    failure = Allocate(kMaxWrappedBytes, wrapped);
  }
  if (!failure.ok()) {
    return failure;
  }
  CK_ULONG written = kMaxWrappedBytes;
  const CK_RV rv = session.functions()->C_WrapKey(session.handle(), mechanism.get(), wrapping_key,
                                                  key, wrapped.bytes().data(), &written);
  failure = MechanismAnswer(rv, mechanism.type());
  if (failure.ok()) {
    failure = RoomAnswer(written, kMaxWrappedBytes, mechanism.type());
  }
  return failure.ok() ? CopyTo(out, wrapped.bytes().first(written)) : failure;
}

Failure UnwrapWith(const Session& session, const Method& method, CK_OBJECT_HANDLE wrapping_key,
                   Bytes wrapped, Template& attributes, TemporaryObject& key) {
  WrapMechanism mechanism(session, method);
  if (Failure failure = RequireMechanism(session, mechanism.type(), CKF_UNWRAP); !failure.ok()) {
    return failure;
  }
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV rv = session.functions()->C_UnwrapKey(session.handle(), mechanism.get(), wrapping_key,
                                                    InputPointer(wrapped), wrapped.size(),
                                                    attributes.data(), attributes.size(), &object);
  if (rv == CKR_OK) {
    key.Adopt(object);
  }
  const Failure failure = DecryptionAnswer(session, rv, mechanism.type());
  return failure.reason == Reason::kModule ? MechanismAnswer(rv, mechanism.type()) : failure;
}

// The AES key between the RSA key and the wrapped one, where the token lacks CKM_RSA_AES_KEY_WRAP:
// an object of this session that leaves the token under the RSA key only.
void DescribeTransportKey(bool is_wrapping, Template& out) {
  out.AddNumber(CKA_CLASS, CKO_SECRET_KEY);
  out.AddNumber(CKA_KEY_TYPE, CKK_AES);
  out.AddFlag(CKA_TOKEN, false);
  out.AddFlag(CKA_PRIVATE, true);
  out.AddFlag(CKA_SENSITIVE, true);
  out.AddFlag(CKA_EXTRACTABLE, is_wrapping);
  out.AddFlag(CKA_WRAP, is_wrapping);
  out.AddFlag(CKA_UNWRAP, !is_wrapping);
  out.AddFlag(CKA_ENCRYPT, false);
  out.AddFlag(CKA_DECRYPT, false);
}

Failure MakeTransportKey(const Session& session, TemporaryObject& key) {
  if (Failure failure = RequireMechanism(session, CKM_AES_KEY_GEN, CKF_GENERATE); !failure.ok()) {
    return failure;
  }
  Template attributes;
  DescribeTransportKey(true, attributes);
  attributes.AddNumber(CKA_VALUE_LEN, kAes256KeyBytes);
  CK_MECHANISM mechanism = {
      .mechanism = CKM_AES_KEY_GEN, .pParameter = nullptr, .ulParameterLen = 0};
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  const CK_RV rv = session.functions()->C_GenerateKey(
      session.handle(), &mechanism, attributes.data(), attributes.size(), &object);
  if (rv == CKR_OK) {
    key.Adopt(object);
  }
  return MechanismAnswer(rv, CKM_AES_KEY_GEN);
}

// Not left to modules, which answer with anything, such as a lack of memory.
bool HasAesWrapLength(const Method& method, Bytes wrapped) {
  return wrapped.size() % kSemiblockBytes == 0 &&
         wrapped.size() >= (method.wrap == Wrap::kAesKw ? kMinKwBytes : kMinKwpBytes);
}

constexpr Method OaepOf(const Method& method) {
  return {.wrap = method.wrap == Wrap::kRsaAesSha1 ? Wrap::kRsaOaepSha1 : Wrap::kRsaOaepSha256,
          .hash = method.hash};
}

constexpr Method kKwp = {.wrap = Wrap::kAesKwp, .hash = OaepHash::kSha1};

// CKM_RSA_AES_KEY_WRAP (PKCS#11 2.40, section 2.1.21) from its parts.
Failure ComposeWrap(const Session& session, const Method& method, CK_OBJECT_HANDLE wrapping_key,
                    CK_OBJECT_HANDLE key, PrivateBuffer& out) {
  TemporaryObject transport_key(session);
  PrivateBuffer head;
  PrivateBuffer tail;
  Failure failure = MakeTransportKey(session, transport_key);
  if (failure.ok()) {
    failure = WrapWith(session, OaepOf(method), wrapping_key, transport_key.get(), head);
  }
  if (failure.ok()) {
    failure = WrapWith(session, kKwp, transport_key.get(), key, tail);
  }
  if (failure.ok()) {
    failure = Allocate(head.bytes().size() + tail.bytes().size(), out);
  }
  if (failure.ok()) {
    CopyBytes(head.bytes(), out.bytes());
    CopyBytes(tail.bytes(), out.bytes().subspan(head.bytes().size()));
  }
  return failure;
}

Failure ComposeUnwrap(const Session& session, const Method& method, CK_OBJECT_HANDLE wrapping_key,
                      Bytes wrapped, Template& attributes, TemporaryObject& key) {
  DerBytes modulus;
  Failure failure = ReadModulus(session, wrapping_key, modulus);
  const std::size_t head = modulus.size();
  if (failure.ok() && (wrapped.size() <= head || !HasAesWrapLength(kKwp, wrapped.subspan(head)))) {
    failure = FailureOf(Reason::kAuthenticationFailed, CKM_RSA_AES_KEY_WRAP);
  }
  if (!failure.ok()) {
    return failure;
  }
  TemporaryObject transport_key(session);
  Template transport_attributes;
  DescribeTransportKey(false, transport_attributes);
  failure = UnwrapWith(session, OaepOf(method), wrapping_key, wrapped.first(head),
                       transport_attributes, transport_key);
  return failure.ok() ? UnwrapWith(session, kKwp, transport_key.get(), wrapped.subspan(head),
                                   attributes, key)
                      : failure;
}

bool IsComposed(const Session& session, const Method& method, CK_FLAGS flags) {
  return method.is_rsa_aes() && !session.Offers(CKM_RSA_AES_KEY_WRAP, flags);
}

Failure ReadOptionalFlag(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                         bool& value) {
  const Failure failure = ReadFlag(session, object, type, value);
  return failure.rv == CKR_ATTRIBUTE_TYPE_INVALID ? Failure{} : failure;
}

// NSS softokn wraps whatever it is asked to wrap.
Failure RequireWrappable(const Session& session, CK_OBJECT_HANDLE wrapping_key,
                         CK_OBJECT_HANDLE key) {
  bool is_extractable = false;
  bool needs_trust = false;
  bool is_trusted = false;
  Failure failure = ReadFlag(session, key, CKA_EXTRACTABLE, is_extractable);
  if (failure.ok() && !is_extractable) {
    failure = ModuleAnswer(CKR_KEY_UNEXTRACTABLE);
  }
  if (failure.ok()) {
    failure = ReadOptionalFlag(session, key, CKA_WRAP_WITH_TRUSTED, needs_trust);
  }
  if (failure.ok() && needs_trust) {
    failure = ReadOptionalFlag(session, wrapping_key, CKA_TRUSTED, is_trusted);
  }
  return failure.ok() && needs_trust && !is_trusted ? ModuleAnswer(CKR_KEY_NOT_WRAPPABLE) : failure;
}

// A secret key, else a private one.
Failure FindWrappable(Session& session, Bytes id, CK_OBJECT_HANDLE* key) {
  const Failure failure = session.FindObject(CKO_SECRET_KEY, id, key);
  return failure.reason == Reason::kKeyNotFound ? session.FindObject(CKO_PRIVATE_KEY, id, key)
                                                : failure;
}

// Whether a key of the type may have come out of as many wrapped bytes.
bool MayHaveLength(const Method& method, SecretType type, std::size_t wrapped_bytes) {
  if (!method.is_aes()) {
    return true;
  }
  const std::size_t padding = method.wrap == Wrap::kAesKw ? 1 : kSemiblockBytes;
  for (std::size_t i = 0; i < padding; ++i) {
    if (IsSecretLength(type, wrapped_bytes - kSemiblockBytes - i)) {
      return true;
    }
  }
  return false;
}

// What came out must be a key that could have been made. SoftHSM says 0 bytes of every key that was
// unwrapped: there the wrapped bytes have to tell.
Failure VerifyUnwrapped(const Session& session, CK_OBJECT_HANDLE object, SecretType type,
                        const NewKey& key, bool may_have_length) {
  CK_ULONG length = 0;
  Failure failure = VerifyProtection(session, object, key, false);
  if (failure.ok()) {
    failure = ReadNumber(session, object, CKA_VALUE_LEN, length);
  }
  const bool has_length = length == 0 ? may_have_length : IsSecretLength(type, length);
  return failure.ok() && !has_length ? FailureOf(Reason::kAuthenticationFailed) : failure;
}

Failure Unwrap(Session& session, const Request& request, const Method& method, SecretType type,
               const NewKey& key) {
  CK_OBJECT_HANDLE wrapping_key = CK_INVALID_HANDLE;
  Failure failure = RequireFreeId(session, CKO_SECRET_KEY, key.id);
  if (failure.ok()) {
    failure = session.FindObject(method.is_aes() ? CKO_SECRET_KEY : CKO_PRIVATE_KEY,
                                 request.key_id.bytes(), &wrapping_key);
  }
  if (!failure.ok()) {
    return failure;
  }
  const Bytes wrapped = request.items[0].bytes();
  if (method.is_aes() && !HasAesWrapLength(method, wrapped)) {
    return FailureOf(Reason::kAuthenticationFailed);
  }
  // SoftHSM 2.7 reads beyond the end of what is shorter than its RSA key.
  if (method.is_rsa_aes()) {
    DerBytes modulus;
    failure = ReadModulus(session, wrapping_key, modulus);
    if (failure.ok() && (wrapped.size() <= modulus.size() ||
                         !HasAesWrapLength(kKwp, wrapped.subspan(modulus.size())))) {
      failure = FailureOf(Reason::kAuthenticationFailed, CKM_RSA_AES_KEY_WRAP);
    }
    if (!failure.ok()) {
      return failure;
    }
  }
  Template attributes;
  DescribeSecretKey(type, key, attributes);
  TemporaryObject object(session);
  failure = IsComposed(session, method, CKF_UNWRAP)
                ? ComposeUnwrap(session, method, wrapping_key, wrapped, attributes, object)
                : UnwrapWith(session, method, wrapping_key, wrapped, attributes, object);
  if (failure.ok()) {
    failure = VerifyUnwrapped(session, object.get(), type, key,
                              MayHaveLength(method, type, wrapped.size()));
  }
  if (failure.ok()) {
    object.Release();
  } else if (!object.Destroy()) {
    session.NoteChange();
  }
  return failure;
}

}  // namespace

Reply WrapKey(Session& session, const Request& request) {
  const std::optional<Method> method = MethodOf(request.numbers[0]);
  if (!method) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  CK_OBJECT_HANDLE wrapping_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  Failure failure = session.FindObject(method->is_aes() ? CKO_SECRET_KEY : CKO_PUBLIC_KEY,
                                       request.key_id.bytes(), &wrapping_key);
  if (failure.ok()) {
    failure = FindWrappable(session, request.common.bytes(), &key);
  }
  if (failure.ok()) {
    failure = RequireWrappable(session, wrapping_key, key);
  }
  PrivateBuffer wrapped;
  if (failure.ok()) {
    failure = IsComposed(session, *method, CKF_WRAP)
                  ? ComposeWrap(session, *method, wrapping_key, key, wrapped)
                  : WrapWith(session, *method, wrapping_key, key, wrapped);
  }
  return failure.ok() ? ReplyOf(std::move(wrapped)) : ReplyOf(failure);
}

Reply UnwrapKey(Session& session, const Request& request) {
  const Bytes id_and_label = request.common.bytes();
  const std::size_t id_size = request.numbers[3];
  const std::optional<Method> method = MethodOf(request.numbers[0]);
  const std::optional<SecretType> type = SecretTypeFromNumber(request.numbers[1]);
  if (!method || !type || id_size > id_and_label.size() || request.items.size() != 1) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  const std::optional<NewKey> key =
      NewKeyOf(id_and_label.first(id_size), id_and_label.subspan(id_size), request.numbers[2]);
  return ReplyOf(key ? Unwrap(session, request, *method, *type, *key)
                     : FailureOf(Reason::kInvalidArgument));
}

}  // namespace keywright::pkcs11
