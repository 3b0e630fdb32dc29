#include "core/protected_key.h"

#include <utility>

#include "core/kdf.h"
#include "core/key_access.h"
#include "core/secure_buffer.h"

namespace keywright {

Status WrapKey(const Key& kek, const Key& key, Bytes aad, MutableBytes out) {
  if (kek.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  if (aad.size() > kMaxDataBytes || out.size() != key.size() + kWrapOverheadBytes ||
      Overlaps(out, aad)) {
    return Status::kInvalidArgument;
  }
  const auto type = static_cast<std::uint8_t>(key.type());
  return CommittingEncrypt(kek, {.label = kWrapLabel, .aad_prefix = {&type, 1}, .aad = aad},
                           KeyAccess::BytesOf(key), out);
}

Result<KeyPtr> UnwrapKey(const Key& kek, Bytes wrapped, Bytes aad, KeyType type) {
  if (kek.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  if (aad.size() > kMaxDataBytes) {
    return Status::kInvalidArgument;
  }
  // Also keeps a hostile length from filling the secure heap.
  if (wrapped.size() < kWrapOverheadBytes ||
      !IsKeyLength(type, wrapped.size() - kWrapOverheadBytes)) {
    return Status::kAuthenticationFailed;
  }
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(wrapped.size() - kWrapOverheadBytes);
  if (!bytes.ok()) {
    return bytes.status();
  }
  const auto number = static_cast<std::uint8_t>(type);
  const Status status =
      CommittingDecrypt(kek, {.label = kWrapLabel, .aad_prefix = {&number, 1}, .aad = aad}, wrapped,
                        bytes.value().bytes());
  if (status != Status::kOk) {
    return status;
  }
  return Key::Adopt(type, std::move(bytes).value());
}

}  // namespace keywright
