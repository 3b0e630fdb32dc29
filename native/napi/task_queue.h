#ifndef KEYWRIGHT_NAPI_TASK_QUEUE_H_
#define KEYWRIGHT_NAPI_TASK_QUEUE_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace keywright {

struct Task;
using Tasks = std::vector<std::shared_ptr<Task>>;

// A task in the order in which they came; no task when there is none.
struct Numbered {
  std::shared_ptr<Task> task;
  std::uint64_t number = 0;
};

// Short tasks of one environment, on their way to the threads of the pool and back. JavaScript puts
// them in; the threads take them out, put back what they have not finished, and deliver what they
// have. Owned by the environment and by every run over it, because threads may still be at work
// when the environment has gone.
class TaskQueue {
 public:
  TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  ~TaskQueue();

  void Put(std::shared_ptr<Task> task);
  // New tasks and those that were put back take turns, so that neither hold the others up; each
  // kind in the order in which they came. Batches are thus finished one after the other: were all
  // done at the same time, the threads would have nothing to do until JavaScript has taken in their
  // results and made new ones.
  Numbered Take();
  // What was taken and not finished.
  void PutBack(Numbered numbered);
  bool is_empty();

  // Empties `tasks` and has the JavaScript thread take them in, when the queue is connected.
  void Deliver(Tasks* tasks);
  Tasks TakeDone();

  // The rest is for the JavaScript thread.

  // Runs that are under way.
  std::size_t runs = 0;

  // After deliveries, `on_done` gets `data`. Without room for that, or a second time, does nothing.
  void Connect(napi_env env, napi_threadsafe_function_call_js on_done, void* data);
  // No delivery afterwards.
  void Disconnect();

 private:
  std::mutex mutex_;
  std::uint64_t last_number_ = 0;
  std::deque<Numbered> new_;
  std::deque<Numbered> begun_;
  bool is_turn_of_begun_ = false;
  Tasks done_;

  std::mutex wake_mutex_;
  napi_threadsafe_function wake_ = nullptr;
};

}  // namespace keywright

#endif  // KEYWRIGHT_NAPI_TASK_QUEUE_H_
