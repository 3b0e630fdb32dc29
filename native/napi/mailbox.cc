#include "napi/mailbox.h"

#include <array>
#include <utility>

#include "core/secure_buffer.h"

namespace keywright {
namespace {

using pkcs11::Completion;
using pkcs11::Reply;
using pkcs11::Ticket;

constexpr std::size_t kMemoryBytes = std::size_t{64} * 1024;
constexpr Ticket kFirstOfExpect = Ticket{1} << 32U;
constexpr pkcs11::Failure kNoMemory = {.reason = pkcs11::Reason::kOutOfMemory};

}  // namespace

std::shared_ptr<Mailbox> Mailbox::Make(napi_env env, napi_value receive) {
  auto mailbox = std::make_shared<Mailbox>();
  napi_value name = nullptr;
  napi_value memory = nullptr;
  void* data = nullptr;
  if (napi_create_string_utf8(env, "keywright.pkcs11", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_arraybuffer(env, kMemoryBytes, &data, &memory) != napi_ok ||
      napi_create_reference(env, memory, 1, &mailbox->memory_) != napi_ok) {
    return nullptr;
  }
  mailbox->memory_bytes_ = {static_cast<std::uint8_t*>(data), kMemoryBytes};
  if (napi_create_threadsafe_function(env, receive, nullptr, name, 0, 1, nullptr, nullptr,
                                      mailbox.get(), Wake, &mailbox->wake_) != napi_ok) {
    napi_delete_reference(env, mailbox->memory_);
    return nullptr;
  }
  napi_unref_threadsafe_function(env, mailbox->wake_);
  return mailbox;
}

void Mailbox::Receive(std::vector<Completion> completions) {
  const std::lock_guard lock(mutex_);
  if (wake_ == nullptr || completions.empty()) {
    return;
  }
  for (Completion& completion : completions) {
    if (completion.ticket >= kFirstOfExpect || !packed_.Add(completion.ticket, completion.reply)) {
      unpacked_.push_back(std::move(completion));
    }
  }
  if (!std::exchange(is_waking_, true)) {
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
}

void Mailbox::Expect(napi_env env, std::size_t replies) {
  if (open_ == 0 && replies > 0) {
    napi_ref_threadsafe_function(env, wake_);
  }
  open_ += replies;
}

void Mailbox::NoteSettled(napi_env env, std::size_t replies) {
  open_ -= replies;
  if (open_ == 0 && replies > 0 && wake_ != nullptr) {
    napi_unref_threadsafe_function(env, wake_);
  }
}

napi_value Mailbox::Expect(napi_env env, MakeValue make, void* data, std::uint32_t number,
                           Ticket* ticket) {
  Pending pending{.deferred = nullptr, .make = make, .data = data, .number = number};
  napi_value promise = nullptr;
  if (napi_create_promise(env, &pending.deferred, &promise) != napi_ok) {
    return nullptr;
  }
  Expect(env, 1);
  if (free_.empty()) {
    free_.push_back(pending_.size());
    pending_.emplace_back();
  }
  const std::size_t place = free_.back();
  free_.pop_back();
  pending_[place] = pending;
  *ticket = kFirstOfExpect + place;
  return promise;
}

void Mailbox::Settle(napi_env env, Ticket ticket, const Reply& reply) {
  const std::size_t place = ticket - kFirstOfExpect;
  const Pending pending = std::exchange(pending_[place], {});
  free_.push_back(place);
  NoteSettled(env, 1);
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
void Mailbox::Wake(napi_env env, napi_value function, void* context, void* /*data*/) {
  if (env == nullptr) {
    return;
  }
  // A token that is closed lets go of it.
  const std::shared_ptr<Mailbox> mailbox = static_cast<Mailbox*>(context)->shared_from_this();
  std::vector<Completion> unpacked;
  {
    const std::lock_guard lock(mailbox->mutex_);
    mailbox->is_waking_ = false;
    std::swap(mailbox->packed_, mailbox->taken_);
    unpacked.swap(mailbox->unpacked_);
  }
  for (Bytes rest = mailbox->taken_.bytes(); !rest.empty();) {
    rest = mailbox->Hand(env, function, rest);
  }
  mailbox->taken_.Clear();
  for (const Completion& completion : unpacked) {
    if (completion.ticket >= kFirstOfExpect) {
      mailbox->Settle(env, completion.ticket, completion.reply);
    } else {
      mailbox->Hand(env, function, pkcs11::FailureRecord(completion.ticket, kNoMemory));
    }
  }
}

Bytes Mailbox::Hand(napi_env env, napi_value function, Bytes replies) {
  const pkcs11::RecordHead first = pkcs11::HeadOf(replies);
  if (first.bytes > memory_bytes_.size()) {
    HandLarge(env, function, replies.first(first.bytes));
    return replies.subspan(first.bytes);
  }
  std::size_t size = 0;
  std::size_t count = 0;
  while (size < replies.size()) {
    const std::size_t bytes = pkcs11::HeadOf(replies.subspan(size)).bytes;
    if (bytes > memory_bytes_.size() - size) {
      break;
    }
    size += bytes;
    ++count;
  }
  napi_handle_scope scope = nullptr;
  napi_value memory = nullptr;
  if (napi_open_handle_scope(env, &scope) == napi_ok) {
    if (napi_get_reference_value(env, memory_, &memory) == napi_ok) {
      Call(env, function, memory, memory_bytes_.first(size), replies);
    }
    napi_close_handle_scope(env, scope);
  }
  NoteSettled(env, count);
  return replies.subspan(size);
}

void Mailbox::HandLarge(napi_env env, napi_value function, Bytes reply) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return;
  }
  void* data = nullptr;
  napi_value memory = nullptr;
  if (napi_create_arraybuffer(env, reply.size(), &data, &memory) == napi_ok) {
    Call(env, function, memory, {static_cast<std::uint8_t*>(data), reply.size()}, reply);
    NoteSettled(env, 1);
  } else {
    Hand(env, function, pkcs11::FailureRecord(pkcs11::HeadOf(reply).ticket, kNoMemory));
  }
  napi_close_handle_scope(env, scope);
}

// Nothing of it stays in memory of JavaScript but what the function copied.
void Mailbox::Call(napi_env env, napi_value function, napi_value memory, MutableBytes bytes,
                   Bytes replies) {
  napi_value receiver = nullptr;
  std::array<napi_value, 2> arguments = {memory, nullptr};
  CopyBytes(replies.first(bytes.size()), bytes);
  if (napi_get_undefined(env, &receiver) == napi_ok &&
      napi_create_uint32(env, static_cast<std::uint32_t>(bytes.size()), &arguments[1]) == napi_ok) {
    napi_call_function(env, receiver, function, arguments.size(), arguments.data(), nullptr);
  }
  Cleanse(bytes);
}

void Mailbox::Shut(napi_env env) {
  const std::lock_guard lock(mutex_);
  if (wake_ != nullptr) {
    napi_release_threadsafe_function(std::exchange(wake_, nullptr), napi_tsfn_abort);
    napi_delete_reference(env, std::exchange(memory_, nullptr));
  }
  packed_.Clear();
  unpacked_.clear();
}

}  // namespace keywright
