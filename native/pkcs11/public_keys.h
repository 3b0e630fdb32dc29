#ifndef KEYWRIGHT_PKCS11_PUBLIC_KEYS_H_
#define KEYWRIGHT_PKCS11_PUBLIC_KEYS_H_

#include "core/der.h"
#include "core/private_buffer.h"
#include "pkcs11/failure.h"
#include "pkcs11/session.h"

namespace keywright::pkcs11 {

// SubjectPublicKeyInfo of a public key; kInvalidArgument for one of a type that Keywright does not
// know.
Failure ReadPublicKey(const Session& session, CK_OBJECT_HANDLE object, PrivateBuffer& spki);

// Of an RSA key, public or private, without leading zeros: as long as ciphertexts and signatures.
Failure ReadModulus(const Session& session, CK_OBJECT_HANDLE object, DerBytes& modulus);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_PUBLIC_KEYS_H_
