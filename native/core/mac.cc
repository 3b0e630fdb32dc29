#include "core/mac.h"

#include <utility>

#include "core/library_context.h"
#include "core/secure_buffer.h"
#include "core/thread_contexts.h"

namespace keywright {

Status Hmac(const Key& key, DigestAlgorithm algorithm, Bytes data, MutableBytes mac) {
  if (key.type() != KeyType::kHmac) {
    return Status::kWrongKeyType;
  }
  if (mac.size() != DigestSize(algorithm) || Overlaps(mac, data)) {
    return Status::kInvalidArgument;
  }
  HmacContext& context = ThreadContexts::Current().hmac[DigestIndex(algorithm)];
  return context.Compute(key, data, mac) ? Status::kOk : Fail(Status::kLibcryptoFailed);
}

Result<bool> HmacVerify(const Key& key, DigestAlgorithm algorithm, Bytes data, Bytes mac) {
  SecretArray<kMaxDigestBytes> block;
  const MutableBytes expected = block.bytes().first(DigestSize(algorithm));
  if (const Status status = Hmac(key, algorithm, data, expected); status != Status::kOk) {
    return status;
  }
  return ConstantTimeEqual(expected, mac);
}

Result<KeyPtr> DeriveHmacKey(const Key& key, DigestAlgorithm algorithm, Bytes data) {
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(DigestSize(algorithm));
  if (!bytes.ok()) {
    return bytes.status();
  }
  if (const Status status = Hmac(key, algorithm, data, bytes.value().bytes());
      status != Status::kOk) {
    return status;
  }
  return Key::Adopt(KeyType::kHmac, std::move(bytes).value());
}

}  // namespace keywright
