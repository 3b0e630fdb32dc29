#include "pkcs11/pool.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "pkcs11/pooled_session.h"

namespace keywright::pkcs11 {
namespace {

constexpr Clock::time_point kNever = Clock::time_point::max();

// Replies that wait for others at most so long, and so many.
constexpr std::chrono::microseconds kMaxHold(100);
constexpr std::size_t kMaxHeld = 32;

Reply Failed(Failure failure) {
  return {.failure = failure, .outputs = {}, .failures = {}, .has_changed = false};
}

void WaitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
               Clock::time_point time) {
  if (time == kNever) {
    condition.wait(lock);
  } else {
    condition.wait_until(lock, time);
  }
}

}  // namespace

Pool::Pool(std::unique_ptr<Connection> connection, PoolOptions options, Performer performer,
           std::shared_ptr<Receiver> receiver)
    : connection_(std::move(connection)),
      options_(options),
      performer_(performer),
      receiver_(std::move(receiver)),
      process_(getpid()),
      lanes_(options.queue_length) {}

Pool::~Pool() = default;

Failure Pool::Open(Ticket ticket, std::chrono::milliseconds timeout) {
  const JobPtr job = std::make_shared<Job>();
  job->kind = Job::Kind::kOpen;
  job->ticket = ticket;
  job->deadline = Clock::now() + timeout;
  const Lock lock(mutex_);
  JobPtr evicted;
  lanes_.Push({job}, &evicted);
  if (supervisor_.Start([self = shared_from_this()] { self->Supervise(); }) && StartWorker()) {
    return {};
  }
  lanes_.TakeAll();
  return {.reason = Reason::kOutOfMemory};
}

void Pool::Submit(std::vector<Submission> submissions) {
  const Clock::time_point deadline = Clock::now() + options_.timeout;
  std::vector<std::vector<JobPtr>> requests;
  requests.reserve(submissions.size());
  for (Submission& submission : submissions) {
    requests.push_back(Cut(std::move(submission.request), submission.ticket, deadline));
  }
  // The threads of a pool stay behind in the process that forks.
  const bool is_forked = process_ != getpid();
  Completions due;
  std::size_t taken = 0;
  {
    const Lock lock(mutex_);
    for (std::vector<JobPtr>& jobs : requests) {
      const Ticket ticket = jobs.front()->ticket;
      const std::size_t count = jobs.size();
      const Failure failure =
          is_forked ? Failure{.reason = Reason::kClosed} : Take(std::move(jobs), &due);
      if (failure.ok()) {
        taken += count;
      } else {
        due.push_back({ticket, Failed(failure)});
      }
    }
    if (taken > 0) {
      WakeSupervisor(deadline);
    }
  }
  for (std::size_t i = std::min(taken, options_.sessions); i > 0; --i) {
    work_.notify_one();
  }
  Deliver(std::move(due));
}

Failure Pool::Take(std::vector<JobPtr> jobs, Completions* due) {
  if (is_closing_) {
    return {.reason = Reason::kClosed};
  }
  if (is_circuit_open_) {
    return {.reason = Reason::kUnavailable, .rv = circuit_cause_.rv};
  }
  JobPtr evicted;
  if (!lanes_.Push(std::move(jobs), &evicted)) {
    return {.reason = Reason::kQueueFull};
  }
  if (evicted) {
    Settle(*evicted, Failed({.reason = Reason::kQueueFull}), due);
  }
  return {};
}

void Pool::Close(Ticket ticket) {
  Completions due;
  {
    const Lock lock(mutex_);
    if (is_closing_) {
      return;
    }
    is_closing_ = true;
    close_ticket_ = ticket;
    for (const JobPtr& job : lanes_.TakeAll()) {
      Settle(*job, Failed({.reason = Reason::kClosed}), &due);
    }
    supervisor_wake_.notify_one();
  }
  work_.notify_all();
  patience_.notify_all();
  Deliver(std::move(due));
}

bool Pool::Wait(std::chrono::milliseconds patience) {
  Lock lock(mutex_);
  if (process_ != getpid() ||
      !ended_wake_.wait_for(lock, patience, [this] { return has_ended_; })) {
    return false;
  }
  lock.unlock();
  supervisor_.Join();
  return true;
}

PoolState Pool::state() {
  const Lock lock(mutex_);
  const auto active = std::count_if(workers_.begin(), workers_.end(), [](const Worker& worker) {
    return worker.job && worker.job->kind == Job::Kind::kRequest;
  });
  return {.is_circuit_open = is_circuit_open_,
          .sessions = CountLive(),
          .active = static_cast<std::size_t>(active),
          .queued = lanes_.size(),
          .logins = connection_->logins()};
}

void Pool::RunWorker(Worker& worker) {
  Lease lease;
  Lock lock(mutex_);
  bool is_surplus = false;
  while (!is_surplus) {
    JobPtr job = NextJob(lock, worker);
    if (!job) {
      break;
    }
    lock.unlock();
    Reply reply = Serve(lease, *job);
    // Bytes are wiped without the lock, but for a job that may be put back.
    if (LossOf(reply.failure) != Loss::kSessionCount) {
      job->request = {};
    }
    lock.lock();
    is_surplus = Return(worker, std::move(reply));
  }
  HandOver(lock, worker);
  EndWorker(lock, worker, lease);
}

// Null when the pool closes.
JobPtr Pool::NextJob(Lock& lock, Worker& worker) {
  while (!is_closing_) {
    JobPtr job = TakeJob(worker);
    // Not while it waits, nor while something goes on that may take long.
    if (!worker.held.empty() && (!job || !job->IsShort() || worker.held.size() >= kMaxHeld ||
                                 Clock::now() - worker.held_since > kMaxHold)) {
      HandOver(lock, worker);
      if (!job) {
        continue;
      }
    }
    if (job) {
      return job;
    }
    WaitUntil(work_, lock, is_circuit_open_ && !is_probing_ ? next_probe_ : kNever);
  }
  return nullptr;
}

JobPtr Pool::TakeJob(Worker& worker) {
  worker.job = is_circuit_open_ ? MakeProbe() : lanes_.Pop();
  if (worker.job) {
    worker.deadline = worker.job->deadline;
    WakeSupervisor(worker.deadline);
  }
  return worker.job;
}

void Pool::HandOver(Lock& lock, Worker& worker) {
  Completions due = std::move(worker.held);
  worker.held.clear();
  lock.unlock();
  Deliver(std::move(due));
  lock.lock();
}

JobPtr Pool::MakeProbe() {
  const Clock::time_point now = Clock::now();
  if (is_probing_ || now < next_probe_) {
    return nullptr;
  }
  is_probing_ = true;
  auto job = std::make_shared<Job>();
  job->kind = Job::Kind::kProbe;
  job->deadline = now + options_.timeout;
  return job;
}

Reply Pool::Serve(Lease& lease, Job& job) {
  for (unsigned attempt = 1;; ++attempt) {
    Loss loss = Loss::kNothing;
    Reply reply = Attempt(lease, job, &loss);
    if (loss == Loss::kNothing) {
      connection_->NoteAnswer();
      // An attempt before this one destroyed it, and lost its answer.
      if (job.has_changed && reply.failure.reason == Reason::kKeyNotFound) {
        return {};
      }
      return reply;
    }
    job.has_changed |= reply.has_changed;
    connection_->Lose(lease, loss);
    if (loss == Loss::kHandle) {
      connection_->objects().Forget(job.request.key_id.bytes());
      connection_->objects().Forget(job.request.common.bytes());  // kWrapKey names a second key
    }
    if (!MayTryAgain(job, loss, attempt)) {
      return GiveUp(job, reply.failure, loss);
    }
  }
}

Reply Pool::Attempt(Lease& lease, const Job& job, Loss* loss) {
  Failure failure = connection_->Acquire(lease);
  if (failure.ok() && job.kind == Job::Kind::kRequest) {
    return PerformIn(lease, job.request, loss);
  }
  if (failure.ok() && job.kind == Job::Kind::kProbe) {
    failure = Probe(lease);
  }
  *loss = LossOf(failure);
  // Whatever else keeps a token from being connected, it is away.
  if (*loss == Loss::kNothing && failure.reason == Reason::kModule) {
    *loss = Loss::kToken;
  }
  return Failed(failure);
}

Reply Pool::PerformIn(const Lease& lease, const Request& request, Loss* loss) {
  const Module::Use use(connection_->module());
  if (use.epoch() != lease.epoch) {
    *loss = Loss::kSession;
    return Failed({.reason = Reason::kModule, .rv = CKR_SESSION_HANDLE_INVALID});
  }
  CK_SESSION_HANDLE handle = lease.session;
  std::unique_lock<std::mutex> owner;
  if (MakesSessionObject(request)) {
    owner = connection_->LockOwner(&handle);
  }
  PooledSession session(*connection_, handle);
  const std::uint64_t login_phase = connection_->login_phase();
  Reply reply;
  if (SearchesByItself(request.operation)) {
    if (const CK_RV rv = Connection::CheckLogin(session.functions(), handle); rv != CKR_OK) {
      reply = Failed({.reason = Reason::kModule, .rv = rv});
    }
  }
  if (reply.failure.ok()) {
    reply = performer_(session, request);
    reply.has_changed = session.has_changed();
  }
  // Another thread may have logged in again already, or be about to say that it has.
  if (MayBeForWantOfLogin(request.operation, reply, connection_->profile())) {
    CK_RV rv = Connection::CheckLogin(session.functions(), handle);
    if (rv == CKR_OK && (login_phase % 2 != 0 || connection_->login_phase() != login_phase)) {
      rv = CKR_USER_NOT_LOGGED_IN;
    }
    if (rv != CKR_OK) {
      reply = Failed({.reason = Reason::kModule, .rv = rv});
      reply.has_changed = session.has_changed();
    }
  }
  // What is lost in the middle of a batch is lost for all of it.
  for (const Failure& failure : reply.failures) {
    if (LossOf(failure) != Loss::kNothing) {
      reply = Failed(failure);
      break;
    }
  }
  *loss = LossOf(reply.failure);
  if (owner && *loss == Loss::kSession) {
    *loss = Loss::kToken;  // the owner's session comes with a new connection only
  }
  return reply;
}

// Something that the token itself has to answer.
Failure Pool::Probe(const Lease& lease) {
  const Module::Use use(connection_->module());
  CK_FUNCTION_LIST_PTR functions = connection_->module().functions();
  CK_RV rv = use.epoch() == lease.epoch ? Connection::CheckLogin(functions, lease.session)
                                        : CKR_SESSION_HANDLE_INVALID;
  if (rv == CKR_OK && (connection_->facts().token.flags & CKF_RNG) != 0) {
    std::array<CK_BYTE, 16> random;
    rv = functions->C_GenerateRandom(lease.session, random.data(), random.size());
  }
  return rv == CKR_OK ? Failure{} : Failure{.reason = Reason::kModule, .rv = rv};
}

bool Pool::MayTryAgain(const Job& job, Loss loss, unsigned attempt) {
  const auto delay = DelayBefore(loss, attempt);
  if (job.kind != Job::Kind::kRequest || !delay ||
      !MayRepeat(loss, job.request.operation, job.has_changed)) {
    return false;
  }
  Lock lock(mutex_);
  const Clock::time_point time = Clock::now() + *delay;
  if (time >= job.deadline) {
    return false;
  }
  patience_.wait_until(lock, time, [&] { return is_closing_ || job.IsSettled(); });
  return !is_closing_ && !job.IsSettled();
}

Reply Pool::GiveUp(const Job& job, Failure failure, Loss loss) {
  if (job.kind != Job::Kind::kRequest || loss == Loss::kHandle || loss == Loss::kSessionCount ||
      !MayRepeat(loss, job.request.operation, job.has_changed)) {
    return Failed(failure);
  }
  Completions due;
  {
    const Lock lock(mutex_);
    OpenCircuit(failure, &due);
  }
  Deliver(std::move(due));
  // After trouble of the device it is not known what was done.
  const bool is_undone = loss != Loss::kDevice && !job.has_changed;
  return Failed(is_undone ? Failure{.reason = Reason::kUnavailable, .rv = failure.rv} : failure);
}

// True when the thread is one too many.
bool Pool::Return(Worker& worker, Reply reply) {
  const JobPtr job = std::exchange(worker.job, nullptr);
  worker.deadline = kNever;
  const bool was_stuck = std::exchange(worker.is_stuck, false);
  const bool lacks_session = LossOf(reply.failure) == Loss::kSessionCount && CountLive() > 1 &&
                             !is_closing_ && !job->IsSettled();
  if (lacks_session) {
    worker.is_leaving = true;  // now, so that not all of them leave
    StartLater(DelayBeforeProbe(shortages_++));
    if (job->kind == Job::Kind::kProbe) {
      is_probing_ = false;
      next_probe_ = Clock::now();  // by those who have sessions, or can give them back
    } else {
      lanes_.PutBack(job);
    }
    work_.notify_all();
    return true;
  }
  if (job->kind == Job::Kind::kProbe) {
    if (!job->is_settled) {
      // A PIN that is refused is no reason to wait: who asks is told at once.
      NoteProbe(reply.failure.ok() || reply.failure.reason == Reason::kPinRefused);
    }
    return was_stuck && CountLive() > options_.sessions;
  }
  if (reply.failure.ok() && !std::exchange(worker.has_served, true)) {
    shortages_ = 0;
    if (is_open_ && CountLive() < options_.sessions) {
      StartLater(std::chrono::milliseconds(0));
    }
  }
  if (job->kind == Job::Kind::kOpen && reply.failure.ok() && !job->is_settled) {
    is_open_ = true;
    while (CountLive() < options_.sessions && StartWorker()) {
    }
  }
  if (worker.held.empty()) {
    worker.held_since = Clock::now();
  }
  Settle(*job, std::move(reply), &worker.held);
  return was_stuck && CountLive() > options_.sessions;
}

void Pool::EndWorker(Lock& lock, Worker& worker, Lease& lease) {
  worker.is_leaving = true;
  worker.deadline = Clock::now() + options_.timeout;
  WakeSupervisor(worker.deadline);
  const bool is_last = std::all_of(workers_.begin(), workers_.end(), [](const Worker& other) {
    return other.is_leaving || other.is_stuck;
  });
  lock.unlock();
  connection_->Release(lease);
  if (is_last) {
    connection_->Disconnect();
  }
  lock.lock();
  worker.deadline = kNever;
  worker.has_ended = true;
  supervisor_wake_.notify_one();
}

bool Pool::StartWorker() {
  workers_.emplace_back();
  Worker& worker = workers_.back();
  if (worker.thread.Start([self = shared_from_this(), &worker] { self->RunWorker(worker); })) {
    return true;
  }
  workers_.pop_back();
  return false;
}

void Pool::StartLater(std::chrono::milliseconds delay) {
  next_start_ = std::min(next_start_, Clock::now() + delay);
  WakeSupervisor(next_start_);
}

void Pool::Replenish(Clock::time_point now) {
  if (now < next_start_) {
    return;
  }
  next_start_ = kNever;
  if (!is_closing_ && CountLive() < options_.sessions && workers_.size() < 2 * options_.sessions) {
    StartWorker();
  }
}

std::size_t Pool::CountLive() const {
  return static_cast<std::size_t>(
      std::count_if(workers_.begin(), workers_.end(),
                    [](const Worker& worker) { return !worker.is_stuck && !worker.is_leaving; }));
}

void Pool::Settle(Job& job, Reply reply, Completions* due) {
  if (job.kind == Job::Kind::kProbe || job.IsSettled()) {
    return;
  }
  job.is_settled = true;
  if (!job.batch) {
    due->push_back({job.ticket, std::move(reply)});
  } else if (std::optional<Reply> whole = job.batch->Add(job.first_item, std::move(reply))) {
    due->push_back({job.ticket, std::move(*whole)});
  }
}

void Pool::OpenCircuit(Failure cause, Completions* due) {
  if (is_circuit_open_ || is_closing_) {
    return;
  }
  is_circuit_open_ = true;
  circuit_cause_ = cause;
  probes_ = 0;
  next_probe_ = Clock::now() + DelayBeforeProbe(0);
  for (const JobPtr& job : lanes_.TakeAll()) {
    Settle(*job, Failed({.reason = Reason::kUnavailable, .rv = cause.rv}), due);
  }
  work_.notify_all();
}

void Pool::NoteProbe(bool has_succeeded) {
  is_probing_ = false;
  if (has_succeeded) {
    is_circuit_open_ = false;
  } else {
    next_probe_ = Clock::now() + DelayBeforeProbe(++probes_);
  }
  work_.notify_all();
}

void Pool::WakeSupervisor(Clock::time_point deadline) {
  if (deadline < supervisor_looks_at_) {
    supervisor_wake_.notify_one();
  }
}

void Pool::Supervise() {
  Lock lock(mutex_);
  while (true) {
    if (JoinEnded(lock)) {
      continue;  // others may have ended meanwhile
    }
    Completions due;
    Expire(Clock::now(), &due);
    Replenish(Clock::now());
    if (!due.empty()) {
      lock.unlock();
      Deliver(std::move(due));
      lock.lock();
      continue;
    }
    const bool is_anyone_there = std::any_of(workers_.begin(), workers_.end(),
                                             [](const Worker& worker) { return !worker.is_stuck; });
    if (is_closing_ && !is_anyone_there) {
      break;
    }
    supervisor_looks_at_ = EarliestDeadline();
    WaitUntil(supervisor_wake_, lock, supervisor_looks_at_);
    supervisor_looks_at_ = Clock::time_point::min();
  }
  Completions due;
  due.push_back({close_ticket_, Reply{}});
  lock.unlock();
  Deliver(std::move(due));
  lock.lock();
  has_ended_ = true;
  ended_wake_.notify_all();
}

Clock::time_point Pool::EarliestDeadline() const {
  Clock::time_point earliest = std::min(lanes_.earliest_deadline(), next_start_);
  for (const Worker& worker : workers_) {
    if (!worker.is_stuck) {
      earliest = std::min(earliest, worker.deadline);
    }
  }
  return earliest;
}

void Pool::Expire(Clock::time_point now, Completions* due) {
  for (const JobPtr& job : lanes_.TakeExpired(now)) {
    Settle(*job, Failed({.reason = Reason::kTimedOut}), due);
  }
  bool is_any_new = false;
  for (Worker& worker : workers_) {
    if (worker.is_stuck || worker.has_ended || worker.deadline > now) {
      continue;
    }
    worker.is_stuck = true;
    is_any_new = true;
    std::move(worker.held.begin(), worker.held.end(), std::back_inserter(*due));
    worker.held.clear();
    if (worker.job) {
      if (worker.job->kind == Job::Kind::kProbe) {
        worker.job->is_settled = true;
        NoteProbe(false);
      }
      Settle(*worker.job, Failed({.reason = Reason::kTimedOut}), due);
    }
  }
  if (!is_any_new || !is_open_ || is_closing_) {
    return;
  }
  if (CountLive() == 0) {
    OpenCircuit({.reason = Reason::kTimedOut}, due);
  }
  while (CountLive() < options_.sessions && workers_.size() < 2 * options_.sessions &&
         StartWorker()) {
  }
}

bool Pool::JoinEnded(Lock& lock) {
  std::list<Worker> ended;
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    const auto next = std::next(worker);
    if (worker->has_ended) {
      ended.splice(ended.end(), workers_, worker);
    }
    worker = next;
  }
  if (ended.empty()) {
    return false;
  }
  lock.unlock();
  for (Worker& worker : ended) {
    worker.thread.Join();
  }
  lock.lock();
  return true;
}

void Pool::Deliver(Completions due) {
  if (!due.empty()) {
    receiver_->Receive(std::move(due));
  }
}

}  // namespace keywright::pkcs11
