#ifndef KEYWRIGHT_PKCS11_OPERATIONS_H_
#define KEYWRIGHT_PKCS11_OPERATIONS_H_

#include "pkcs11/request.h"
#include "pkcs11/session.h"

// The functions behind the table of Perform; perform.h says what each takes and gives.

namespace keywright::pkcs11 {

// key_objects.cc
Reply GenerateRandom(Session& session, const Request& request);
Reply FindKeys(Session& session, const Request& request);
Reply DestroyKey(Session& session, const Request& request);
// generation.cc
Reply GenerateSecretKey(Session& session, const Request& request);
// gcm.cc
Reply EncryptGcm(Session& session, const Request& request);
Reply DecryptGcm(Session& session, const Request& request);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_OPERATIONS_H_
