#include "core/secret_form.h"

#include "core/key_access.h"
#include "core/key_pair_codec.h"

namespace keywright {

static_assert(kMaxPkcs8Bytes <= kMaxSecretFormBytes);

Result<SecretForm> SecretForm::Of(const Key& key) {
  if (!IsAsymmetric(key.type())) {
    return SecretForm(KeyAccess::BytesOf(key));
  }
  Result<SecureBuffer> form = PrivateFormOf(key);
  if (!form.ok()) {
    return form.status();
  }
  return SecretForm(std::move(form).value());
}

bool IsSecretFormLength(KeyType type, std::size_t length) {
  return IsAsymmetric(type) ? IsPrivateFormLength(type, length) : IsKeyLength(type, length);
}

Result<KeyPtr> KeyFromSecretForm(KeyType type, SecureBuffer form) {
  if (IsAsymmetric(type)) {
    return KeyFromPrivateForm(type, form.bytes());
  }
  return IsKeyLength(type, form.size()) ? Key::Adopt(type, std::move(form)) : Status::kInvalidKey;
}

}  // namespace keywright
