#ifndef KEYWRIGHT_NAPI_TASK_QUEUE_H_
#define KEYWRIGHT_NAPI_TASK_QUEUE_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

namespace keywright {

struct Task;

// Short tasks of one environment that wait for a thread of the pool. JavaScript puts them in, the
// threads take them out, and put back what they have not finished; owned by the environment and by
// every run over it, because threads may still be at work when the environment has gone.
class TaskQueue {
 public:
  TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  ~TaskQueue();

  void Put(std::shared_ptr<Task> task);
  // The one that has waited longest; null when none waits.
  std::shared_ptr<Task> Take();
  bool is_empty();

  // Runs that are under way; counted on the JavaScript thread only.
  std::size_t runs = 0;

 private:
  std::mutex mutex_;
  std::deque<std::shared_ptr<Task>> waiting_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_TASK_QUEUE_H_
