#include "core/packed_items.h"

namespace keywright {
namespace {

template <typename T>
Bytes RawBytes(std::span<T> values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

}  // namespace

Result<std::size_t> CheckBatch(const PackedItems& items, Growth growth,
                               std::initializer_list<Bytes> inputs, const PackedOutput& out) {
  if (out.ends.size() != items.ends.size()) {
    return Status::kInvalidArgument;
  }
  std::size_t begin = 0;
  std::size_t total = 0;
  for (const std::uint32_t end : items.ends) {
    if (end < begin || end > items.data.size()) {
      return Status::kInvalidArgument;
    }
    total += ResultSize(end - begin, growth);
    if (total > kMaxDataBytes) {
      return Status::kInvalidArgument;
    }
    begin = end;
  }
  if (total > out.data.size()) {
    return Status::kBufferTooSmall;
  }

  const Bytes results = out.data.first(total);
  const Bytes result_ends = RawBytes(out.ends);
  const auto is_written = [&](Bytes input) {
    return Overlaps(results, input) || Overlaps(result_ends, input);
  };
  if (is_written(items.used()) || is_written(RawBytes(items.ends)) ||
      Overlaps(results, result_ends) || std::any_of(inputs.begin(), inputs.end(), is_written)) {
    return Status::kInvalidArgument;
  }
  return total;
}

}  // namespace keywright
