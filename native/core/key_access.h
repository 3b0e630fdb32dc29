#ifndef KEYWRIGHT_CORE_KEY_ACCESS_H_
#define KEYWRIGHT_CORE_KEY_ACCESS_H_

#include "core/hmac_midstate.h"
#include "core/key.h"
#include "core/key_pair.h"

namespace keywright {

// The one way to the bytes of a key. Included by the primitives in this folder only;
// script/lint-native fails when a binding includes it.
class KeyAccess {
 public:
  static Bytes BytesOf(const Key& key) { return key.bytes_.bytes(); }

  // Precondition: an asymmetric type.
  static const KeyPair& PairOf(const Key& key) { return *key.pair_; }

  // Precondition: a backing key.
  static const HmacMidstate& MidstateOf(const Key& key) {
    return *reinterpret_cast<const HmacMidstate*>(key.midstate_.bytes().data());
  }
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_ACCESS_H_
