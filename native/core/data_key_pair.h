#ifndef KEYWRIGHT_CORE_DATA_KEY_PAIR_H_
#define KEYWRIGHT_CORE_DATA_KEY_PAIR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"
#include "core/secure_buffer.h"

namespace keywright {

// A key pair and what a caller gets of it.
struct DataKeyPair {
  std::vector<std::uint8_t> public_key;  // SubjectPublicKeyInfo
  SecureBuffer private_key;              // PrivateKeyInfo
  std::vector<std::uint8_t> blob;        // the PrivateKeyInfo as a message (message.h)
};

// Makes a pair of `type` and encrypts its private key under a backing key. kInvalidArgument for
// types that are no key pairs or whose private keys nobody takes out (ML-DSA).
Result<DataKeyPair> GenerateDataKeyPair(const Key& key, Bytes header, Bytes context, KeyType type);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_DATA_KEY_PAIR_H_
