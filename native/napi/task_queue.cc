#include "napi/task_queue.h"

#include <algorithm>
#include <iterator>

namespace keywright {
namespace {

void DisconnectQueue(void* queue) { static_cast<TaskQueue*>(queue)->Disconnect(); }

}  // namespace

TaskQueue::TaskQueue() = default;
TaskQueue::~TaskQueue() = default;

void TaskQueue::Put(std::shared_ptr<Task> task) {
  const std::lock_guard lock(mutex_);
  new_.push_back({std::move(task), ++last_number_});
}

Numbered TaskQueue::Take() {
  const std::lock_guard lock(mutex_);
  const bool takes_begun = !begun_.empty() && (is_turn_of_begun_ || new_.empty());
  is_turn_of_begun_ = !takes_begun;
  std::deque<Numbered>& tasks = takes_begun ? begun_ : new_;
  if (tasks.empty()) {
    return {};
  }
  Numbered first = std::move(tasks.front());
  tasks.pop_front();
  return first;
}

void TaskQueue::PutBack(Numbered numbered) {
  const std::lock_guard lock(mutex_);
  const auto next = std::find_if(begun_.begin(), begun_.end(), [&](const Numbered& other) {
    return other.number > numbered.number;
  });
  begun_.insert(next, std::move(numbered));
}

bool TaskQueue::is_empty() {
  const std::lock_guard lock(mutex_);
  return new_.empty() && begun_.empty();
}

void TaskQueue::Deliver(Tasks* tasks) {
  // Not the mutex that the JavaScript thread, once awake, takes at once.
  const std::lock_guard waking(wake_mutex_);
  if (wake_ == nullptr) {
    return;
  }
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = done_.empty();
    std::move(tasks->begin(), tasks->end(), std::back_inserter(done_));
  }
  tasks->clear();
  if (is_first) {
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  }
}

Tasks TaskQueue::TakeDone() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void TaskQueue::Connect(napi_env env, napi_threadsafe_function_call_js on_done, void* data) {
  if (wake_ != nullptr) {
    return;
  }
  napi_value name = nullptr;
  napi_threadsafe_function wake = nullptr;
  if (napi_create_string_utf8(env, "keywright.tasks", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, data,
                                      on_done, &wake) != napi_ok) {
    return;
  }
  // A run keeps the environment alive, and takes in what it delivered when it ends.
  napi_unref_threadsafe_function(env, wake);
  napi_add_env_cleanup_hook(env, DisconnectQueue, this);
  const std::lock_guard waking(wake_mutex_);
  wake_ = wake;
}

void TaskQueue::Disconnect() {
  const std::lock_guard waking(wake_mutex_);
  if (wake_ != nullptr) {
    napi_release_threadsafe_function(std::exchange(wake_, nullptr), napi_tsfn_abort);
  }
}

}  // namespace keywright
