#include "core/key_table.h"

#include <utility>

namespace keywright {
namespace {

constexpr unsigned kSlotBits = 20;
constexpr std::uint32_t kMaxSlots = 1U << kSlotBits;
constexpr std::uint32_t kMaxGeneration = (1U << 11) - 1;
constexpr std::size_t kRestingSlots = 4096;

constexpr KeyHandle HandleOf(std::uint32_t slot, std::uint32_t generation) {
  return static_cast<KeyHandle>(generation << kSlotBits | slot);
}

}  // namespace

Result<KeyHandle> KeyTable::Add(KeyPtr key) {
  std::uint32_t index = 0;
  if (free_.size() > kRestingSlots || (slots_.size() == kMaxSlots && !free_.empty())) {
    index = free_.front();
    free_.pop_front();
  } else if (slots_.size() < kMaxSlots) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    return Status::kOutOfSecureMemory;
  }
  Slot& slot = slots_[index];
  slot.key = std::move(key);
  return HandleOf(index, slot.generation);
}

const KeyTable::Slot* KeyTable::SlotOf(std::int64_t handle) const {
  const auto index = static_cast<std::size_t>(handle) & (kMaxSlots - 1);
  if (index >= slots_.size()) {
    return nullptr;
  }
  const Slot& slot = slots_[index];
  return handle == HandleOf(static_cast<std::uint32_t>(index), slot.generation) ? &slot : nullptr;
}

const Key* KeyTable::Find(std::int64_t handle) const {
  const Slot* slot = SlotOf(handle);
  return slot == nullptr ? nullptr : slot->key.get();
}

KeyPtr KeyTable::FindShared(std::int64_t handle) const {
  const Slot* slot = SlotOf(handle);
  return slot == nullptr ? nullptr : slot->key;
}

void KeyTable::Remove(std::int64_t handle) {
  if (Find(handle) == nullptr) {
    return;
  }
  const auto index = static_cast<std::uint32_t>(handle) & (kMaxSlots - 1);
  Slot& slot = slots_[index];
  slot.key.reset();
  slot.generation = slot.generation == kMaxGeneration ? 1 : slot.generation + 1;
  free_.push_back(index);
}

}  // namespace keywright
