#include "napi/pkcs11_napi.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "napi/arguments.h"
#include "napi/functions.h"
#include "pkcs11/perform.h"
#include "pkcs11/sealed_key.h"

namespace keywright {
namespace {

using pkcs11::Failure;
using pkcs11::Pool;
using pkcs11::Reason;
using pkcs11::Reply;

// How long the end of an environment waits for threads that are in a module.
constexpr std::chrono::seconds kPatienceAtEnd(5);

constexpr std::size_t kMaxSessions = 1024;
constexpr std::size_t kMaxQueueLength = std::size_t{1} << 20U;

Reply Failed(Failure failure) {
  return {.failure = failure, .outputs = {}, .failures = {}, .has_changed = false};
}

napi_value Number(napi_env env, double number) {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

napi_value Text(napi_env env, Bytes text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, reinterpret_cast<const char*>(text.data()), text.size(), &value);
  return value;
}

template <std::size_t kSize>
napi_value Text(napi_env env, const CK_UTF8CHAR (&text)[kSize]) {
  return Text(env, Bytes(text, kSize));
}

// Uint32Array of reason, return value and mechanism. Numbers of PKCS#11 have 32 bits on the wire
// of every module; CK_UNAVAILABLE_INFORMATION becomes 0xffffffff.
napi_value ValueOf(napi_env env, const Failure& failure) {
  const std::array<std::uint32_t, 3> numbers = {static_cast<std::uint32_t>(failure.reason),
                                                static_cast<std::uint32_t>(failure.rv),
                                                static_cast<std::uint32_t>(failure.mechanism)};
  void* data = nullptr;
  napi_value buffer = nullptr;
  napi_value array = nullptr;
  if (napi_create_arraybuffer(env, sizeof(numbers), &data, &buffer) != napi_ok) {
    return nullptr;
  }
  std::copy(numbers.begin(), numbers.end(), static_cast<std::uint32_t*>(data));
  napi_create_typedarray(env, napi_uint32_array, numbers.size(), buffer, 0, &array);
  return array;
}

napi_value ValueOf(napi_env env, Bytes bytes) {
  napi_value buffer = nullptr;
  return napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &buffer) == napi_ok
             ? buffer
             : nullptr;
}

// A failure; the only output; or an array of outputs with failures in their places.
napi_value ValueOfReply(napi_env env, void* /*data*/, std::uint32_t /*number*/,
                        const Reply& reply) {
  if (!reply.failure.ok()) {
    return ValueOf(env, reply.failure);
  }
  if (reply.outputs.size() == 1 && reply.failures.empty()) {
    return ValueOf(env, reply.outputs.front().bytes());
  }
  const std::size_t count = std::max(reply.outputs.size(), reply.failures.size());
  napi_value array = nullptr;
  napi_create_array_with_length(env, count, &array);
  for (std::size_t i = 0; i < count; ++i) {
    const bool has_failed = i < reply.failures.size() && !reply.failures[i].ok();
    napi_value element =
        has_failed ? ValueOf(env, reply.failures[i]) : ValueOf(env, reply.outputs[i].bytes());
    if (element == nullptr) {
      return nullptr;
    }
    napi_set_element(env, array, static_cast<std::uint32_t>(i), element);
  }
  return array;
}

// [handle, slot, major and minor version, description of the library, label, manufacturer, model,
// serial number, mechanism, …] of an opened token.
napi_value ValueOfFacts(napi_env env, std::uint32_t handle, const pkcs11::TokenFacts& facts) {
  std::vector<napi_value> values = {
      Number(env, handle),
      Number(env, static_cast<double>(facts.slot)),
      Number(env, facts.library.libraryVersion.major),
      Number(env, facts.library.libraryVersion.minor),
      Text(env, facts.library.libraryDescription),
      Text(env, facts.token.label),
      Text(env, facts.token.manufacturerID),
      Text(env, facts.token.model),
      Text(env, Bytes(facts.token.serialNumber, sizeof(facts.token.serialNumber)))};
  for (const auto& [mechanism, flags] : facts.mechanisms) {
    values.push_back(Number(env, static_cast<double>(mechanism)));
  }
  napi_value array = nullptr;
  napi_create_array_with_length(env, values.size(), &array);
  for (std::size_t i = 0; i < values.size(); ++i) {
    napi_set_element(env, array, static_cast<std::uint32_t>(i), values[i]);
  }
  return array;
}

napi_value ValueOfClosing(napi_env env, void* data, std::uint32_t handle, const Reply& /*reply*/) {
  static_cast<Tokens*>(data)->Remove(handle);
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

napi_value CloseToken(napi_env env, Tokens& tokens, std::uint32_t handle) {
  Pool* pool = tokens.Find(handle);
  pkcs11::Ticket ticket = 0;
  napi_value promise =
      pool == nullptr ? nullptr
                      : tokens.mailbox()->Expect(env, ValueOfClosing, &tokens, handle, &ticket);
  if (promise != nullptr) {
    pool->Close(ticket);
  }
  return promise;
}

napi_value ValueOfOpening(napi_env env, void* data, std::uint32_t handle, const Reply& reply) {
  auto* tokens = static_cast<Tokens*>(data);
  if (reply.failure.ok()) {
    return ValueOfFacts(env, handle, tokens->Find(handle)->facts());
  }
  CloseToken(env, *tokens, handle);
  return ValueOf(env, reply.failure);
}

void ShutTokens(void* data) { static_cast<Tokens*>(data)->Shut(); }

std::shared_ptr<Tokens> TokensOf(napi_env env, Environment& environment) {
  if (!environment.tokens) {
    std::shared_ptr<Mailbox> mailbox = Mailbox::Make(env);
    if (!mailbox) {
      return nullptr;
    }
    environment.tokens = std::make_shared<Tokens>(std::move(mailbox));
    napi_add_env_cleanup_hook(env, ShutTokens, environment.tokens.get());
  }
  return environment.tokens;
}

std::string StringOf(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

std::unique_ptr<pkcs11::Connection> ConnectionOf(Bytes path, Bytes label, Bytes pin,
                                                 Bytes init_args,
                                                 std::span<const std::uint32_t> numbers) {
  pkcs11::TokenChoice choice;
  choice.module = {.path = StringOf(path),
                   .init_args = StringOf(init_args),
                   .bind = static_cast<pkcs11::Bind>(numbers[6])};
  if (!label.empty()) {
    choice.label = StringOf(label);
  }
  choice.slot = numbers[0];
  choice.profile = pkcs11::FindProfile(numbers[1]);
  choice.user = numbers[7];
  Result<SecureBuffer> kept_pin = SecureBuffer::CopyOf(pin);
  if (!kept_pin.ok() || choice.profile == nullptr) {
    return nullptr;
  }
  choice.pin = std::move(kept_pin).value();
  return std::make_unique<pkcs11::Connection>(std::move(choice));
}

// (path, label or nothing, pin, initArgs or nothing, [slot, profile, sessions, queueLength, timeout
// in ms, timeout of opening in ms, bind, user type]): promise of facts or a failure
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const Bytes path = arguments.BytesAt(0);
  const Bytes label = arguments.BytesAt(1);
  const Bytes pin = arguments.BytesAt(2);
  const Bytes init_args = arguments.BytesAt(3);
  const auto numbers = arguments.Uint32ArrayAt(4);
  if (!arguments.ok() || path.empty() || pin.empty() || numbers.size() != 8 || numbers[2] == 0 ||
      numbers[2] > kMaxSessions || numbers[3] == 0 || numbers[3] > kMaxQueueLength ||
      numbers[4] == 0 || numbers[6] > static_cast<std::uint32_t>(pkcs11::Bind::kLocal) ||
      numbers[7] > CKU_USER) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  const std::shared_ptr<Tokens> tokens = TokensOf(env, arguments.environment());
  auto connection = ConnectionOf(path, label, pin, init_args, numbers);
  if (!tokens || !connection) {
    return ValueOf(env,
                   Failure{.reason = tokens ? Reason::kInvalidArgument : Reason::kOutOfMemory});
  }
  const pkcs11::PoolOptions options = {.sessions = numbers[2],
                                       .queue_length = numbers[3],
                                       .timeout = std::chrono::milliseconds(numbers[4])};
  auto pool =
      std::make_shared<Pool>(std::move(connection), options, pkcs11::Perform, tokens->mailbox());
  const std::uint32_t handle = tokens->Add(pool);
  pkcs11::Ticket ticket = 0;
  napi_value promise =
      tokens->mailbox()->Expect(env, ValueOfOpening, tokens.get(), handle, &ticket);
  if (promise == nullptr) {
    tokens->Remove(handle);
    return ValueOf(env, Failure{.reason = Reason::kOutOfMemory});
  }
  const Failure failure = pool->Open(ticket, std::chrono::milliseconds(numbers[5]));
  if (!failure.ok()) {
    tokens->mailbox()->Settle(env, ticket, Failed(failure));
  }
  return promise;
}

// One item, or an array of them, or nothing.
bool ReadItems(napi_env env, napi_value value, Arguments& arguments, std::size_t index,
               std::vector<PrivateBuffer>* items) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  if (type == napi_undefined) {
    return true;
  }
  bool is_array = false;
  napi_is_array(env, value, &is_array);
  if (!is_array) {
    Result<PrivateBuffer> copy = PrivateBuffer::CopyOf(arguments.BytesAt(index));
    if (!copy.ok()) {
      return false;
    }
    items->push_back(std::move(copy).value());
    return true;
  }
  std::uint32_t count = 0;
  napi_get_array_length(env, value, &count);
  items->reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_value element = nullptr;
    napi_typedarray_type kind = napi_int8_array;
    std::size_t length = 0;
    void* data = nullptr;
    const bool is_bytes = napi_get_element(env, value, i, &element) == napi_ok &&
                          napi_get_typedarray_info(env, element, &kind, &length, &data, nullptr,
                                                   nullptr) == napi_ok &&
                          kind == napi_uint8_array;
    if (is_bytes) {
      items->push_back(
          PrivateBuffer::CopyOf(Bytes(static_cast<const std::uint8_t*>(data), length)).value());
    }
    napi_close_handle_scope(env, scope);
    if (!is_bytes) {
      return false;
    }
  }
  return true;
}

// Promise of what `make` makes of the reply; a failure when there can be none.
napi_value Start(napi_env env, Environment& environment, std::uint32_t handle,
                 pkcs11::Request request, Mailbox::MakeValue make, std::uint32_t number) {
  const std::shared_ptr<Tokens>& tokens = environment.tokens;
  Pool* pool = tokens ? tokens->Find(handle) : nullptr;
  if (pool == nullptr) {
    return ValueOf(env, Failure{.reason = Reason::kClosed});
  }
  pkcs11::Ticket ticket = 0;
  napi_value promise = tokens->mailbox()->Expect(env, make, &environment, number, &ticket);
  if (promise == nullptr) {
    return ValueOf(env, Failure{.reason = Reason::kOutOfMemory});
  }
  const Failure failure = pool->Submit(std::move(request), ticket);
  if (!failure.ok()) {
    tokens->mailbox()->Settle(env, ticket, Failed(failure));
  }
  return promise;
}

// (handle, operation, keyId, four numbers, common, item or items or nothing): promise of a reply,
// or the failure to take the request
napi_value Submit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::uint32_t handle = arguments.NumberAt(0);
  pkcs11::Request request;
  request.operation = static_cast<pkcs11::Operation>(arguments.NumberAt(1));
  Result<PrivateBuffer> key_id = PrivateBuffer::CopyOf(arguments.BytesAt(2));
  const auto numbers = arguments.Uint32ArrayAt(3);
  Result<PrivateBuffer> common = PrivateBuffer::CopyOf(arguments.BytesAt(4));
  if (numbers.size() != request.numbers.size() || !key_id.ok() || !common.ok() ||
      !ReadItems(env, arguments.ValueAt(5), arguments, 5, &request.items) || !arguments.ok()) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  std::copy(numbers.begin(), numbers.end(), request.numbers.begin());
  request.key_id = std::move(key_id).value();
  request.common = std::move(common).value();
  return Start(env, arguments.environment(), handle, std::move(request), ValueOfReply, 0);
}

// (handle, keyId, key of the core, aad): as Submit of kEncryptGcm
napi_value SealKey(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::uint32_t handle = arguments.NumberAt(0);
  pkcs11::Request request;
  request.operation = pkcs11::Operation::kEncryptGcm;
  Result<PrivateBuffer> key_id = PrivateBuffer::CopyOf(arguments.BytesAt(1));
  const Key* key = arguments.KeyAt(2);
  Result<PrivateBuffer> aad = PrivateBuffer::CopyOf(arguments.BytesAt(3));
  if (!arguments.ok() || !key_id.ok() || !aad.ok() || key == nullptr ||
      !pkcs11::AddKey(*key, &request)) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  request.key_id = std::move(key_id).value();
  request.common = std::move(aad).value();
  return Start(env, arguments.environment(), handle, std::move(request), ValueOfReply, 0);
}

// The handle of the key in the table of the environment.
napi_value ValueOfOpenedKey(napi_env env, void* data, std::uint32_t type, const Reply& reply) {
  KeyPtr key;
  const Failure failure = pkcs11::TakeKey(reply, static_cast<KeyType>(type), &key);
  return failure.ok() ? Number(env, CodeOf(*static_cast<Environment*>(data), std::move(key)))
                      : ValueOf(env, failure);
}

// (handle, keyId, sealed, aad, type): promise of a key handle, or a failure
napi_value OpenKey(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::uint32_t handle = arguments.NumberAt(0);
  pkcs11::Request request;
  request.operation = pkcs11::Operation::kDecryptGcm;
  Result<PrivateBuffer> key_id = PrivateBuffer::CopyOf(arguments.BytesAt(1));
  Result<PrivateBuffer> sealed = PrivateBuffer::CopyOf(arguments.BytesAt(2));
  Result<PrivateBuffer> aad = PrivateBuffer::CopyOf(arguments.BytesAt(3));
  const auto type = arguments.KeyTypeAt(4);
  if (!arguments.ok() || !key_id.ok() || !sealed.ok() || !aad.ok() || !type) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  request.key_id = std::move(key_id).value();
  request.common = std::move(aad).value();
  request.items.push_back(std::move(sealed).value());
  return Start(env, arguments.environment(), handle, std::move(request), ValueOfOpenedKey,
               static_cast<std::uint32_t>(*type));
}

// (handle, out): writes is circuit open, sessions, active, queued, logins
std::int32_t State(Arguments& arguments) {
  const std::uint32_t handle = arguments.NumberAt(0);
  const auto out = arguments.Uint32ArrayAt(1);
  const std::shared_ptr<Tokens>& tokens = arguments.environment().tokens;
  Pool* pool = tokens ? tokens->Find(handle) : nullptr;
  if (!arguments.ok() || out.size() != 5 || pool == nullptr) {
    return CodeOf(Status::kInvalidArgument);
  }
  const pkcs11::PoolState state = pool->state();
  out[0] = state.is_circuit_open ? 1 : 0;
  out[1] = static_cast<std::uint32_t>(state.sessions);
  out[2] = static_cast<std::uint32_t>(state.active);
  out[3] = static_cast<std::uint32_t>(state.queued);
  out[4] = static_cast<std::uint32_t>(state.logins);
  return CodeOf(Status::kOk);
}

// (handle): promise of undefined; undefined when there is no such token. To be called once.
napi_value Close(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::uint32_t handle = arguments.NumberAt(0);
  const std::shared_ptr<Tokens>& tokens = arguments.environment().tokens;
  return arguments.ok() && tokens ? CloseToken(env, *tokens, handle) : nullptr;
}

constexpr NamedFunction kFunctions[] = {
    {"pkcs11Open", Open},       {"pkcs11Submit", Submit},     {"pkcs11SealKey", SealKey},
    {"pkcs11OpenKey", OpenKey}, {"pkcs11State", Call<State>}, {"pkcs11Close", Close},
};

}  // namespace

pkcs11::Pool* Tokens::Find(std::uint32_t handle) const {
  const auto found = pools_.find(handle);
  return found == pools_.end() ? nullptr : found->second.get();
}

std::uint32_t Tokens::Add(std::shared_ptr<pkcs11::Pool> pool) {
  pools_.emplace(++last_handle_, std::move(pool));
  return last_handle_;
}

void Tokens::Shut() {
  mailbox_->Shut();
  for (const auto& [handle, pool] : pools_) {
    pool->Close(0);
  }
  for (const auto& [handle, pool] : pools_) {
    pool->Wait(kPatienceAtEnd);
  }
  pools_.clear();
}

std::span<const NamedFunction> Pkcs11Functions() { return kFunctions; }

}  // namespace keywright
