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
// secret_keys.cc
Reply GenerateSecretKey(Session& session, const Request& request);
// key_pairs.cc
Reply GenerateKeyPair(Session& session, const Request& request);
Reply ImportPublicKey(Session& session, const Request& request);
// public_keys.cc
Reply ExportPublicKey(Session& session, const Request& request);
// wrapping.cc
Reply WrapKey(Session& session, const Request& request);
Reply UnwrapKey(Session& session, const Request& request);
// gcm.cc
Reply EncryptGcm(Session& session, const Request& request);
Reply DecryptGcm(Session& session, const Request& request);
// macs.cc
Reply GenerateMac(Session& session, const Request& request);
Reply VerifyMac(Session& session, const Request& request);
// signatures.cc
Reply Sign(Session& session, const Request& request);
Reply Verify(Session& session, const Request& request);
// rsa_encryption.cc
Reply RsaEncrypt(Session& session, const Request& request);
Reply RsaDecrypt(Session& session, const Request& request);
// agreement.cc
Reply Agree(Session& session, const Request& request);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_OPERATIONS_H_
