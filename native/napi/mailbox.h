#ifndef KEYWRIGHT_NAPI_MAILBOX_H_
#define KEYWRIGHT_NAPI_MAILBOX_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "pkcs11/pool.h"

namespace keywright {

// Brings replies from the threads of tokens to the JavaScript thread of one environment: those that
// are ready together with one wake-up. An environment without open requests is not kept alive.
class Mailbox final : public pkcs11::Receiver {
 public:
  // Makes the value that the promise of a reply gets, of what Expect was given; an empty handle
  // when it cannot be made.
  using MakeValue = napi_value (*)(napi_env env, void* data, std::uint32_t number,
                                   const pkcs11::Reply& reply);

  // Null when the environment has no room for it.
  static std::shared_ptr<Mailbox> Make(napi_env env);

  void Receive(pkcs11::Completion completion) override;

  // The rest is for the JavaScript thread.

  // A promise of the reply to *ticket; an empty handle when there is none.
  napi_value Expect(napi_env env, MakeValue make, void* data, std::uint32_t number,
                    pkcs11::Ticket* ticket);
  // Settles the promise of a request that was not taken.
  void Settle(napi_env env, pkcs11::Ticket ticket, const pkcs11::Reply& reply);
  // Replies that come later are dropped.
  void Shut();

 private:
  struct Pending {
    napi_deferred deferred = nullptr;
    MakeValue make = nullptr;
    void* data = nullptr;
    std::uint32_t number = 0;
  };

  static void Wake(napi_env env, napi_value function, void* context, void* data);

  std::mutex mutex_;
  napi_threadsafe_function wake_ = nullptr;
  std::vector<pkcs11::Completion> ready_;

  // By ticket; and the tickets that are free.
  std::vector<Pending> pending_;
  std::vector<pkcs11::Ticket> free_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_MAILBOX_H_
