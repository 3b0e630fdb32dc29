#include "core/thread_contexts.h"

#include <memory>

namespace keywright {
namespace {

// Beside the owner because it outlives it: a key may die after the thread's other locals did.
thread_local ThreadContexts* current = nullptr;

struct Owner {
  std::unique_ptr<ThreadContexts> contexts = std::make_unique<ThreadContexts>();

  Owner() { current = contexts.get(); }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { current = nullptr; }
};

}  // namespace

ThreadContexts& ThreadContexts::Current() {
  if (current != nullptr) {
    return *current;
  }
  thread_local const Owner owner;
  return *owner.contexts;
}

void ThreadContexts::Forget(KeyType type, KeyId key) {
  if (current == nullptr) {
    return;
  }
  switch (type) {
    case KeyType::kAesGcm:
    case KeyType::kAes128Gcm:
      current->aead_encrypt.Forget(key);
      current->aead_decrypt.Forget(key);
      break;
    case KeyType::kBacking:
      // Which backing key the last message key came from is not recorded; a schedule is cheap to
      // make again.
      current->message_encrypt.Reset();
      current->message_decrypt.Reset();
      break;
    case KeyType::kHmac:
      for (HmacContext& context : current->hmac) {
        context.Forget(key);
      }
      break;
    default:
      break;  // key_wrap.cc keeps no context; those of a key pair belong to the pair
  }
}

}  // namespace keywright
