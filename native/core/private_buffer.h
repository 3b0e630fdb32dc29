#ifndef KEYWRIGHT_CORE_PRIVATE_BUFFER_H_
#define KEYWRIGHT_CORE_PRIVATE_BUFFER_H_

#include <openssl/crypto.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/bytes.h"
#include "core/private_heap.h"
#include "core/result.h"
#include "core/secure_buffer.h"

namespace keywright {

// Bytes in the private heap (private_heap.h), for what comes from the host or goes to it: wiped
// when they go, as those of a SecureBuffer, but without its one lock, for which threads would wait.
// Move-only.
class PrivateBuffer {
 public:
  // `size` bytes of any value. kOutOfSecureMemory when there is no memory.
  static Result<PrivateBuffer> Allocate(std::size_t size) {
    if (size == 0) {
      return PrivateBuffer();
    }
    auto* data = static_cast<std::uint8_t*>(OPENSSL_malloc(size));
    return data == nullptr ? Result<PrivateBuffer>(Status::kOutOfSecureMemory)
                           : PrivateBuffer(data, size);
  }
  static Result<PrivateBuffer> CopyOf(Bytes bytes) {
    Result<PrivateBuffer> buffer = Allocate(bytes.size());
    if (buffer.ok()) {
      CopyBytes(bytes, buffer.value().bytes());
    }
    return buffer;
  }

  PrivateBuffer() = default;
  PrivateBuffer(PrivateBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  PrivateBuffer& operator=(PrivateBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  PrivateBuffer(const PrivateBuffer&) = delete;
  PrivateBuffer& operator=(const PrivateBuffer&) = delete;
  ~PrivateBuffer() { FreePrivate(data_, capacity_); }

  Bytes bytes() const { return {data_, size_}; }
  MutableBytes bytes() { return {data_, size_}; }

  // Shortens to `size`, at most what there is.
  void Truncate(std::size_t size) { size_ = size < size_ ? size : size_; }

 private:
  PrivateBuffer(std::uint8_t* data, std::size_t size) : data_(data), size_(size), capacity_(size) {}

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PRIVATE_BUFFER_H_
