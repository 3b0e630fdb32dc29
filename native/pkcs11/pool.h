#ifndef KEYWRIGHT_PKCS11_POOL_H_
#define KEYWRIGHT_PKCS11_POOL_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "pkcs11/connection.h"
#include "pkcs11/job.h"
#include "pkcs11/lanes.h"
#include "pkcs11/session.h"
#include "pkcs11/thread.h"

namespace keywright::pkcs11 {

// Where replies go, from any thread. It outlives what it was given to.
class Receiver {
 public:
  Receiver() = default;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  virtual ~Receiver() = default;
  virtual void Receive(std::vector<Completion> completions) = 0;
};

struct PoolOptions {
  std::size_t sessions = 4;
  std::size_t queue_length = 1024;
  std::chrono::milliseconds timeout{10000};
};

struct PoolState {
  bool is_circuit_open;
  std::size_t sessions;
  std::size_t active;
  std::size_t queued;
  std::uint64_t logins;
};

// Does a request in a session: perform.h, or what a test puts in its place.
using Performer = Reply (*)(Session&, const Request&);

// The threads of one token, each with a session; what waits for them; and a supervisor, a thread
// that never calls the module and so can tell which ones do not come back from it.
//
// - A thread serves one job at a time, mends what was lost (recovery.h) and repeats it.
// - A call into a module cannot be cancelled. When the time of its job is over the thread counts as
//   stuck: the requester gets kTimedOut, another thread takes its place while there are fewer than
//   twice as many as sessions, and what it brings back late is dropped.
// - A thread that gets no session because the token has no more leaves its job to the others and
//   ends; another one tries again later.
// - The circuit opens when the token cannot be had after repetitions, or all threads are stuck.
//   Then everything that waits or comes fails with kUnavailable at once, while one thread probes
//   the token from time to time.
//
// Everything may be called from any thread. A pool lives until its threads have ended: it is shared
// by them.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::unique_ptr<Connection> connection, PoolOptions options, Performer performer,
       std::shared_ptr<Receiver> receiver);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  // Starts threads and connects; the reply to `ticket` has no outputs and tells how it went. To be
  // called once, first. After a failure the pool is of no use but to be closed.
  Failure Open(Ticket ticket, std::chrono::milliseconds timeout);

  // The receiver gets one reply to each, which may have come when this returns: so what is not
  // taken (kQueueFull, kUnavailable, kClosed).
  void Submit(std::vector<Submission> submissions);

  // Refuses what comes, ends what waits with kClosed, and lets threads end when their jobs have, or
  // are stuck; `ticket` is answered then.
  void Close(Ticket ticket);

  // Waits for the end of a closed pool, at most so long; for the end of an environment. False when
  // it was not enough.
  bool Wait(std::chrono::milliseconds patience);

  PoolState state();
  // Valid after Open succeeded.
  const TokenFacts& facts() const { return connection_->facts(); }

 private:
  struct Worker {
    Thread thread;
    JobPtr job;
    // Until when it must be back from the module; the far future when it is not in it.
    Clock::time_point deadline = Clock::time_point::max();
    // Replies that are handed over together, so that not each of them wakes the receiver.
    std::vector<Completion> held;
    Clock::time_point held_since;
    // Whether it had a session.
    bool has_served = false;
    bool is_stuck = false;
    bool is_leaving = false;
    bool has_ended = false;
  };
  using Lock = std::unique_lock<std::mutex>;
  using Completions = std::vector<Completion>;

  // A thread that works.
  void RunWorker(Worker& worker);
  JobPtr NextJob(Lock& lock, Worker& worker);
  JobPtr TakeJob(Worker& worker);
  void HandOver(Lock& lock, Worker& worker);
  JobPtr MakeProbe();
  Reply Serve(Lease& lease, Job& job);
  Reply Attempt(Lease& lease, const Job& job, Loss* loss);
  Reply PerformIn(const Lease& lease, const Request& request, Loss* loss);
  Failure Probe(const Lease& lease);
  bool MayTryAgain(const Job& job, Loss loss, unsigned attempt);
  Reply GiveUp(const Job& job, Failure failure, Loss loss);
  void EndWorker(Lock& lock, Worker& worker, Lease& lease);

  // Under the lock. The replies that became due are for Deliver, without the lock.
  Failure Take(std::vector<JobPtr> jobs, Completions* due);
  bool Return(Worker& worker, Reply reply);
  bool StartWorker();
  void StartLater(std::chrono::milliseconds delay);
  std::size_t CountLive() const;
  void Settle(Job& job, Reply reply, Completions* due);
  void OpenCircuit(Failure cause, Completions* due);
  void NoteProbe(bool has_succeeded);
  void WakeSupervisor(Clock::time_point deadline);

  // The supervisor.
  void Supervise();
  Clock::time_point EarliestDeadline() const;
  void Expire(Clock::time_point now, Completions* due);
  // One thread at a time: while the token refuses its session it is no use to start more.
  void Replenish(Clock::time_point now);
  bool JoinEnded(Lock& lock);

  void Deliver(Completions due);

  const std::unique_ptr<Connection> connection_;
  const PoolOptions options_;
  const Performer performer_;
  const std::shared_ptr<Receiver> receiver_;
  const pid_t process_;

  std::mutex mutex_;
  std::condition_variable work_;      // for threads without a job
  std::condition_variable patience_;  // for those between two attempts
  std::condition_variable supervisor_wake_;
  std::condition_variable ended_wake_;
  Lanes lanes_;
  std::list<Worker> workers_;
  Thread supervisor_;
  // When the supervisor looks next; it must be told of what is due before.
  Clock::time_point supervisor_looks_at_ = Clock::time_point::min();

  bool is_circuit_open_ = false;
  Failure circuit_cause_;
  unsigned probes_ = 0;
  bool is_probing_ = false;
  Clock::time_point next_probe_;

  // Threads that left in a row because the token had no session for them, and when another one is
  // started in their place.
  unsigned shortages_ = 0;
  Clock::time_point next_start_ = Clock::time_point::max();

  bool is_open_ = false;
  bool is_closing_ = false;
  Ticket close_ticket_ = 0;
  bool has_ended_ = false;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_POOL_H_
