#ifndef KEYWRIGHT_WASM_SLOTS_H_
#define KEYWRIGHT_WASM_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "core/bytes.h"
#include "core/digest_algorithm.h"
#include "core/key.h"
#include "core/key_table.h"
#include "core/result.h"

// How a call from JavaScript reaches a function of the core: the host writes each argument into a
// slot, and the types of the function's parameters say how a slot is read.

namespace keywright {

// A number in `first`, or a region of linear memory: its address and its length in elements. The
// host made sure that the region lies in memory that it allocated for this call.
struct Slot {
  std::uint32_t first;
  std::uint32_t second;
};

// The keys of this instance, which belongs to one JavaScript thread.
KeyTable& Keys();

// What is left of an output buffer behind the offset where the result goes. At address 0 when the
// offset lies outside of the buffer.
struct Region {
  MutableBytes bytes;
};

// How an enumeration is read from its number; an enumeration that functions take has a line here or
// beside them.
template <typename T>
constexpr std::optional<T> (*kFromNumber)(std::uint32_t) = nullptr;
template <>
inline constexpr auto kFromNumber<KeyType> = KeyTypeFromNumber;
template <>
inline constexpr auto kFromNumber<DigestAlgorithm> = DigestAlgorithmFromNumber;

// An enumeration, by the numbers of src/core/codes.ts.
template <typename T>
struct Argument {
  explicit Argument(const Slot& slot) : value(kFromNumber<T>(slot.first)) {}
  Status status() const { return value ? Status::kOk : Status::kInvalidArgument; }
  T get() const { return *value; }
  std::optional<T> value;
};

template <>
struct Argument<std::size_t> {
  explicit Argument(const Slot& slot) : value(slot.first) {}
  Status status() const { return Status::kOk; }
  std::size_t get() const { return value; }
  std::size_t value;
};

template <typename T>
struct Argument<std::span<T>> {
  explicit Argument(const Slot& slot) : value(reinterpret_cast<T*>(slot.first), slot.second) {}
  Status status() const { return Status::kOk; }
  std::span<T> get() const { return value; }
  std::span<T> value;
};

template <>
struct Argument<Region> {
  explicit Argument(const Slot& slot) : value(slot) {}
  Status status() const {
    return value.get().data() == nullptr ? Status::kBufferTooSmall : Status::kOk;
  }
  Region get() const { return {value.get()}; }
  Argument<MutableBytes> value;
};

template <>
struct Argument<const Key&> {
  explicit Argument(const Slot& slot) : value(Keys().Find(slot.first)) {}
  Status status() const { return value == nullptr ? Status::kDestroyedKey : Status::kOk; }
  const Key& get() const { return *value; }
  const Key* value;
};

// What a function answers to JavaScript: a number of bytes, a handle or a flag, or the negative
// number of a status.
std::int32_t CodeOf(Status status);
std::int32_t CodeOf(Result<KeyPtr> key);

template <typename T>
std::int32_t CodeOf(const Result<T>& result) {
  return result.ok() ? static_cast<std::int32_t>(result.value()) : CodeOf(result.status());
}

// The first of the failures that is most basic: a call that makes no sense, then a key that is not
// there, then a buffer that is too small.
Status FirstFailure(std::span<const Status> statuses);

// Calls `function` with what the slots hold.
template <typename R, typename... Parameters>
std::int32_t Invoke(R (*function)(Parameters...), const Slot* slots) {
  return [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
    const std::tuple<Argument<Parameters>...> arguments{Argument<Parameters>(slots[kIndex])...};
    const Status statuses[] = {std::get<kIndex>(arguments).status()...};
    if (const Status failure = FirstFailure(statuses); failure != Status::kOk) {
      return CodeOf(failure);
    }
    return CodeOf(function(std::get<kIndex>(arguments).get()...));
  }
  (std::index_sequence_for<Parameters...>());
}

}  // namespace keywright

// Exports `function` as kw_<name>, which takes the address of its slots.
#define KEYWRIGHT_EXPORT(name, function)                 \
  extern "C" __attribute__((export_name("kw_" #name)))   \
  std::int32_t kw_##name(const keywright::Slot* slots) { \
    return keywright::Invoke(function, slots);           \
  }

#endif  // KEYWRIGHT_WASM_SLOTS_H_
