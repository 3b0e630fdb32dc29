#include "core/key_wrap.h"

#include <utility>

#include "core/key_access.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

// A new context each time: keys are wrapped rarely, and no schedule of a KEK stays behind.
EvpCipherCtxPtr Start(const Key& kek, int is_wrapping) {
  EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  if (!context) {
    return nullptr;
  }
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const bool is_ready =
      EVP_CipherInit_ex2(context.get(), Library().aes_256_kwp, KeyAccess::BytesOf(kek).data(),
                         nullptr, is_wrapping, nullptr) == 1;
  return is_ready ? std::move(context) : nullptr;
}

}  // namespace

Status KwpWrap(const Key& kek, const Key& key, MutableBytes out) {
  if (kek.type() != KeyType::kAesKwp) {
    return Status::kWrongKeyType;
  }
  if (out.size() != KwpWrappedSize(key.size())) {
    return Status::kInvalidArgument;
  }
  const EvpCipherCtxPtr context = Start(kek, 1);
  const Bytes bytes = KeyAccess::BytesOf(key);
  int written = 0;
  if (context &&
      EVP_CipherUpdate(context.get(), out.data(), &written, bytes.data(),
                       static_cast<int>(bytes.size())) == 1 &&
      static_cast<std::size_t>(written) == out.size()) {
    return Status::kOk;
  }
  return Fail(Status::kLibcryptoFailed);
}

Result<KeyPtr> KwpUnwrap(const Key& kek, Bytes wrapped, KeyType type) {
  if (kek.type() != KeyType::kAesKwp) {
    return Status::kWrongKeyType;
  }
  // RFC 5649 §4.2: two blocks of 8 bytes at least.
  if (wrapped.size() % 8 != 0 || wrapped.size() < 16 ||
      wrapped.size() > KwpWrappedSize(kMaxSecretKeyBytes)) {
    return Status::kAuthenticationFailed;
  }
  // libcrypto works in the output before it knows the length of the key: room for all of the input.
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(wrapped.size());
  if (!bytes.ok()) {
    return bytes.status();
  }
  const EvpCipherCtxPtr context = Start(kek, 0);
  if (!context) {
    return Fail(Status::kLibcryptoFailed);
  }
  int written = 0;
  if (EVP_CipherUpdate(context.get(), bytes.value().bytes().data(), &written, wrapped.data(),
                       static_cast<int>(wrapped.size())) != 1 ||
      written < 0 || !IsKeyLength(type, static_cast<std::size_t>(written))) {
    return Fail(Status::kAuthenticationFailed);
  }
  bytes.value().Truncate(static_cast<std::size_t>(written));
  return Key::Adopt(type, std::move(bytes).value());
}

}  // namespace keywright
