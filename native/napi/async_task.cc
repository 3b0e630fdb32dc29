#include "napi/async_task.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "napi/task_queue.h"

namespace keywright {

struct Task {
  AsyncWork run;
  AsyncOutcome outcome;
  std::vector<napi_ref> pinned;
  napi_deferred deferred = nullptr;

  void Execute() { outcome = run(); }
};

TaskQueue::TaskQueue() = default;
TaskQueue::~TaskQueue() = default;

void TaskQueue::Put(std::unique_ptr<Task> task) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(task));
}

std::unique_ptr<Task> TaskQueue::Take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    return nullptr;
  }
  std::unique_ptr<Task> task = std::move(waiting_.front());
  waiting_.pop_front();
  return task;
}

bool TaskQueue::is_empty() {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

namespace {

// How long a run goes on taking tasks: long next to the 10 µs that a hop to the pool costs, short
// for those who wait for the result of its first task.
constexpr std::chrono::microseconds kTurn(200);

// Short tasks compute all the time, so more threads than there are cores gain nothing; twice as
// many, so that one is at work while JavaScript takes in the results of another.
std::size_t MaxRuns() {
  static const std::size_t runs =
      std::size_t{2} * std::max(1U, std::thread::hardware_concurrency());
  return runs;
}

// One stay on a thread of the pool: for a long task, or for the short ones that wait.
struct Run {
  Environment* environment;          // may have gone when the status of the run is not napi_ok
  std::shared_ptr<TaskQueue> queue;  // of short tasks; null for a long one
  std::vector<std::unique_ptr<Task>> tasks;  // done, or the long one
  napi_async_work work = nullptr;
};

napi_value Number(napi_env env, std::int32_t number) {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

napi_value Buffers(napi_env env, const std::vector<PrivateBuffer>& outputs) {
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

napi_value ValueOf(napi_env env, Environment& environment, AsyncOutcome& outcome) {
  if (outcome.status != Status::kOk) {
    return Number(env, CodeOf(outcome.status));
  }
  if (outcome.key) {
    return Number(env, CodeOf(environment, std::move(outcome.key)));
  }
  return outcome.outputs.empty() ? Number(env, CodeOf(Status::kOk, outcome.written))
                                 : Buffers(env, outcome.outputs);
}

void Release(napi_env env, Task& task) {
  for (napi_ref reference : task.pinned) {
    napi_delete_reference(env, reference);
  }
  task.pinned.clear();
}

// When the environment ends, every call into it fails and only the memory is to be given back.
void Settle(napi_env env, napi_status status, const Run& run, Task& task) {
  // Gives back keys and copies of inputs before JavaScript runs.
  task.run = nullptr;
  Release(env, task);
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return;
  }
  napi_value value = status == napi_ok ? ValueOf(env, *run.environment, task.outcome) : nullptr;
  if (value == nullptr) {
    value = Number(env, CodeOf(Status::kLibcryptoFailed));
  }
  if (value != nullptr) {
    napi_resolve_deferred(env, task.deferred, value);
  }
  napi_close_handle_scope(env, scope);
}

void Execute(napi_env /*env*/, void* data) {
  auto* run = static_cast<Run*>(data);
  if (!run->queue) {
    run->tasks.front()->Execute();
    return;
  }
  const auto begin = std::chrono::steady_clock::now();
  do {
    std::unique_ptr<Task> task = run->queue->Take();
    if (!task) {
      return;
    }
    task->Execute();
    run->tasks.push_back(std::move(task));
  } while (std::chrono::steady_clock::now() - begin < kTurn);
}

bool Start(napi_env env, std::unique_ptr<Run> run);

bool StartShort(napi_env env, Environment* environment, const std::shared_ptr<TaskQueue>& queue) {
  return Start(env, std::make_unique<Run>(Run{environment, queue, {}, nullptr}));
}

// On the JavaScript thread.
void Complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Run> run(static_cast<Run*>(data));
  if (run->queue) {
    --run->queue->runs;
    // Before the results are taken in, so that the thread has something to do meanwhile.
    if (status == napi_ok && !run->queue->is_empty()) {
      StartShort(env, run->environment, run->queue);
    }
  }
  for (const auto& task : run->tasks) {
    Settle(env, status, *run, *task);
  }
  napi_delete_async_work(env, run->work);
}

bool Start(napi_env env, std::unique_ptr<Run> run) {
  napi_value name = nullptr;
  if (napi_create_string_utf8(env, "keywright", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Execute, Complete, run.get(), &run->work) !=
          napi_ok) {
    return false;
  }
  if (napi_queue_async_work(env, run->work) != napi_ok) {
    napi_delete_async_work(env, run->work);
    return false;
  }
  if (run->queue) {
    ++run->queue->runs;
  }
  static_cast<void>(run.release());  // Complete takes it back
  return true;
}

bool StartLong(napi_env env, Environment* environment, std::unique_ptr<Task> task) {
  auto run = std::make_unique<Run>(Run{environment, nullptr, {}, nullptr});
  run->tasks.push_back(std::move(task));
  return Start(env, std::move(run));
}

bool Enqueue(napi_env env, Environment* environment, std::unique_ptr<Task> task) {
  const std::shared_ptr<TaskQueue>& queue = environment->tasks;
  queue->Put(std::move(task));
  if (queue->runs >= MaxRuns() || StartShort(env, environment, queue) || queue->runs > 0) {
    return true;
  }
  queue->Take();  // nobody else would
  return false;
}

}  // namespace

napi_value StartAsync(Arguments& arguments, TaskLength length, AsyncWork work,
                      std::initializer_list<napi_value> pinned) {
  napi_env env = arguments.env();
  auto task = std::make_unique<Task>();
  task->run = std::move(work);
  for (napi_value value : pinned) {
    napi_ref reference = nullptr;
    if (napi_create_reference(env, value, 1, &reference) == napi_ok) {
      task->pinned.push_back(reference);
    }
  }
  napi_value promise = nullptr;
  if (task->pinned.size() != pinned.size() ||
      napi_create_promise(env, &task->deferred, &promise) != napi_ok) {
    Release(env, *task);
    return nullptr;
  }
  Environment* environment = &arguments.environment();
  const bool is_started = length == TaskLength::kLong ? StartLong(env, environment, std::move(task))
                                                      : Enqueue(env, environment, std::move(task));
  return is_started ? promise : nullptr;
}

}  // namespace keywright
