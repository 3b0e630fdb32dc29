#ifndef KEYWRIGHT_CORE_GCM_CONTEXT_H_
#define KEYWRIGHT_CORE_GCM_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/bytes.h"
#include "core/key.h"
#include "core/ossl_ptr.h"

namespace keywright {

inline constexpr std::size_t kGcmNonceBytes = 12;
inline constexpr std::size_t kGcmTagBytes = 16;

using GcmNonce = std::span<const std::uint8_t, kGcmNonceBytes>;

// AES-GCM (SP 800-38D) in one direction, for one thread: Start, then AAD, then data, then Finish.
// The key schedule stays and serves the next message under the same key. Each step is false when
// libcrypto failed.
class GcmContext {
 public:
  enum class Direction : int { kDecrypt = 0, kEncrypt = 1 };  // as EVP_CipherInit_ex2 counts

  explicit GcmContext(Direction direction) : direction_(direction) {}

  // Precondition: a kAesGcm or kAes128Gcm key.
  bool Start(const Key& key, GcmNonce nonce);
  bool Start(std::span<const std::uint8_t, kAes256KeyBytes> one_time_key, GcmNonce nonce);

  bool Authenticate(Bytes aad);
  // `out` holds as many bytes as `in`. When decrypting, they may not be used before FinishDecrypt
  // is true.
  bool Process(Bytes in, std::uint8_t* out);
  bool FinishEncrypt(std::span<std::uint8_t, kGcmTagBytes> tag);
  bool FinishDecrypt(std::span<const std::uint8_t, kGcmTagBytes> tag);

  // Wipes the key schedule; Forget does it only when it is that of `key`.
  void Reset();
  void Forget(KeyId key) {
    if (key == key_) {
      Reset();
    }
  }

 private:
  // `key` is empty to keep the schedule of the last one.
  bool StartWith(Bytes key, GcmNonce nonce);

  Direction direction_;
  EvpCipherCtxPtr context_;
  std::size_t key_bytes_ = 0;  // the length of key that the cipher of the context takes
  KeyId key_ = 0;              // whose schedule the context holds; 0 for none that may be reused
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_GCM_CONTEXT_H_
