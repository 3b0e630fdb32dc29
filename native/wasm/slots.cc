#include "wasm/slots.h"

#include <algorithm>
#include <array>

namespace keywright {

KeyTable& Keys() {
  static KeyTable keys;
  return keys;
}

std::int32_t CodeOf(Status status) { return -static_cast<std::int32_t>(status); }

std::int32_t CodeOf(Result<KeyPtr> key) {
  return key.ok() ? CodeOf(Keys().Add(std::move(key).value())) : CodeOf(key.status());
}

Status FirstFailure(std::span<const Status> statuses) {
  constexpr std::array kOrder = {Status::kInvalidArgument, Status::kDestroyedKey,
                                 Status::kBufferTooSmall};
  for (const Status failure : kOrder) {
    if (std::find(statuses.begin(), statuses.end(), failure) != statuses.end()) {
      return failure;
    }
  }
  return Status::kOk;
}

}  // namespace keywright
