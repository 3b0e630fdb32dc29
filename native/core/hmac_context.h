#ifndef KEYWRIGHT_CORE_HMAC_CONTEXT_H_
#define KEYWRIGHT_CORE_HMAC_CONTEXT_H_

#include "core/bytes.h"
#include "core/digest_algorithm.h"
#include "core/hmac_midstate.h"
#include "core/key.h"
#include "core/private_buffer.h"

namespace keywright {

// HMAC with one digest, for one thread. The hashed key pads stay and serve the next MAC under the
// same key.
class HmacContext {
 public:
  explicit HmacContext(DigestAlgorithm algorithm) : algorithm_(algorithm) {}

  // `mac` has the size of the digest. False when there is no memory.
  bool Compute(const Key& key, Bytes data, MutableBytes mac);

  // Wipes the key when it is `key`.
  void Forget(KeyId key);

 private:
  bool Start(const Key& key);
  HmacPads& pads();

  DigestAlgorithm algorithm_;
  PrivateBuffer pads_;  // an HmacPads, where the heap wipes it
  KeyId key_ = 0;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_HMAC_CONTEXT_H_
