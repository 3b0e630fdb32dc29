#include "napi/mailbox.h"

#include <utility>

namespace keywright {

std::shared_ptr<Mailbox> Mailbox::Make(napi_env env) {
  auto mailbox = std::make_shared<Mailbox>();
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "keywright.pkcs11", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                      mailbox.get(), Wake, &mailbox->wake_) != napi_ok) {
    return nullptr;
  }
  napi_unref_threadsafe_function(env, mailbox->wake_);
  return mailbox;
}

void Mailbox::Receive(pkcs11::Completion completion) {
  const std::lock_guard lock(mutex_);
  if (wake_ == nullptr) {
    return;
  }
  ready_.push_back(std::move(completion));
  if (ready_.size() == 1) {
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
}

napi_value Mailbox::Expect(napi_env env, MakeValue make, void* data, std::uint32_t number,
                           pkcs11::Ticket* ticket) {
  Pending pending{.deferred = nullptr, .make = make, .data = data, .number = number};
  napi_value promise = nullptr;
  if (napi_create_promise(env, &pending.deferred, &promise) != napi_ok) {
    return nullptr;
  }
  if (free_.size() == pending_.size()) {
    napi_ref_threadsafe_function(env, wake_);
  }
  if (free_.empty()) {
    *ticket = pending_.size();
    pending_.push_back(pending);
  } else {
    *ticket = free_.back();
    free_.pop_back();
    pending_[*ticket] = pending;
  }
  return promise;
}

void Mailbox::Settle(napi_env env, pkcs11::Ticket ticket, const pkcs11::Reply& reply) {
  const Pending pending = std::exchange(pending_[ticket], {});
  free_.push_back(ticket);
  if (free_.size() == pending_.size()) {
    napi_unref_threadsafe_function(env, wake_);
  }
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return;
  }
  napi_value value = pending.make(env, pending.data, pending.number, reply);
  if (value == nullptr) {
    napi_get_undefined(env, &value);
  }
  napi_resolve_deferred(env, pending.deferred, value);
  napi_close_handle_scope(env, scope);
}

// On the JavaScript thread; without an environment when that ends.
void Mailbox::Wake(napi_env env, napi_value /*function*/, void* context, void* /*data*/) {
  if (env == nullptr) {
    return;
  }
  auto* mailbox = static_cast<Mailbox*>(context);
  std::vector<pkcs11::Completion> ready;
  {
    const std::lock_guard lock(mailbox->mutex_);
    ready.swap(mailbox->ready_);
  }
  for (const pkcs11::Completion& completion : ready) {
    mailbox->Settle(env, completion.ticket, completion.reply);
  }
}

void Mailbox::Shut() {
  const std::lock_guard lock(mutex_);
  if (wake_ != nullptr) {
    napi_release_threadsafe_function(std::exchange(wake_, nullptr), napi_tsfn_abort);
  }
  ready_.clear();
}

}  // namespace keywright
