#ifndef KEYWRIGHT_NAPI_OWN_LIBCRYPTO_H_
#define KEYWRIGHT_NAPI_OWN_LIBCRYPTO_H_

namespace keywright {

// True when calls to libcrypto reach the copy that is linked into this addon. Node exports the
// symbols of its own copy, and an addon that is linked carelessly runs on that one without a word;
// equal versions would hide it.
bool IsOwnLibcrypto();

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_OWN_LIBCRYPTO_H_
