#ifndef KEYWRIGHT_CORE_KEY_TABLE_H_
#define KEYWRIGHT_CORE_KEY_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/key.h"
#include "core/result.h"

namespace keywright {

// Names a key to a host that must not see it: 20 bits of slot and 11 bits of generation, so that it
// is a positive int32. Zero is never one.
using KeyHandle = std::int32_t;

// The keys of one host environment; used by one thread. Whatever number it is asked for, the answer
// is a key of this table or none: a number that is stale, or was never given out, finds nothing. A
// freed slot rests until 4096 others were freed after it, and then counts its generation up, so a
// number comes back after 8 million keys at the earliest.
class KeyTable {
 public:
  // kOutOfSecureMemory when 2^20 keys are alive.
  Result<KeyHandle> Add(KeyPtr key);

  // Null when `handle` names no key. Valid until Remove.
  const Key* Find(std::int64_t handle) const;

  // The same, kept alive by the result: for work on another thread. Null when `handle` names no
  // key.
  KeyPtr FindShared(std::int64_t handle) const;

  // Drops the key; nothing happens when `handle` names none.
  void Remove(std::int64_t handle);

  std::size_t size() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    KeyPtr key;
    std::uint32_t generation = 1;
  };

  const Slot* SlotOf(std::int64_t handle) const;

  std::vector<Slot> slots_;
  std::deque<std::uint32_t> free_;  // oldest first
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_TABLE_H_
