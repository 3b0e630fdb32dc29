#ifndef KEYWRIGHT_CORE_SECRET_FORM_H_
#define KEYWRIGHT_CORE_SECRET_FORM_H_

#include <cstddef>
#include <utility>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"
#include "core/secure_buffer.h"

namespace keywright {

// The bytes that stand for a key of any type when it is wrapped: the key itself, or the private
// form of a key pair. Valid while the key lives. As secret as the key.
class SecretForm {
 public:
  // kWrongKeyType for a public key.
  static Result<SecretForm> Of(const Key& key);

  Bytes bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  explicit SecretForm(Bytes bytes) : bytes_(bytes) {}
  explicit SecretForm(SecureBuffer owned) : owned_(std::move(owned)), bytes_(owned_.bytes()) {}

  SecureBuffer owned_;  // empty when the bytes are those of the key
  Bytes bytes_;
};

// Whether a key of `type` may have a secret form of that length.
bool IsSecretFormLength(KeyType type, std::size_t length);

// The longest one of any type.
inline constexpr std::size_t kMaxSecretFormBytes = 8192;

// The way back. kInvalidKey when the bytes are no key of `type`.
Result<KeyPtr> KeyFromSecretForm(KeyType type, SecureBuffer form);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_SECRET_FORM_H_
