#ifndef KEYWRIGHT_CORE_THREAD_CONTEXTS_H_
#define KEYWRIGHT_CORE_THREAD_CONTEXTS_H_

#include <array>

#include "core/asymmetric_type.h"
#include "core/digest_algorithm.h"
#include "core/gcm_context.h"
#include "core/hmac_context.h"
#include "core/ossl_ptr.h"

namespace keywright {

// The libcrypto contexts of one thread, kept because making one costs more than most of the work
// done with it. Never handed to another thread; freed, key schedules included, when the thread
// ends.
struct ThreadContexts {
  static ThreadContexts& Current();

  // Called when a key dies: wipes what this thread has derived from it. (A context of another
  // thread keeps its schedule until that thread uses its next key or ends.)
  static void Forget(KeyType type, KeyId key);

  GcmContext aead_encrypt{GcmContext::Direction::kEncrypt};
  GcmContext aead_decrypt{GcmContext::Direction::kDecrypt};
  // Separate, so that message keys, which are used once, do not displace a schedule that is used
  // again.
  GcmContext message_encrypt{GcmContext::Direction::kEncrypt};
  GcmContext message_decrypt{GcmContext::Direction::kDecrypt};
  std::array<HmacContext, kDigestAlgorithmCount> hmac{
      HmacContext(kDigestAlgorithms[0]), HmacContext(kDigestAlgorithms[1]),
      HmacContext(kDigestAlgorithms[2]), HmacContext(kDigestAlgorithms[3])};
  EvpMdCtxPtr digest;
  // By type of key pair; none holds a key.
  std::array<EvpPkeyCtxPtr, kAsymmetricTypeCount> pair_generation;
  std::array<EvpPkeyCtxPtr, kAsymmetricTypeCount> pair_reading;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_THREAD_CONTEXTS_H_
