#ifndef KEYWRIGHT_NAPI_ENVIRONMENT_H_
#define KEYWRIGHT_NAPI_ENVIRONMENT_H_

#include <memory>

#include "core/key_table.h"
#include "napi/task_queue.h"

namespace keywright {

class Tokens;

// What belongs to one JavaScript environment (the main thread or one worker thread). Dies with it,
// and its keys too.
struct Environment {
  KeyTable keys;
  std::shared_ptr<TaskQueue> tasks = std::make_shared<TaskQueue>();
  // From the first token that is opened.
  std::shared_ptr<Tokens> tokens;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_ENVIRONMENT_H_
