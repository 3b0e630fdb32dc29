#ifndef KEYWRIGHT_NAPI_PKCS11_NAPI_H_
#define KEYWRIGHT_NAPI_PKCS11_NAPI_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "napi/mailbox.h"
#include "pkcs11/pool.h"

namespace keywright {

// The tokens that one environment has open. Shut by a hook before the environment ends.
class Tokens {
 public:
  explicit Tokens(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;
  ~Tokens() = default;

  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  pkcs11::Pool* Find(std::uint32_t handle) const;
  std::uint32_t Add(std::shared_ptr<pkcs11::Pool> pool);
  void Remove(std::uint32_t handle) { pools_.erase(handle); }
  // Waits for threads that are in modules, which must not be there when the process ends.
  void Shut();

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  std::uint32_t last_handle_ = 0;
  std::unordered_map<std::uint32_t, std::shared_ptr<pkcs11::Pool>> pools_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_PKCS11_NAPI_H_
