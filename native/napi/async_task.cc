#include "napi/async_task.h"

#include <memory>
#include <utility>

namespace keywright {
namespace {

struct Task {
  Environment* environment;
  AsyncWork run;
  AsyncOutcome outcome;
  std::vector<napi_ref> pinned;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

napi_value Number(napi_env env, std::int32_t number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

napi_value Buffers(napi_env env, const std::vector<SecureBuffer>& outputs) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, outputs.size(), &array);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Bytes bytes = outputs[i].bytes();
    napi_value buffer = nullptr;
    if (napi_create_buffer_copy(env, bytes.size(), bytes.data(), nullptr, &buffer) != napi_ok) {
      return nullptr;
    }
    napi_set_element(env, array, static_cast<std::uint32_t>(i), buffer);
  }
  return array;
}

napi_value ValueOf(napi_env env, Task& task) {
  AsyncOutcome& outcome = task.outcome;
  if (outcome.status != Status::kOk) {
    return Number(env, CodeOf(outcome.status));
  }
  if (outcome.key) {
    return Number(env, CodeOf(*task.environment, std::move(outcome.key)));
  }
  return outcome.outputs.empty() ? Number(env, CodeOf(Status::kOk, outcome.written))
                                 : Buffers(env, outcome.outputs);
}

void Execute(napi_env /*env*/, void* data) {
  auto* task = static_cast<Task*>(data);
  task->outcome = task->run();
}

// On the JavaScript thread; also when the environment ends, where every call into it fails and only
// the memory is to be given back.
void Complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Task> task(static_cast<Task*>(data));
  // Gives back keys and copies of inputs before JavaScript runs.
  task->run = nullptr;
  for (napi_ref reference : task->pinned) {
    napi_delete_reference(env, reference);
  }
  napi_value value = status == napi_ok ? ValueOf(env, *task) : nullptr;
  if (value == nullptr) {
    value = Number(env, CodeOf(Status::kLibcryptoFailed));
  }
  if (value != nullptr) {
    napi_resolve_deferred(env, task->deferred, value);
  }
  napi_delete_async_work(env, task->work);
}

}  // namespace

napi_value StartAsync(Arguments& arguments, AsyncWork work,
                      std::initializer_list<napi_value> pinned) {
  napi_env env = arguments.env();
  auto task = std::make_unique<Task>();
  task->environment = &arguments.environment();
  task->run = std::move(work);
  napi_value promise = nullptr;
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "keywright", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Execute, Complete, task.get(), &task->work) !=
          napi_ok) {
    return nullptr;
  }
  for (napi_value value : pinned) {
    napi_ref reference = nullptr;
    if (napi_create_reference(env, value, 1, &reference) == napi_ok) {
      task->pinned.push_back(reference);
    }
  }
  if (task->pinned.size() != pinned.size() ||
      napi_create_promise(env, &task->deferred, &promise) != napi_ok ||
      napi_queue_async_work(env, task->work) != napi_ok) {
    for (napi_ref reference : task->pinned) {
      napi_delete_reference(env, reference);
    }
    napi_delete_async_work(env, task->work);
    return nullptr;
  }
  static_cast<void>(task.release());  // Complete takes it back
  return promise;
}

}  // namespace keywright
