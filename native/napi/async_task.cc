#include "napi/async_task.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "core/vector_registers.h"
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
    ClearVectorRegisters();
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

namespace {

// How long a thread works on a batch before others get their turn, and how long results wait for
// more of them: long next to the 10 µs that it costs to wake the JavaScript thread, short for those
// who wait.
constexpr std::chrono::microseconds kTurn(200);

// How long a thread does short tasks before it is the turn of those who wait for the pool and are
// none of us. Until it begins again up to a millisecond may pass: where threads compute on all
// cores, the JavaScript thread does not always get one at once when it is woken.
constexpr std::chrono::milliseconds kLongestRun(50);

// How long a thread works on a batch of long operations before others get it.
constexpr std::chrono::milliseconds kLongTurn(10);

std::size_t Cores() {
  static const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  return cores;
}

// One stay on a thread of the pool: for a long task, or for the short ones that wait.
struct Run {
  Environment* environment;          // may have gone when the status of the run is not napi_ok
  std::shared_ptr<TaskQueue> queue;  // of short tasks; null for a long one
  std::shared_ptr<Task> long_task = nullptr;
  Tasks done = {};
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
void Settle(napi_env env, napi_status status, Environment* environment, Task& task) {
  // Gives back keys and copies of inputs before JavaScript runs.
  task.run = nullptr;
  Release(env, task);
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) {
    return;
  }
  napi_value value = status == napi_ok ? ValueOf(env, *environment, task.outcome) : nullptr;
  if (value == nullptr) {
    value = Number(env, CodeOf(Status::kLibcryptoFailed));
  }
  if (value != nullptr) {
    napi_resolve_deferred(env, task.deferred, value);
  }
  napi_close_handle_scope(env, scope);
}

void DoShortTasks(Run& run) {
  Clock::time_point now = Clock::now();
  const Clock::time_point end = now + kLongestRun;
  Clock::time_point due;  // of what is done
  while (now < end) {
    Numbered next = run.queue->Take();
    if (!next.task) {
      return;
    }
    const Progress progress = next.task->Execute(now + kTurn);
    now = Clock::now();
    if (progress == Progress::kDone) {
      due = run.done.empty() ? now + kTurn : due;
      run.done.push_back(std::move(next.task));
    } else if (progress == Progress::kMore) {
      run.queue->PutBack(std::move(next));
    }
    if (!run.done.empty() && now >= due) {
      run.queue->Deliver(&run.done);
    }
  }
}

void DoLongTask(Run& run) {
  const Progress progress = run.long_task->Execute(Clock::now() + kLongTurn);
  run.has_more = progress == Progress::kMore;
  if (progress == Progress::kDone) {
    run.done.push_back(std::move(run.long_task));
  }
}

void Execute(napi_env /*env*/, void* data) {
  auto* run = static_cast<Run*>(data);
  if (run->queue) {
    DoShortTasks(*run);
  } else {
    DoLongTask(*run);
  }
}

bool Start(napi_env env, std::unique_ptr<Run> run);

// On the JavaScript thread, while threads go on; without an environment when that ends.
void TakeIn(napi_env env, napi_value /*function*/, void* context, void* /*data*/) {
  if (env == nullptr) {
    return;
  }
  auto* environment = static_cast<Environment*>(context);
  for (const auto& task : environment->tasks->TakeDone()) {
    Settle(env, napi_ok, environment, *task);
  }
}

bool StartShort(napi_env env, Environment* environment, const std::shared_ptr<TaskQueue>& queue) {
  // Without a connection the results come when the run ends.
  queue->Connect(env, TakeIn, environment);
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
  // What was delivered before the run ended must not wait for another event.
  for (const auto& task : run->queue ? run->queue->TakeDone() : Tasks()) {
    Settle(env, status, run->environment, *task);
  }
  for (const auto& task : run->done) {
    Settle(env, status, run->environment, *task);
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
  // The threads of the pool start with the registers of who starts them.
  ClearVectorRegisters();
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
  // They compute all the time, so more threads than there are cores gain nothing.
  if (queue->runs >= Cores() || StartShort(env, environment, queue) || queue->runs > 0) {
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
