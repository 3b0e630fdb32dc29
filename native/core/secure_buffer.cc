#include "core/secure_buffer.h"

#include <openssl/crypto.h>

#include <utility>

#include "core/declassify.h"
#include "core/library_context.h"
#include "core/vector_registers.h"

namespace keywright {

void Cleanse(MutableBytes secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

bool ConstantTimeEqual(Bytes a, Bytes b) {
  return a.size() == b.size() && Declassified(CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

Result<SecureBuffer> SecureBuffer::Allocate(std::size_t size) {
  if (size == 0) {
    return Status::kInvalidArgument;
  }
  auto* data = static_cast<std::uint8_t*>(OPENSSL_secure_zalloc(size));
  if (data == nullptr) {
    return Fail(Status::kOutOfSecureMemory);
  }
  return SecureBuffer(data, size);
}

Result<SecureBuffer> SecureBuffer::CopyOf(Bytes secret) {
  Result<SecureBuffer> buffer = Allocate(secret.size());
  if (buffer.ok()) {
    CopyBytes(secret, buffer.value().bytes());
    // Before the dynamic linker saves them on the stack, where a function is bound late.
    ClearVectorRegisters();
  }
  return buffer;
}

SecureBuffer::SecureBuffer(SecureBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecureBuffer& SecureBuffer::operator=(SecureBuffer&& other) noexcept {
  if (this != &other) {
    Free();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

SecureBuffer::~SecureBuffer() { Free(); }

void SecureBuffer::Free() {
  if (data_ != nullptr) {
    OPENSSL_secure_clear_free(data_, capacity_);
  }
}

void SecureBuffer::Truncate(std::size_t size) {
  if (size >= size_) {
    return;
  }
  Cleanse(bytes().subspan(size));
  size_ = size;
}

}  // namespace keywright
