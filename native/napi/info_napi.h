#ifndef KEYWRIGHT_NAPI_INFO_NAPI_H_
#define KEYWRIGHT_NAPI_INFO_NAPI_H_

#include <napi.h>

namespace keywright {

// A CoreInfo of src/core/crypto-core.ts.
Napi::Value Info(const Napi::CallbackInfo& call);

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_INFO_NAPI_H_
