#ifndef KEYWRIGHT_NAPI_MAILBOX_H_
#define KEYWRIGHT_NAPI_MAILBOX_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "pkcs11/pool.h"
#include "pkcs11/wire.h"

namespace keywright {

// Brings replies from the threads of one token to the JavaScript thread of its environment: those
// that are ready together with one wake-up, and one call of a JavaScript function. A token without
// open requests does not keep the environment alive.
//
// Tickets below 2^32 are those of JavaScript, whose replies its function gets; the others are those
// of Expect, whose replies settle a promise.
class Mailbox final : public pkcs11::Receiver, public std::enable_shared_from_this<Mailbox> {
 public:
  // Makes the value that the promise of a reply gets, of what Expect was given; an empty handle
  // when it cannot be made.
  using MakeValue = napi_value (*)(napi_env env, void* data, std::uint32_t number,
                                   const pkcs11::Reply& reply);

  // `receive` is called with an ArrayBuffer and the number of bytes in it that are replies
  // (wire.h), to be read before it returns; it does not throw. Null when the environment has no
  // room for it.
  static std::shared_ptr<Mailbox> Make(napi_env env, napi_value receive);

  void Receive(std::vector<pkcs11::Completion> completions) override;

  // The rest is for the JavaScript thread.

  // So many replies will come for JavaScript.
  void Expect(napi_env env, std::size_t replies);
  // A promise of the reply to *ticket; an empty handle when there is none.
  napi_value Expect(napi_env env, MakeValue make, void* data, std::uint32_t number,
                    pkcs11::Ticket* ticket);
  // Settles the promise of a request that was not taken.
  void Settle(napi_env env, pkcs11::Ticket ticket, const pkcs11::Reply& reply);
  // Replies that come later are dropped.
  void Shut(napi_env env);

 private:
  struct Pending {
    napi_deferred deferred = nullptr;
    MakeValue make = nullptr;
    void* data = nullptr;
    std::uint32_t number = 0;
  };

  static void Wake(napi_env env, napi_value function, void* context, void* data);
  // One call, with as many of the replies as go into the memory that is kept, or with the first one
  // in memory of its own; gives what is left.
  Bytes Hand(napi_env env, napi_value function, Bytes replies);
  void HandLarge(napi_env env, napi_value function, Bytes reply);
  void Call(napi_env env, napi_value function, napi_value memory, MutableBytes bytes,
            Bytes replies);
  void NoteSettled(napi_env env, std::size_t replies);

  std::mutex mutex_;
  napi_threadsafe_function wake_ = nullptr;
  bool is_waking_ = false;
  pkcs11::PackedReplies packed_;
  std::vector<pkcs11::Completion> unpacked_;  // of Expect, and what there was no memory to pack

  // Of the JavaScript thread: what was packed_ before, and what JavaScript reads.
  pkcs11::PackedReplies taken_;
  napi_ref memory_ = nullptr;
  MutableBytes memory_bytes_;
  std::size_t open_ = 0;  // requests

  // Of Expect; and the places that are free.
  std::vector<Pending> pending_;
  std::vector<std::size_t> free_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_MAILBOX_H_
