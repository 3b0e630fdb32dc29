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

struct Token {
  std::shared_ptr<pkcs11::Pool> pool;
  std::shared_ptr<Mailbox> mailbox;
};

// The tokens that one environment has open. Shut by a hook before the environment ends.
class Tokens {
 public:
  explicit Tokens(napi_env env) : env_(env) {}
  Tokens(const Tokens&) = delete;
  Tokens& operator=(const Tokens&) = delete;
  ~Tokens() = default;

  const Token* Find(std::uint32_t handle) const;
  std::uint32_t Add(Token token);
  void Remove(std::uint32_t handle);
  // Waits for threads that are in modules, which must not be there when the process ends.
  void Shut();

 private:
  napi_env env_;
  std::uint32_t last_handle_ = 0;
  std::unordered_map<std::uint32_t, Token> tokens_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_PKCS11_NAPI_H_
