#ifndef KEYWRIGHT_NAPI_ARGUMENTS_H_
#define KEYWRIGHT_NAPI_ARGUMENTS_H_

#include <node_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/bytes.h"
#include "core/digest_algorithm.h"
#include "core/key.h"
#include "core/packed_items.h"
#include "core/vector_registers.h"
#include "napi/environment.h"

namespace keywright {

// Reads the arguments of one call. A value of the wrong JavaScript type is remembered and reads as
// empty, so a function reads all it needs and asks ok() once, before it uses any of it. With the
// call what it left in vector registers goes.
class Arguments {
 public:
  static constexpr std::size_t kMaxCount = 8;

  Arguments(napi_env env, napi_callback_info info);
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  ~Arguments() { ClearVectorRegisters(); }

  Environment& environment() const { return *environment_; }
  bool ok() const { return is_ok_; }

  // A Uint8Array (a Buffer is one), at its own byte offset.
  MutableBytes WritableAt(std::size_t index);
  Bytes BytesAt(std::size_t index) { return WritableAt(index); }
  std::span<std::uint32_t> Uint32ArrayAt(std::size_t index);

  // A whole number of 0 to 2^32 - 1.
  std::uint32_t NumberAt(std::size_t index);
  std::optional<KeyType> KeyTypeAt(std::size_t index) { return KeyTypeFromNumber(NumberAt(index)); }
  std::optional<DigestAlgorithm> DigestAt(std::size_t index) {
    return DigestAlgorithmFromNumber(NumberAt(index));
  }

  // The key of a handle number; null when there is none.
  const Key* KeyAt(std::size_t index);
  // The same, kept alive by the result.
  KeyPtr SharedKeyAt(std::size_t index);

  napi_env env() const { return env_; }
  napi_value ValueAt(std::size_t index) const { return values_[index]; }

 private:
  template <typename T>
  std::span<T> TypedArrayAt(std::size_t index, napi_typedarray_type type);

  napi_env env_;
  Environment* environment_ = nullptr;
  bool is_ok_;
  // Arguments that were not given are undefined.
  std::array<napi_value, kMaxCount> values_;
};

// Region of `size` bytes at `offset`; kBufferTooSmall when `out` does not hold it.
Result<MutableBytes> RegionOf(MutableBytes out, std::size_t offset, std::size_t size);

// What a function answers to JavaScript: a number of bytes, a handle or a flag, or the negative
// number of a status.
std::int32_t CodeOf(Status status);
std::int32_t CodeOf(Status status, std::size_t value);
std::int32_t CodeOf(const Result<std::size_t>& result);
std::int32_t CodeOf(Environment& environment, Result<KeyPtr> key);

// Makes a JavaScript function of `Function`, which takes the arguments and gives the number to
// answer.
template <std::int32_t (*Function)(Arguments&)>
napi_value Call(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  napi_value result = nullptr;
  // Cannot fail for an int32; were it to, undefined reaches JavaScript, where it is not a number of
  // anything.
  napi_create_int32(env, Function(arguments), &result);
  return result;
}

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_ARGUMENTS_H_
