#ifndef KEYWRIGHT_PKCS11_LANES_H_
#define KEYWRIGHT_PKCS11_LANES_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pkcs11/job.h"

namespace keywright::pkcs11 {

// Jobs that wait, one lane for each key: the lanes take turns, so whoever has the longest queue
// waits longest. At most `capacity` requests; a batch counts once, whatever it is cut into. Not for
// several threads at a time.
class Lanes {
 public:
  explicit Lanes(std::size_t capacity) : capacity_(capacity) {}

  // Takes the jobs of one request in. When there is no room, the longest lane gives up its last
  // request for one of a lane that is shorter by two or more: *evicted, which is otherwise left
  // alone. False when there is no room for `jobs`.
  bool Push(std::vector<JobPtr> jobs, JobPtr* evicted);
  // Puts a job back whose turn came to nothing; it is the next of its lane.
  void PutBack(JobPtr job);
  // The next job in turn that is not settled; null when none waits.
  JobPtr Pop();
  // All jobs whose deadline is not after `now`.
  std::vector<JobPtr> TakeExpired(Clock::time_point now);
  std::vector<JobPtr> TakeAll();

  // Of the job that must be done first; the far future when none waits.
  Clock::time_point earliest_deadline() const;
  std::size_t size() const { return size_; }
  bool is_empty() const { return ring_.empty(); }

 private:
  // A batch has a lane of its own besides that of the single requests with the same key.
  struct Name {
    std::string_view key_id;
    bool is_of_batch;
    bool operator==(const Name& other) const = default;
  };
  struct Hash {
    std::size_t operator()(const Name& name) const {
      return std::hash<std::string_view>()(name.key_id) + (name.is_of_batch ? 1 : 0);
    }
  };
  struct Lane {
    explicit Lane(const Name& name) : key_id(name.key_id), is_of_batch(name.is_of_batch) {}
    Name name() const { return {key_id, is_of_batch}; }

    const std::string key_id;
    const bool is_of_batch;
    std::deque<JobPtr> jobs;
  };

  static Name NameOf(const Job& job);
  Lane& LaneFor(const Job& job);
  void Drop(Lane* lane);
  void NoteGone(const Job& job);
  bool Evict(std::size_t shorter, JobPtr* evicted);

  const std::size_t capacity_;
  std::size_t size_ = 0;                                         // requests
  std::unordered_map<Name, std::unique_ptr<Lane>, Hash> lanes_;  // names are those of the lanes
  std::deque<Lane*> ring_;  // lanes with jobs, the next in turn first
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_LANES_H_
