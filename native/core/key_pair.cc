#include "core/key_pair.h"

#include <algorithm>

#include "core/library_context.h"

namespace keywright {
namespace {

// One per thread that is likely to use the key at the same time; more are freed.
constexpr std::size_t kMaxIdle = 4;

}  // namespace

EvpPkeyCtxPtr KeyPair::NewContext() const {
  return EvpPkeyCtxPtr(EVP_PKEY_CTX_new_from_pkey(Library().context, pkey_.get(), nullptr));
}

EvpPkeyCtxPtr KeyPair::TakeIdle(PairUse use) const {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(idle_.begin(), idle_.end(), [&](const Idle& entry) { return entry.use == use; });
  if (found == idle_.end()) {
    return nullptr;
  }
  EvpPkeyCtxPtr context = std::move(found->context);
  idle_.erase(found);
  return context;
}

void KeyPair::Keep(PairUse use, EvpPkeyCtxPtr context) const {
  const std::lock_guard lock(mutex_);
  if (idle_.size() >= kMaxIdle) {
    idle_.erase(idle_.begin());  // the one that was not asked for the longest
  }
  idle_.push_back({use, std::move(context)});
}

}  // namespace keywright
