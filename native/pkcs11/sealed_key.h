#ifndef KEYWRIGHT_PKCS11_SEALED_KEY_H_
#define KEYWRIGHT_PKCS11_SEALED_KEY_H_

#include "core/key.h"
#include "pkcs11/request.h"

namespace keywright::pkcs11 {

// A key of the core as the item of a request that encrypts it, without a binding in between. False
// for a public key, and when there is no memory.
bool AddKey(const Key& key, Request* request);

// The key of `type` that a reply brings. kAuthenticationFailed when what it brings is no such key.
Failure TakeKey(const Reply& reply, KeyType type, KeyPtr* key);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_SEALED_KEY_H_
