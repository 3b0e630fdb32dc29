#ifndef KEYWRIGHT_CORE_MAC_H_
#define KEYWRIGHT_CORE_MAC_H_

#include "core/bytes.h"
#include "core/digest_algorithm.h"
#include "core/key.h"
#include "core/result.h"

// HMAC (RFC 2104, FIPS 198-1) under kHmac keys.

namespace keywright {

// `mac` has DigestSize(algorithm) bytes and does not overlap `data`.
Status Hmac(const Key& key, DigestAlgorithm algorithm, Bytes data, MutableBytes mac);

// Compares in constant time; false for a MAC of any other length.
Result<bool> HmacVerify(const Key& key, DigestAlgorithm algorithm, Bytes data, Bytes mac);

// The MAC as a new kHmac key.
Result<KeyPtr> DeriveHmacKey(const Key& key, DigestAlgorithm algorithm, Bytes data);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_MAC_H_
