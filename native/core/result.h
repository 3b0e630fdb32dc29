#ifndef KEYWRIGHT_CORE_RESULT_H_
#define KEYWRIGHT_CORE_RESULT_H_

#include <cstdlib>
#include <optional>
#include <utility>

#include "core/status.h"

namespace keywright {

// A value, or the reason why there is none. Built from either; value() of a failure ends the
// process, because it can only be a bug in the caller.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): `return value;`
  Result(Status failure)
      : status_(failure) {  // NOLINT(google-explicit-constructor): `return status;`
    if (failure == Status::kOk) {
      std::abort();
    }
  }

  bool ok() const { return value_.has_value(); }
  Status status() const { return status_; }

  T& value() & {
    if (!ok()) {
      std::abort();
    }
    return *value_;
  }
  const T& value() const& {
    if (!ok()) {
      std::abort();
    }
    return *value_;
  }
  T&& value() && {
    if (!ok()) {
      std::abort();
    }
    return *std::move(value_);
  }

 private:
  Status status_ = Status::kOk;
  std::optional<T> value_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_RESULT_H_
