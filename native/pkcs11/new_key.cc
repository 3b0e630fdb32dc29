#include "pkcs11/new_key.h"

#include "core/key_type.h"
#include "pkcs11/answer.h"
#include "pkcs11/key_objects.h"

namespace keywright::pkcs11 {
namespace {

// KEY_FLAGS of src/pkcs11/codes.ts.
constexpr std::uint32_t kSessionFlag = 1;
constexpr std::uint32_t kExtractableFlag = 2;
constexpr std::uint32_t kTrustedWrapFlag = 4;
constexpr std::uint32_t kAllFlags = kSessionFlag | kExtractableFlag | kTrustedWrapFlag;

constexpr std::size_t kMinHmacBytes = 16;
constexpr std::size_t kMaxHmacBytes = 128;

struct Expected {
  CK_ATTRIBUTE_TYPE attribute;
  bool value;
};

Failure Verify(const Session& session, CK_OBJECT_HANDLE object, const Expected& expected) {
  bool value = false;
  const Failure failure = ReadFlag(session, object, expected.attribute, value);
  if (!failure.ok()) {
    return failure;
  }
  return value == expected.value ? Failure{} : FailureOf(Reason::kNotProtected);
}

}  // namespace

std::optional<SecretType> SecretTypeFromNumber(std::uint32_t number) {
  if (number < static_cast<std::uint32_t>(SecretType::kAesGcm) ||
      number > static_cast<std::uint32_t>(SecretType::kHmac)) {
    return std::nullopt;
  }
  return static_cast<SecretType>(number);
}

bool IsSecretLength(SecretType type, std::size_t length) {
  return type == SecretType::kHmac ? length >= kMinHmacBytes && length <= kMaxHmacBytes
                                   : length == kAes256KeyBytes;
}

std::optional<NewKey> NewKeyOf(Bytes id, Bytes label, std::uint32_t flags) {
  const NewKey key{.id = id,
                   .label = label,
                   .is_session = (flags & kSessionFlag) != 0,
                   .is_extractable = (flags & kExtractableFlag) != 0,
                   .needs_trusted_wrap = (flags & kTrustedWrapFlag) != 0};
  const bool is_consistent = key.is_extractable || !key.needs_trusted_wrap;
  return is_consistent && (flags & ~kAllFlags) == 0 ? std::optional(key) : std::nullopt;
}

void DescribeProtection(const NewKey& key, Template& out) {
  out.AddBytes(CKA_ID, key.id);
  out.AddBytes(CKA_LABEL, key.label);
  out.AddFlag(CKA_TOKEN, !key.is_session);
  out.AddFlag(CKA_PRIVATE, true);
  out.AddFlag(CKA_SENSITIVE, true);
  out.AddFlag(CKA_EXTRACTABLE, key.is_extractable);
  if (key.needs_trusted_wrap) {
    out.AddFlag(CKA_WRAP_WITH_TRUSTED, true);
  }
}

// Usages are said one by one, because the defaults of modules differ: some sign with AES keys. Only
// those that a type can have, because CloudHSM knows no other ones.
void DescribeSecretKey(SecretType type, const NewKey& key, Template& out) {
  const bool is_hmac = type == SecretType::kHmac;
  out.AddNumber(CKA_CLASS, CKO_SECRET_KEY);
  out.AddNumber(CKA_KEY_TYPE, is_hmac ? CKK_GENERIC_SECRET : CKK_AES);
  DescribeProtection(key, out);
  out.AddFlag(CKA_SIGN, is_hmac);
  out.AddFlag(CKA_VERIFY, is_hmac);
  out.AddFlag(CKA_DERIVE, false);
  if (!is_hmac) {
    const bool is_wrapping = type == SecretType::kAesWrap;
    out.AddFlag(CKA_ENCRYPT, !is_wrapping);
    out.AddFlag(CKA_DECRYPT, !is_wrapping);
    out.AddFlag(CKA_WRAP, is_wrapping);
    out.AddFlag(CKA_UNWRAP, is_wrapping);
  }
}

Failure VerifyProtection(const Session& session, CK_OBJECT_HANDLE object, const NewKey& key,
                         bool is_generated) {
  const Expected kAlways[] = {
      {CKA_TOKEN, !key.is_session},
      {CKA_PRIVATE, true},
      {CKA_SENSITIVE, true},
      {CKA_EXTRACTABLE, key.is_extractable},
  };
  for (const Expected& expected : kAlways) {
    if (Failure failure = Verify(session, object, expected); !failure.ok()) {
      return failure;
    }
  }
  if (key.needs_trusted_wrap) {
    if (Failure failure = Verify(session, object, {CKA_WRAP_WITH_TRUSTED, true}); !failure.ok()) {
      return failure;
    }
  }
  // Of a key that came wrapped nobody can say so.
  return is_generated && !key.is_extractable
             ? Verify(session, object, {CKA_NEVER_EXTRACTABLE, true})
             : Failure{};
}

}  // namespace keywright::pkcs11
