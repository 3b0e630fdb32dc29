#ifndef KEYWRIGHT_NAPI_FUNCTIONS_H_
#define KEYWRIGHT_NAPI_FUNCTIONS_H_

#include <node_api.h>

#include <span>

// The functions of the binding, one table per family. Their parameters are listed in
// src/core/native-binding.ts.

namespace keywright {

struct NamedFunction {
  const char* name;
  napi_callback callback;
};

std::span<const NamedFunction> AeadFunctions();
std::span<const NamedFunction> AsymmetricFunctions();
std::span<const NamedFunction> AsyncFunctions();
std::span<const NamedFunction> HashFunctions();
std::span<const NamedFunction> KeyFunctions();
std::span<const NamedFunction> KeyTransportFunctions();
std::span<const NamedFunction> MessageFunctions();
std::span<const NamedFunction> Pkcs11Functions();

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_FUNCTIONS_H_
