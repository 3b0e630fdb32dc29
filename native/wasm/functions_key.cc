#include "core/digest.h"
#include "core/hkdf.h"
#include "core/kdf.h"
#include "core/key_wrap.h"
#include "core/mac.h"
#include "core/passphrase.h"
#include "core/protected_key.h"
#include "core/random.h"
#include "core/secret_form.h"
#include "wasm/slots.h"

namespace keywright {
namespace {

Status DestroyKey(std::size_t handle) {
  Keys().Remove(static_cast<std::int64_t>(handle));
  return Status::kOk;
}

// Bytes of its secret form, which are those that wrapping protects.
Result<std::size_t> KeyLength(const Key& key) {
  const Result<SecretForm> form = SecretForm::Of(key);
  if (!form.ok()) {
    return form.status();
  }
  return form.value().size();
}

Result<KeyPtr> PassphraseKey(Bytes passphrase, Bytes salt, std::size_t memory_kib,
                             std::size_t iterations) {
  return DeriveKeyFromPassphrase(passphrase, salt,
                                 {.memory_kib = static_cast<std::uint32_t>(memory_kib),
                                  .iterations = static_cast<std::uint32_t>(iterations)});
}

}  // namespace
}  // namespace keywright

KEYWRIGHT_EXPORT(randomInto, keywright::RandomPublic)
KEYWRIGHT_EXPORT(digestInto, keywright::Digest)
KEYWRIGHT_EXPORT(hmacInto, keywright::Hmac)
KEYWRIGHT_EXPORT(hmacVerify, keywright::HmacVerify)
KEYWRIGHT_EXPORT(hkdfInto, keywright::Hkdf)
KEYWRIGHT_EXPORT(deriveHmacKey, keywright::DeriveHmacKey)
KEYWRIGHT_EXPORT(generateKey, keywright::Key::Generate)
KEYWRIGHT_EXPORT(importKey, keywright::Key::Import)
KEYWRIGHT_EXPORT(destroyKey, keywright::DestroyKey)
KEYWRIGHT_EXPORT(keyLength, keywright::KeyLength)
KEYWRIGHT_EXPORT(deriveBytesInto, keywright::DeriveBytes)
KEYWRIGHT_EXPORT(deriveKey, keywright::DeriveKey)
KEYWRIGHT_EXPORT(deriveKeyFromPassphrase, keywright::PassphraseKey)
KEYWRIGHT_EXPORT(wrapKeyInto, keywright::WrapKey)
KEYWRIGHT_EXPORT(unwrapKey, keywright::UnwrapKey)
KEYWRIGHT_EXPORT(kwpWrapInto, keywright::KwpWrap)
KEYWRIGHT_EXPORT(kwpUnwrap, keywright::KwpUnwrap)
KEYWRIGHT_EXPORT(kwWrapInto, keywright::KwWrap)
KEYWRIGHT_EXPORT(kwUnwrap, keywright::KwUnwrap)
