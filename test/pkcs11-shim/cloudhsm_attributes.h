#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_ATTRIBUTES_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_ATTRIBUTES_H_

#include <pkcs11.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace keywright::shim {

// The key types of CloudHSM that SoftHSM2 and clusters in FIPS mode have, in the order of its
// tables.
enum class KeyKind : std::uint8_t {
  kEcPrivate,
  kEcPublic,
  kRsaPrivate,
  kRsaPublic,
  kAes,
  kGenericSecret,
};

std::optional<KeyKind> KindOf(CK_OBJECT_CLASS key_class, CK_KEY_TYPE key_type);

// The function that makes a key.
enum class Origin : std::uint8_t { kGeneratePair, kGenerate, kCreate, kUnwrap, kDerive };

using Template = std::span<const CK_ATTRIBUTE>;

// Checks what the caller wants of a key, and puts it into `completed` with CloudHSM's default for
// everything that the caller leaves out: SoftHSM2's defaults are others.
CK_RV CompleteTemplate(Origin origin, KeyKind kind, Template wanted,
                       std::vector<CK_ATTRIBUTE>& completed);

// CKR_OK, or why C_GetAttributeValue does not tell this attribute of such a key.
CK_RV Readable(KeyKind kind, CK_ATTRIBUTE_TYPE type);

// The attribute of a template, or null.
const CK_ATTRIBUTE* Find(Template attributes, CK_ATTRIBUTE_TYPE type);

// The attribute's value when it is there and has the size of T.
template <typename T>
std::optional<T> ValueOf(Template attributes, CK_ATTRIBUTE_TYPE type) {
  const CK_ATTRIBUTE* const found = Find(attributes, type);
  if (found == nullptr || found->pValue == nullptr || found->ulValueLen != sizeof(T)) {
    return std::nullopt;
  }
  return *static_cast<const T*>(found->pValue);
}

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_ATTRIBUTES_H_
