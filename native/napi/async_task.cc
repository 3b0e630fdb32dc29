#include "napi/async_task.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "napi/task_queue.h"

namespace keywright {

using Clock = Batch::Clock;
using Progress = Batch::Progress;

struct Task {
  explicit Task(AsyncWork work) : run(std::move(work)) {}
  explicit Task(std::shared_ptr<Batch> work) : batch(std::move(work)) {}

  AsyncWork run;                       // one thread does it, or
  const std::shared_ptr<Batch> batch;  // several do, each of which holds the task
  AsyncOutcome outcome;
  std::vector<napi_ref> pinned;
  napi_deferred deferred = nullptr;

  Progress Execute(Clock::time_point until) {
    const Progress progress = batch ? batch->Work(until) : Progress::kDone;
    if (progress == Progress::kDone) {
      outcome = batch ? OutcomeOf(*batch) : run();
    }
    return progress;
  }

 private:
  static AsyncOutcome OutcomeOf(Batch& batch) {
    AsyncOutcome outcome;
    outcome.outputs.push_back(std::move(batch.results().data));
    outcome.outputs.push_back(std::move(batch.results().ends));
    outcome.outputs.push_back(std::move(batch.results().statuses));
    return outcome;
  }
};

TaskQueue::TaskQueue() = default;
TaskQueue::~TaskQueue() = default;

void TaskQueue::Put(std::shared_ptr<Task> task) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(task));
}

std::shared_ptr<Task> TaskQueue::Take() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    return nullptr;
  }
  std::shared_ptr<Task> task = std::move(waiting_.front());
  waiting_.pop_front();
  return task;
}

bool TaskQueue::is_empty() {
  const std::lock_guard lock(mutex_);
  return waiting_.empty();
}

namespace {

// How long a thread works on a batch before others get their turn, and how long a run goes on after
// its first result: long next to the 10 µs that a hop to the pool costs, short for those who wait.
constexpr std::chrono::microseconds kTurn(200);

// How long a run goes on that has no result to bring yet: short next to the longest operations,
// for those who wait for the pool and are none of us.
constexpr std::chrono::microseconds kLongestRun(1000);

std::size_t Cores() {
  static const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return cores;
}

// Short tasks compute all the time, so more threads than there are cores gain nothing; twice as
// many, so that one is at work while JavaScript takes in the results of another.
std::size_t MaxRuns() { return 2 * Cores(); }

// One stay on a thread of the pool: for a long task, or for the short ones that wait.
struct Run {
  Environment* environment;          // may have gone when the status of the run is not napi_ok
  std::shared_ptr<TaskQueue> queue;  // of short tasks; null for a long one
  std::shared_ptr<Task> long_task = nullptr;
  std::vector<std::shared_ptr<Task>> done = {};
  bool has_more = false;  // of the long one
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
  Clock::time_point now = Clock::now();
  Clock::time_point end = now + kLongestRun;
  do {
    std::shared_ptr<Task> task = run->queue ? run->queue->Take() : run->long_task;
    if (!task) {
      return;
    }
    const Progress progress = task->Execute(now + kTurn);
    now = Clock::now();
    run->has_more = progress == Progress::kMore;
    if (progress == Progress::kDone) {
      end = std::min(end, now + kTurn);
      run->done.push_back(std::move(task));
    } else if (run->has_more && run->queue) {
      run->queue->Put(std::move(task));
    }
  } while (run->queue && now < end);
}

bool Start(napi_env env, std::unique_ptr<Run> run);

bool StartShort(napi_env env, Environment* environment, const std::shared_ptr<TaskQueue>& queue) {
  return Start(env, std::make_unique<Run>(Run{environment, queue}));
}

bool StartLong(napi_env env, Environment* environment, std::shared_ptr<Task> task) {
  return Start(env, std::make_unique<Run>(Run{environment, nullptr, std::move(task)}));
}

// On the JavaScript thread.
void Complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Run> run(static_cast<Run*>(data));
  if (run->queue) {
    --run->queue->runs;
  }
  // Before the results are taken in, so that the thread has something to do meanwhile.
  if (status == napi_ok && run->queue && !run->queue->is_empty()) {
    StartShort(env, run->environment, run->queue);
  } else if (status == napi_ok && !run->queue && run->has_more) {
    StartLong(env, run->environment, std::move(run->long_task));
  }
  for (const auto& task : run->done) {
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

bool Enqueue(napi_env env, Environment* environment, std::shared_ptr<Task> task) {
  const std::shared_ptr<TaskQueue>& queue = environment->tasks;
  queue->Put(std::move(task));
  if (queue->runs >= MaxRuns() || StartShort(env, environment, queue) || queue->runs > 0) {
    return true;
  }
  queue->Take();  // nobody else would
  return false;
}

bool StartTask(Arguments& arguments, TaskLength length, std::shared_ptr<Task> task) {
  return length == TaskLength::kLong
             ? StartLong(arguments.env(), &arguments.environment(), std::move(task))
             : Enqueue(arguments.env(), &arguments.environment(), std::move(task));
}

}  // namespace

napi_value StartAsync(Arguments& arguments, TaskLength length, AsyncWork work,
                      std::initializer_list<napi_value> pinned) {
  napi_env env = arguments.env();
  auto task = std::make_shared<Task>(std::move(work));
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
  return StartTask(arguments, length, std::move(task)) ? promise : nullptr;
}

napi_value StartBatch(Arguments& arguments, TaskLength length, std::shared_ptr<Batch> batch) {
  const std::size_t threads = std::clamp<std::size_t>(batch->size(), 1, Cores());
  const auto task = std::make_shared<Task>(std::move(batch));
  napi_value promise = nullptr;
  if (napi_create_promise(arguments.env(), &task->deferred, &promise) != napi_ok) {
    return nullptr;
  }
  std::size_t started = 0;
  for (std::size_t i = 0; i < threads; ++i) {
    started += StartTask(arguments, length, task) ? 1 : 0;
  }
  return started > 0 ? promise : nullptr;
}

}  // namespace keywright
