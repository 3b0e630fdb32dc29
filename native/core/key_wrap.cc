#include "core/key_wrap.h"

#include <utility>

#include "core/key_access.h"
#include "core/semiblock_wrap.h"

namespace keywright {
namespace {

// Precondition: a type whose keys have 32 bytes.
WrappingKey BytesOf(const Key& kek) { return KeyAccess::BytesOf(kek).first<kAes256KeyBytes>(); }

Result<KeyPtr> UnwrapAs(KeyType type, WrapPadding padding, const Key& kek, Bytes wrapped) {
  if (wrapped.size() > KwpWrappedSize(kMaxSecretFormBytes)) {
    return Status::kAuthenticationFailed;
  }
  Result<SecureBuffer> bytes = UnwrapSecret(BytesOf(kek), padding, wrapped);
  if (!bytes.ok()) {
    return bytes.status();
  }
  Result<KeyPtr> key = KeyFromSecretForm(type, std::move(bytes).value());
  return key.status() == Status::kInvalidKey ? Status::kAuthenticationFailed : std::move(key);
}

}  // namespace

Status KwpWrap(const Key& kek, const Key& key, MutableBytes out) {
  if (kek.type() != KeyType::kAesKwp) {
    return Status::kWrongKeyType;
  }
  const Result<SecretForm> form = SecretForm::Of(key);
  if (!form.ok()) {
    return form.status();
  }
  if (out.size() != KwpWrappedSize(form.value().size())) {
    return Status::kInvalidArgument;
  }
  return WrapSecret(BytesOf(kek), WrapPadding::kPadded, form.value().bytes(), out);
}

Result<KeyPtr> KwpUnwrap(const Key& kek, Bytes wrapped, KeyType type) {
  if (kek.type() != KeyType::kAesKwp) {
    return Status::kWrongKeyType;
  }
  return UnwrapAs(type, WrapPadding::kPadded, kek, wrapped);
}

Status KwWrap(const Key& kek, const Key& key, MutableBytes out) {
  if (kek.type() != KeyType::kAesKw) {
    return Status::kWrongKeyType;
  }
  const Result<SecretForm> form = SecretForm::Of(key);
  if (!form.ok()) {
    return form.status();
  }
  const std::size_t size = form.value().size();
  if (size < 16 || size % 8 != 0 || out.size() != KwWrappedSize(size)) {
    return Status::kInvalidArgument;
  }
  return WrapSecret(BytesOf(kek), WrapPadding::kNone, form.value().bytes(), out);
}

Result<KeyPtr> KwUnwrap(const Key& kek, Bytes wrapped, KeyType type) {
  if (kek.type() != KeyType::kAesKw) {
    return Status::kWrongKeyType;
  }
  return UnwrapAs(type, WrapPadding::kNone, kek, wrapped);
}

}  // namespace keywright
