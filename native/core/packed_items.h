#ifndef KEYWRIGHT_CORE_PACKED_ITEMS_H_
#define KEYWRIGHT_CORE_PACKED_ITEMS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "core/bytes.h"
#include "core/result.h"
#include "core/secure_buffer.h"

namespace keywright {

// Items end to end in `data`; item i ends before data[ends[i]], and the first begins at 0.
struct PackedItems {
  Bytes data;
  std::span<const std::uint32_t> ends;

  Bytes used() const {
    return ends.empty() ? Bytes() : data.first(std::min<std::size_t>(data.size(), ends.back()));
  }
};

// Where the results of a batch go: end to end in `data`, with as many `ends` as there are items.
struct PackedOutput {
  MutableBytes data;
  std::span<std::uint32_t> ends;
};

// How many bytes longer (or, for a negative number, shorter) than its item every result is.
using Growth = std::ptrdiff_t;

constexpr std::size_t ResultSize(std::size_t item_size, Growth growth) {
  const auto overhead = static_cast<std::size_t>(growth < 0 ? -growth : growth);
  if (growth >= 0) {
    return item_size + overhead;
  }
  return item_size < overhead ? 0 : item_size - overhead;
}

// Total size of the results. kInvalidArgument when the ends do not fit the data or something
// overlaps (`inputs` are those that all items share), kBufferTooSmall when the results do not fit.
Result<std::size_t> CheckBatch(const PackedItems& items, Growth growth,
                               std::initializer_list<Bytes> inputs, const PackedOutput& out);

// Calls `work(item, result)` for each item, a Status, and stops at the first failure; then what was
// to be written of `out.data` is zero. Returns the bytes written.
template <typename Work>
Result<std::size_t> TransformEach(const PackedItems& items, Growth growth,
                                  std::initializer_list<Bytes> inputs, const PackedOutput& out,
                                  Work work) {
  Result<std::size_t> total = CheckBatch(items, growth, inputs, out);
  if (!total.ok()) {
    return total;
  }
  const MutableBytes results = out.data.first(total.value());
  std::size_t begin = 0;
  std::size_t written = 0;
  for (std::size_t i = 0; i < items.ends.size(); ++i) {
    // Memory that a host shares between threads may have changed since the check: each end is read
    // once and checked again.
    const std::size_t end = items.ends[i];
    const std::size_t size = end < begin ? 0 : ResultSize(end - begin, growth);
    Status status = Status::kInvalidArgument;
    if (end >= begin && end <= items.data.size() && size <= results.size() - written) {
      status = work(items.data.subspan(begin, end - begin), results.subspan(written, size));
    }
    if (status != Status::kOk) {
      Cleanse(results);
      return status;
    }
    begin = end;
    written += size;
    out.ends[i] = static_cast<std::uint32_t>(written);
  }
  return written;
}

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_PACKED_ITEMS_H_
