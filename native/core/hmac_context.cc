#include "core/hmac_context.h"

#include <utility>

#include "core/key_access.h"

namespace keywright {

// Aligned as malloc aligns.
HmacPads& HmacContext::pads() { return *reinterpret_cast<HmacPads*>(pads_.bytes().data()); }

bool HmacContext::Start(const Key& key) {
  if (pads_.bytes().empty()) {
    Result<PrivateBuffer> memory = PrivateBuffer::Allocate(sizeof(HmacPads));
    if (!memory.ok()) {
      return false;
    }
    pads_ = std::move(memory).value();
  }
  HashHmacPads(algorithm_, KeyAccess::BytesOf(key), pads());
  key_ = key.id();
  return true;
}

bool HmacContext::Compute(const Key& key, Bytes data, MutableBytes mac) {
  if (key.id() != key_ && !Start(key)) {
    return false;
  }
  HmacUnder(algorithm_, pads(), data, mac);
  return true;
}

void HmacContext::Forget(KeyId key) {
  if (key != key_) {
    return;
  }
  pads_ = {};
  key_ = 0;
}

}  // namespace keywright
