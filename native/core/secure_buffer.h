#ifndef KEYWRIGHT_CORE_SECURE_BUFFER_H_
#define KEYWRIGHT_CORE_SECURE_BUFFER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"
#include "core/result.h"

namespace keywright {

// Overwrites the region in a way that the compiler does not remove.
void Cleanse(MutableBytes secret);

// Compares in a time that depends on the lengths only. False for different lengths.
bool ConstantTimeEqual(Bytes a, Bytes b);

// A secret in the secure heap. Move-only, cleansed when it goes.
class SecureBuffer {
 public:
  // `size` bytes, at least 1, all zero. kOutOfSecureMemory when the secure heap is full.
  static Result<SecureBuffer> Allocate(std::size_t size);
  static Result<SecureBuffer> CopyOf(Bytes secret);

  SecureBuffer() = default;
  SecureBuffer(SecureBuffer&& other) noexcept;
  SecureBuffer& operator=(SecureBuffer&& other) noexcept;
  SecureBuffer(const SecureBuffer&) = delete;
  SecureBuffer& operator=(const SecureBuffer&) = delete;
  ~SecureBuffer();

  std::size_t size() const { return size_; }
  Bytes bytes() const { return {data_, size_}; }
  MutableBytes bytes() { return {data_, size_}; }

  // Shortens to `size`, at most size(); the tail is cleansed at once.
  void Truncate(std::size_t size);

 private:
  SecureBuffer(std::uint8_t* data, std::size_t size) : data_(data), size_(size), capacity_(size) {}
  void Free();

  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// A secret of fixed size that lives for one call, on the stack; cleansed when it goes.
template <std::size_t kSize>
class SecretArray {
 public:
  SecretArray() = default;
  SecretArray(const SecretArray&) = delete;
  SecretArray& operator=(const SecretArray&) = delete;
  ~SecretArray() { Cleanse(data_); }

  std::span<std::uint8_t, kSize> bytes() { return data_; }
  std::span<const std::uint8_t, kSize> bytes() const { return data_; }

 private:
  std::array<std::uint8_t, kSize> data_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_SECURE_BUFFER_H_
