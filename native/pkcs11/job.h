#ifndef KEYWRIGHT_PKCS11_JOB_H_
#define KEYWRIGHT_PKCS11_JOB_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pkcs11/request.h"

namespace keywright::pkcs11 {

using Clock = std::chrono::steady_clock;

// The number by which who submitted a request knows its reply.
using Ticket = std::uint64_t;

struct Submission {
  Ticket ticket;
  Request request;
};

struct Completion {
  Ticket ticket;
  Reply reply;
};

// Whether tokens do it in microseconds, as a rule.
bool IsShort(Operation operation);

// The reply of a batch that was cut into several jobs, as it grows.
struct Batch {
  std::size_t jobs_left = 0;
  std::size_t jobs_waiting = 0;        // of those, in a lane
  bool is_settled = false;             // as in Job: when one job fails, the batch does
  std::vector<PrivateBuffer> outputs;  // one for each item
  std::vector<Failure> failures;       // as in Reply

  // Adds the reply to the job that begins with `first_item`; gives that to the batch, once, when
  // it is complete or the job failed.
  std::optional<Reply> Add(std::size_t first_item, Reply reply);
};

// What one thread does at a time: a request, or a part of a batch.
struct Job {
  enum class Kind {
    kRequest,
    // Nothing but to have a session; its failure is told as it is.
    kOpen,
    // The same, to find out whether the token is back.
    kProbe,
  };

  Kind kind = Kind::kRequest;
  Ticket ticket = 0;
  Request request;
  Clock::time_point deadline;
  std::shared_ptr<Batch> batch;  // null for a request that was not cut
  std::size_t first_item = 0;    // of the batch
  // Whether the reply was given, or nobody waits for it any more.
  bool is_settled = false;
  // Of the attempts until now, as in Reply; only for the thread that serves the job.
  bool has_changed = false;

  // A batch has a lane of its own besides that of the single requests with the same key.
  bool IsOfBatch() const { return batch || request.items.size() > 1; }
  bool IsShort() const { return kind == Kind::kRequest && pkcs11::IsShort(request.operation); }
  bool IsSettled() const { return is_settled || (batch && batch->is_settled); }
};

using JobPtr = std::shared_ptr<Job>;

// Requests of many items become several jobs of at most so many items, or bytes. Fewer items where
// each takes long, so that the sessions share them.
inline constexpr std::size_t kMaxJobItems = 64;
inline constexpr std::size_t kMaxLongJobItems = 8;
inline constexpr std::size_t kMaxJobBytes = std::size_t{256} * 1024;

// The jobs of a request, in order; `deadline` is that of all.
std::vector<JobPtr> Cut(Request request, Ticket ticket, Clock::time_point deadline);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_JOB_H_
