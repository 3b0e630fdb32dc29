#ifndef KEYWRIGHT_NAPI_ASYNC_TASK_H_
#define KEYWRIGHT_NAPI_ASYNC_TASK_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "core/batch.h"
#include "core/bytes.h"
#include "core/key.h"
#include "core/private_buffer.h"
#include "napi/arguments.h"

namespace keywright {

// What work on the pool leaves for JavaScript: a failure, a key, a number of bytes written, or
// outputs, which JavaScript sees only when they are complete.
struct AsyncOutcome {
  Status status = Status::kOk;
  KeyPtr key;
  std::size_t written = 0;
  std::vector<PrivateBuffer> outputs;
};

// Runs on a thread of the pool. Uses what it has captured: copies of inputs and shared keys, and no
// memory of JavaScript but what is pinned.
using AsyncWork = std::function<AsyncOutcome()>;

// A short task takes less than about a millisecond. Several may share one hop to the pool, which
// costs as much as a signature on P-256; a long one never makes others wait.
enum class TaskLength { kShort, kLong };

// Starts `work`; the result is a promise of: the negative number of a status, a key handle, an
// array of Buffers, or the number of bytes written. `pinned` are JavaScript values that stay alive
// until then. When the environment ends first, it waits for the work and nobody learns of the
// outcome.
napi_value StartAsync(Arguments& arguments, TaskLength length, AsyncWork work,
                      std::initializer_list<napi_value> pinned = {});

// Starts a batch, on as many threads as there are cores; the result is a promise of its results as
// three Buffers. `length` is that of one item. Threads leave it after a turn each and come back to
// it behind what has waited longer, so that a large one holds nothing up.
napi_value StartBatch(Arguments& arguments, TaskLength length, std::shared_ptr<Batch> batch);

// Makes a JavaScript function of `Function`, which gives a promise, or an empty handle and the
// status why there is none.
struct AsyncStart {
  Status status;
  napi_value promise = nullptr;
};

template <AsyncStart (*Function)(Arguments&)>
napi_value CallAsync(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const AsyncStart start = Function(arguments);
  if (start.promise != nullptr) {
    return start.promise;
  }
  napi_value code = nullptr;
  napi_create_int32(
      env, CodeOf(start.status == Status::kOk ? Status::kLibcryptoFailed : start.status), &code);
  return code;
}

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_ASYNC_TASK_H_
