#include <napi.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/library_context.h"
#include "napi/environment.h"
#include "napi/functions.h"
#include "napi/info_napi.h"
#include "napi/own_libcrypto.h"

namespace keywright {
namespace {

constexpr const char* kSecureHeapVariable = "KEYWRIGHT_SECURE_HEAP_MIB";
constexpr std::size_t kMaxSecureHeapMiB = 1024;

// Bytes that the variable asks for, 0 when it is not set, nothing when it does not say a number in
// range.
std::optional<std::size_t> RequestedSecureHeapBytes() {
  const char* text = std::getenv(kSecureHeapVariable);
  if (text == nullptr) {
    return 0;
  }
  const std::string_view digits(text);
  std::size_t mebibytes = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), mebibytes);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
  if (!is_number || mebibytes < 1 || mebibytes > kMaxSecureHeapMiB) {
    return std::nullopt;
  }
  return mebibytes * 1024 * 1024;
}

// Why the addon cannot run here; empty when it can.
std::string Refusal() {
  if (!IsOwnLibcrypto()) {
    return "keywright: this binary was linked wrongly: its calls to libcrypto reach another copy "
           "than its own. Build "
           "it with script/addon.";
  }
  const std::optional<std::size_t> secure_heap_bytes = RequestedSecureHeapBytes();
  if (!secure_heap_bytes) {
    return std::string("keywright: ") + kSecureHeapVariable + " must be a whole number from 1 to " +
           std::to_string(kMaxSecureHeapMiB) + " (MiB).";
  }
  const Status status = InitializeLibrary(*secure_heap_bytes);
  if (status == Status::kOk) {
    return "";
  }
  return "keywright: the cryptographic library could not start (status " +
         std::to_string(static_cast<std::int32_t>(status)) + ").";
}

void Define(Napi::Env env, Napi::Object exports, std::span<const NamedFunction> functions,
            Environment* environment) {
  for (const NamedFunction& function : functions) {
    const napi_property_descriptor property{.utf8name = function.name,
                                            .name = nullptr,
                                            .method = function.callback,
                                            .getter = nullptr,
                                            .setter = nullptr,
                                            .value = nullptr,
                                            .attributes = napi_enumerable,
                                            .data = environment};
    if (napi_define_properties(env, exports, 1, &property) != napi_ok) {
      return;  // leaves a JavaScript exception
    }
  }
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  if (const std::string refusal = Refusal(); !refusal.empty()) {
    Napi::Error::New(env, refusal).ThrowAsJavaScriptException();
    return exports;
  }
  // Node calls the finalizer when the environment goes, after the last JavaScript function of it
  // ran.
  auto* environment = new Environment;
  env.SetInstanceData(environment);
  for (const auto functions :
       {AeadFunctions(), AsymmetricFunctions(), AsyncFunctions(), HashFunctions(), KeyFunctions(),
        KeyTransportFunctions(), MessageFunctions(), Pkcs11Functions()}) {
    Define(env, exports, functions, environment);
  }
  exports.Set("info", Napi::Function::New(env, Info, "info"));
  return exports;
}

}  // namespace

NODE_API_MODULE(keywright, Initialize)

}  // namespace keywright
