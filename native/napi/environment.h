#ifndef KEYWRIGHT_NAPI_ENVIRONMENT_H_
#define KEYWRIGHT_NAPI_ENVIRONMENT_H_

#include "core/key_table.h"

namespace keywright {

// What belongs to one JavaScript environment (the main thread or one worker thread). Dies with it,
// and its keys too.
struct Environment {
  KeyTable keys;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_ENVIRONMENT_H_
