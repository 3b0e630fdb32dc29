#ifndef KEYWRIGHT_PKCS11_PERFORM_H_
#define KEYWRIGHT_PKCS11_PERFORM_H_

#include "pkcs11/request.h"
#include "pkcs11/session.h"

namespace keywright::pkcs11 {

// Does the request in the session. A failure whose `rv` says that the session, the login or the
// token is gone (recovery.h) has had no effect that a repetition would double: what makes keys
// looks first whether the id is taken.
//
//   operation           numbers                    common           items            outputs
//   kGenerateRandom     bytes                      -                -                the bytes
//   kGenerateSecretKey  secret type, flags, bytes  CKA_LABEL        -                -
//   kGenerateKeyPair    pair type, flags           CKA_LABEL        -                SPKI
//   kFindKeys           -                          -                -                records, below
//   kDestroyKey         -                          -                -                -
//   kExportPublicKey    -                          -                -                SPKI
//   kWrapKey            wrap mechanism             id of the key    -                wrapped key
//   kUnwrapKey          wrap mechanism, secret     CKA_ID, then     the wrapped key  -
//                       type, flags, id bytes      CKA_LABEL
//   kEncryptGcm         -                          AAD              plaintexts       IV‖ct‖tag
//   kDecryptGcm         -                          AAD              IV‖ct‖tag        plaintexts
//   kGenerateMac        digest                     -                messages         MACs
//   kVerifyMac          digest                     -                MAC‖message      empty ones
//   kSign               signature algorithm        -                digests          signatures
//   kVerify             signature algorithm        the signature    the digest       an empty one
//   kRsaEncrypt         encryption algorithm       -                plaintexts       ciphertexts
//   kRsaDecrypt         encryption algorithm       -                ciphertexts      plaintexts
//   kAgree              -                          peer SPKI        -                the secret
//   kImportPublicKey    pair type, flags           CKA_LABEL        SPKI             -
//
// Where a scheme hashes for itself (Ed25519, ML-DSA), messages take the place of digests.
//
// Digests, signature, encryption and wrapping algorithms have the numbers of src/core/codes.ts;
// secret types, pair types and flags those of src/pkcs11/codes.ts.
//
// A record of kFindKeys, big-endian: CKA_CLASS (4) ‖ CKA_KEY_TYPE (4) ‖ bits (1: token, 2:
// sensitive, 4: extractable) in one byte ‖ bytes of CKA_ID (2) ‖ CKA_ID ‖ CKA_LABEL.
//
// A failure that says something about one item only (kAuthenticationFailed, kTooLong,
// kInvalidArgument) is in `failures`, and the other items are done; any other is that of the
// request.
Reply Perform(Session& session, const Request& request);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_PERFORM_H_
