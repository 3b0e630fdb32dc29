#include "core/key_wrap.h"

#include <utility>

#include "core/key_access.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"

namespace keywright {
namespace {

// A new context each time: keys are wrapped rarely, and no schedule of a KEK stays behind.
EvpCipherCtxPtr Start(const EVP_CIPHER* cipher, Bytes kek, int is_wrapping) {
  EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  if (!context) {
    return nullptr;
  }
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const bool is_ready =
      EVP_CipherInit_ex2(context.get(), cipher, kek.data(), nullptr, is_wrapping, nullptr) == 1;
  return is_ready ? std::move(context) : nullptr;
}

Status Wrap(const EVP_CIPHER* cipher, const Key& kek, Bytes secret, MutableBytes out) {
  const EvpCipherCtxPtr context = Start(cipher, KeyAccess::BytesOf(kek), 1);
  int written = 0;
  if (context &&
      EVP_CipherUpdate(context.get(), out.data(), &written, secret.data(),
                       static_cast<int>(secret.size())) == 1 &&
      static_cast<std::size_t>(written) == out.size()) {
    return Status::kOk;
  }
  return Fail(Status::kLibcryptoFailed);
}

Result<SecureBuffer> Unwrap(const EVP_CIPHER* cipher, Bytes kek, Bytes wrapped) {
  // Both: two blocks of 8 bytes at least (RFC 5649 §4.2); three without padding, which libcrypto
  // checks.
  if (wrapped.size() % 8 != 0 || wrapped.size() < 16 ||
      wrapped.size() > KwpWrappedSize(kMaxSecretFormBytes)) {
    return Status::kAuthenticationFailed;
  }
  // libcrypto works in the output before it knows the length of the key: room for all of the input.
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(wrapped.size());
  if (!bytes.ok()) {
    return bytes.status();
  }
  const EvpCipherCtxPtr context = Start(cipher, kek, 0);
  if (!context) {
    return Fail(Status::kLibcryptoFailed);
  }
  int written = 0;
  if (EVP_CipherUpdate(context.get(), bytes.value().bytes().data(), &written, wrapped.data(),
                       static_cast<int>(wrapped.size())) != 1 ||
      written <= 0) {
    return Fail(Status::kAuthenticationFailed);
  }
  bytes.value().Truncate(static_cast<std::size_t>(written));
  return bytes;
}

Result<KeyPtr> UnwrapAs(KeyType type, const EVP_CIPHER* cipher, const Key& kek, Bytes wrapped) {
  Result<SecureBuffer> bytes = Unwrap(cipher, KeyAccess::BytesOf(kek), wrapped);
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
  return Wrap(Library().aes_256_kwp, kek, form.value().bytes(), out);
}

Result<KeyPtr> KwpUnwrap(const Key& kek, Bytes wrapped, KeyType type) {
  if (kek.type() != KeyType::kAesKwp) {
    return Status::kWrongKeyType;
  }
  return UnwrapAs(type, Library().aes_256_kwp, kek, wrapped);
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
  return Wrap(Library().aes_256_kw, kek, form.value().bytes(), out);
}

Result<KeyPtr> KwUnwrap(const Key& kek, Bytes wrapped, KeyType type) {
  if (kek.type() != KeyType::kAesKw) {
    return Status::kWrongKeyType;
  }
  return UnwrapAs(type, Library().aes_256_kw, kek, wrapped);
}

Result<SecureBuffer> KwpUnwrapSecret(std::span<const std::uint8_t, kAes256KeyBytes> kek,
                                     Bytes wrapped) {
  return Unwrap(Library().aes_256_kwp, kek, wrapped);
}

}  // namespace keywright
