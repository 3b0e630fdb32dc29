#include "core/protected_key.h"

#include <utility>

#include "core/kdf.h"
#include "core/secret_form.h"
#include "core/secure_buffer.h"

namespace keywright {

Status WrapKey(const Key& kek, const Key& key, Bytes aad, MutableBytes out) {
  if (kek.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  const Result<SecretForm> form = SecretForm::Of(key);
  if (!form.ok()) {
    return form.status();
  }
  if (aad.size() > kMaxDataBytes || out.size() != form.value().size() + kWrapOverheadBytes ||
      Overlaps(out, aad)) {
    return Status::kInvalidArgument;
  }
  const auto type = static_cast<std::uint8_t>(key.type());
  return CommittingEncrypt(kek, {.label = kWrapLabel, .aad_prefix = {&type, 1}, .aad = aad},
                           form.value().bytes(), out);
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
      !IsSecretFormLength(type, wrapped.size() - kWrapOverheadBytes)) {
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
  // The type was authenticated with the bytes: they are a key of it unless libcrypto failed.
  return KeyFromSecretForm(type, std::move(bytes).value());
}

}  // namespace keywright
