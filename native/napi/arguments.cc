#include "napi/arguments.h"

#include <limits>
#include <utility>

namespace keywright {

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  std::size_t count = kMaxCount;
  void* data = nullptr;
  is_ok_ = napi_get_cb_info(env, info, &count, values_.data(), nullptr, &data) == napi_ok;
  environment_ = static_cast<Environment*>(data);
}

template <typename T>
std::span<T> Arguments::TypedArrayAt(std::size_t index, napi_typedarray_type type) {
  napi_typedarray_type actual = napi_int8_array;
  std::size_t length = 0;
  void* data = nullptr;
  // Not napi_get_buffer_info, which ends the process when the value is no buffer.
  if (napi_get_typedarray_info(env_, values_[index], &actual, &length, &data, nullptr, nullptr) !=
          napi_ok ||
      actual != type) {
    is_ok_ = false;
    return {};
  }
  return {static_cast<T*>(data), length};
}

MutableBytes Arguments::WritableAt(std::size_t index) {
  return TypedArrayAt<std::uint8_t>(index, napi_uint8_array);
}

std::span<std::uint32_t> Arguments::Uint32ArrayAt(std::size_t index) {
  return TypedArrayAt<std::uint32_t>(index, napi_uint32_array);
}

std::uint32_t Arguments::NumberAt(std::size_t index) {
  double number = 0;
  // As a double: the integer getters of Node-API wrap around and cut off silently.
  const bool is_number = napi_get_value_double(env_, values_[index], &number) == napi_ok;
  if (is_number && number >= 0 && number <= std::numeric_limits<std::uint32_t>::max()) {
    const auto whole = static_cast<std::uint32_t>(number);
    if (static_cast<double>(whole) == number) {
      return whole;
    }
  }
  is_ok_ = false;
  return 0;
}

const Key* Arguments::KeyAt(std::size_t index) { return environment_->keys.Find(NumberAt(index)); }

KeyPtr Arguments::SharedKeyAt(std::size_t index) {
  return environment_->keys.FindShared(NumberAt(index));
}

Result<MutableBytes> RegionOf(MutableBytes out, std::size_t offset, std::size_t size) {
  if (offset > out.size() || size > out.size() - offset) {
    return Status::kBufferTooSmall;
  }
  return out.subspan(offset, size);
}

std::int32_t CodeOf(Status status) { return -static_cast<std::int32_t>(status); }

std::int32_t CodeOf(Status status, std::size_t value) {
  return status == Status::kOk ? static_cast<std::int32_t>(value) : CodeOf(status);
}

std::int32_t CodeOf(const Result<std::size_t>& result) {
  return result.ok() ? static_cast<std::int32_t>(result.value()) : CodeOf(result.status());
}

std::int32_t CodeOf(Environment& environment, Result<KeyPtr> key) {
  if (!key.ok()) {
    return CodeOf(key.status());
  }
  const Result<KeyHandle> handle = environment.keys.Add(std::move(key).value());
  return handle.ok() ? handle.value() : CodeOf(handle.status());
}

}  // namespace keywright
