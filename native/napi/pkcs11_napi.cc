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
  const Token* token = tokens.Find(handle);
  pkcs11::Ticket ticket = 0;
  napi_value promise = token == nullptr
                           ? nullptr
                           : token->mailbox->Expect(env, ValueOfClosing, &tokens, handle, &ticket);
  if (promise != nullptr) {
    token->pool->Close(ticket);
  }
  return promise;
}

napi_value ValueOfOpening(napi_env env, void* data, std::uint32_t handle, const Reply& reply) {
  auto* tokens = static_cast<Tokens*>(data);
  if (reply.failure.ok()) {
    return ValueOfFacts(env, handle, tokens->Find(handle)->pool->facts());
  }
  CloseToken(env, *tokens, handle);
  return ValueOf(env, reply.failure);
}

void ShutTokens(void* data) { static_cast<Tokens*>(data)->Shut(); }

Tokens& TokensOf(napi_env env, Environment& environment) {
  if (!environment.tokens) {
    environment.tokens = std::make_shared<Tokens>(env);
    napi_add_env_cleanup_hook(env, ShutTokens, environment.tokens.get());
  }
  return *environment.tokens;
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
// in ms, timeout of opening in ms, bind, user type], function for replies): promise of facts or a
// failure
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
  napi_valuetype type = napi_undefined;
  napi_typeof(env, arguments.ValueAt(5), &type);
  auto connection = ConnectionOf(path, label, pin, init_args, numbers);
  if (!connection || type != napi_function) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  const std::shared_ptr<Mailbox> mailbox = Mailbox::Make(env, arguments.ValueAt(5));
  if (!mailbox) {
    return ValueOf(env, Failure{.reason = Reason::kOutOfMemory});
  }
  const pkcs11::PoolOptions options = {.sessions = numbers[2],
                                       .queue_length = numbers[3],
                                       .timeout = std::chrono::milliseconds(numbers[4])};
  const auto pool =
      std::make_shared<Pool>(std::move(connection), options, pkcs11::Perform, mailbox);
  Tokens& tokens = TokensOf(env, arguments.environment());
  const std::uint32_t handle = tokens.Add({.pool = pool, .mailbox = mailbox});
  pkcs11::Ticket ticket = 0;
  napi_value promise = mailbox->Expect(env, ValueOfOpening, &tokens, handle, &ticket);
  if (promise == nullptr) {
    tokens.Remove(handle);
    return ValueOf(env, Failure{.reason = Reason::kOutOfMemory});
  }
  const Failure failure = pool->Open(ticket, std::chrono::milliseconds(numbers[5]));
  if (!failure.ok()) {
    mailbox->Settle(env, ticket, Failed(failure));
  }
  return promise;
}

const Token* TokenOf(Arguments& arguments, std::uint32_t handle) {
  const std::shared_ptr<Tokens>& tokens = arguments.environment().tokens;
  return tokens ? tokens->Find(handle) : nullptr;
}

// (handle, requests (wire.h)): nothing, and there will be a reply to each; or why to none
napi_value Submit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::uint32_t handle = arguments.NumberAt(0);
  const Bytes requests = arguments.BytesAt(1);
  if (!arguments.ok()) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  const Token* token = TokenOf(arguments, handle);
  if (token == nullptr) {
    return ValueOf(env, Failure{.reason = Reason::kClosed});
  }
  std::vector<pkcs11::Submission> submissions;
  pkcs11::RequestReader reader(requests);
  while (auto submission = reader.Next()) {
    submissions.push_back(std::move(*submission));
  }
  if (!reader.is_at_end()) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  token->mailbox->Expect(env, submissions.size());
  token->pool->Submit(std::move(submissions));
  return nullptr;
}

void SubmitOne(const Token& token, pkcs11::Ticket ticket, pkcs11::Request request) {
  std::vector<pkcs11::Submission> submissions;
  submissions.push_back({.ticket = ticket, .request = std::move(request)});
  token.pool->Submit(std::move(submissions));
}

// (handle, ticket, keyId, key of the core, aad): as Submit of one kEncryptGcm
napi_value SealKey(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::uint32_t handle = arguments.NumberAt(0);
  const std::uint32_t ticket = arguments.NumberAt(1);
  pkcs11::Request request;
  request.operation = pkcs11::Operation::kEncryptGcm;
  Result<PrivateBuffer> key_id = PrivateBuffer::CopyOf(arguments.BytesAt(2));
  const Key* key = arguments.KeyAt(3);
  Result<PrivateBuffer> aad = PrivateBuffer::CopyOf(arguments.BytesAt(4));
  if (!arguments.ok() || !key_id.ok() || !aad.ok() || key == nullptr ||
      !pkcs11::AddKey(*key, &request)) {
    return ValueOf(env, Failure{.reason = Reason::kInvalidArgument});
  }
  const Token* token = TokenOf(arguments, handle);
  if (token == nullptr) {
    return ValueOf(env, Failure{.reason = Reason::kClosed});
  }
  request.key_id = std::move(key_id).value();
  request.common = std::move(aad).value();
  token->mailbox->Expect(env, 1);
  SubmitOne(*token, ticket, std::move(request));
  return nullptr;
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
  const Token* token = TokenOf(arguments, handle);
  if (token == nullptr) {
    return ValueOf(env, Failure{.reason = Reason::kClosed});
  }
  request.key_id = std::move(key_id).value();
  request.common = std::move(aad).value();
  request.items.push_back(std::move(sealed).value());
  pkcs11::Ticket ticket = 0;
  napi_value promise = token->mailbox->Expect(env, ValueOfOpenedKey, &arguments.environment(),
                                              static_cast<std::uint32_t>(*type), &ticket);
  if (promise == nullptr) {
    return ValueOf(env, Failure{.reason = Reason::kOutOfMemory});
  }
  SubmitOne(*token, ticket, std::move(request));
  return promise;
}

// (handle, out): writes is circuit open, sessions, active, queued, logins
std::int32_t State(Arguments& arguments) {
  const std::uint32_t handle = arguments.NumberAt(0);
  const auto out = arguments.Uint32ArrayAt(1);
  const Token* token = TokenOf(arguments, handle);
  if (!arguments.ok() || out.size() != 5 || token == nullptr) {
    return CodeOf(Status::kInvalidArgument);
  }
  const pkcs11::PoolState state = token->pool->state();
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

const Token* Tokens::Find(std::uint32_t handle) const {
  const auto found = tokens_.find(handle);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::uint32_t Tokens::Add(Token token) {
  tokens_.emplace(++last_handle_, std::move(token));
  return last_handle_;
}

void Tokens::Remove(std::uint32_t handle) {
  const auto found = tokens_.find(handle);
  if (found != tokens_.end()) {
    found->second.mailbox->Shut(env_);
    tokens_.erase(found);
  }
}

void Tokens::Shut() {
  for (const auto& [handle, token] : tokens_) {
    token.mailbox->Shut(env_);
    token.pool->Close(0);
  }
  for (const auto& [handle, token] : tokens_) {
    token.pool->Wait(kPatienceAtEnd);
  }
  tokens_.clear();
}

std::span<const NamedFunction> Pkcs11Functions() { return kFunctions; }

}  // namespace keywright
