#ifndef KEYWRIGHT_PKCS11_NEW_KEY_H_
#define KEYWRIGHT_PKCS11_NEW_KEY_H_

#include <cstdint>
#include <optional>

#include "core/bytes.h"
#include "pkcs11/failure.h"
#include "pkcs11/session.h"
#include "pkcs11/template.h"

// What new secret and private keys have in common: their attributes, and the proof that the token
// took them seriously.

namespace keywright::pkcs11 {

// The numbers are those of SECRET_TYPE_CODES in src/pkcs11/codes.ts.
enum class SecretType : std::uint8_t { kAesGcm = 1, kAesWrap = 2, kHmac = 3 };

std::optional<SecretType> SecretTypeFromNumber(std::uint32_t number);
// Whether a key of the type may have that many bytes.
bool IsSecretLength(SecretType type, std::size_t length);

struct NewKey {
  Bytes id;
  Bytes label;
  bool is_session = false;
  bool is_extractable = false;
  bool needs_trusted_wrap = false;
};

// With KEY_FLAGS of src/pkcs11/codes.ts. Nothing when they contradict each other.
std::optional<NewKey> NewKeyOf(Bytes id, Bytes label, std::uint32_t flags);

// Class, type, id, label, protection and usages of a secret key; not its length.
void DescribeSecretKey(SecretType type, const NewKey& key, Template& out);
// CKA_ID, CKA_LABEL, CKA_TOKEN and what keeps a secret or private key in the token.
void DescribeProtection(const NewKey& key, Template& out);

// Reads back what the token made. kNotProtected when the key can be read or exported although it
// must not, or does not live where it should; the caller destroys it then.
Failure VerifyProtection(const Session& session, CK_OBJECT_HANDLE object, const NewKey& key,
                         bool is_generated);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_NEW_KEY_H_
