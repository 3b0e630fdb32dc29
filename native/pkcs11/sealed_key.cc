#include "pkcs11/sealed_key.h"

#include <utility>

#include "core/secret_form.h"
#include "core/vector_registers.h"

namespace keywright::pkcs11 {

bool AddKey(const Key& key, Request* request) {
  const Result<SecretForm> form = SecretForm::Of(key);
  if (!form.ok()) {
    return false;
  }
  Result<PrivateBuffer> copy = PrivateBuffer::CopyOf(form.value().bytes());
  if (!copy.ok()) {
    return false;
  }
  request->items.push_back(std::move(copy).value());
  return true;
}

Failure TakeKey(const Reply& reply, KeyType type, KeyPtr* key) {
  if (!reply.failure.ok()) {
    return reply.failure;
  }
  if (!reply.failures.empty() && !reply.failures.front().ok()) {
    return reply.failures.front();
  }
  const Bytes form = reply.outputs.empty() ? Bytes() : reply.outputs.front().bytes();
  if (!IsSecretFormLength(type, form.size())) {
    return {.reason = Reason::kAuthenticationFailed};
  }
  Result<SecureBuffer> copy = SecureBuffer::CopyOf(form);
  if (!copy.ok()) {
    return {.reason = Reason::kOutOfMemory};
  }
  Result<KeyPtr> made = KeyFromSecretForm(type, std::move(copy).value());
  if (!made.ok()) {
    return {.reason = made.status() == Status::kInvalidKey ? Reason::kAuthenticationFailed
                                                           : Reason::kOutOfMemory};
  }
  *key = std::move(made).value();
  ClearVectorRegisters();
  return {};
}

}  // namespace keywright::pkcs11
