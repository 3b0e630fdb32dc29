#include "pkcs11/lanes.h"

#include <algorithm>
#include <utility>

namespace keywright::pkcs11 {

Lanes::Name Lanes::NameOf(const Job& job) {
  const Bytes id = job.request.key_id.bytes();
  return {.key_id = {reinterpret_cast<const char*>(id.data()), id.size()},
          .is_of_batch = job.IsOfBatch()};
}

Lanes::Lane& Lanes::LaneFor(const Job& job) {
  const Name name = NameOf(job);
  if (const auto found = lanes_.find(name); found != lanes_.end()) {
    return *found->second;
  }
  auto lane = std::make_unique<Lane>(name);
  ring_.push_back(lane.get());
  return *lanes_.emplace(lane->name(), std::move(lane)).first->second;
}

void Lanes::Drop(Lane* lane) {
  ring_.erase(std::find(ring_.begin(), ring_.end(), lane));
  lanes_.erase(lanes_.find(lane->name()));
}

void Lanes::NoteGone(const Job& job) {
  if (!job.batch || --job.batch->jobs_waiting == 0) {
    --size_;
  }
}

bool Lanes::Evict(std::size_t shorter, JobPtr* evicted) {
  Lane* longest = nullptr;
  for (Lane* lane : ring_) {
    // Of a batch a part may be done already.
    if (!lane->jobs.back()->batch &&
        (longest == nullptr || lane->jobs.size() > longest->jobs.size())) {
      longest = lane;
    }
  }
  if (longest == nullptr || longest->jobs.size() < shorter + 2) {
    return false;
  }
  *evicted = std::move(longest->jobs.back());
  longest->jobs.pop_back();
  NoteGone(**evicted);
  return true;
}

bool Lanes::Push(std::vector<JobPtr> jobs, JobPtr* evicted) {
  if (size_ >= capacity_) {
    const auto mine = lanes_.find(NameOf(*jobs.front()));
    if (!Evict(mine == lanes_.end() ? 0 : mine->second->jobs.size(), evicted)) {
      return false;
    }
  }
  ++size_;
  if (jobs.front()->batch) {
    jobs.front()->batch->jobs_waiting = jobs.size();
  }
  std::deque<JobPtr>& lane = LaneFor(*jobs.front()).jobs;
  std::move(jobs.begin(), jobs.end(), std::back_inserter(lane));
  return true;
}

void Lanes::PutBack(JobPtr job) {
  if (!job->batch || job->batch->jobs_waiting++ == 0) {
    ++size_;
  }
  std::deque<JobPtr>& lane = LaneFor(*job).jobs;
  lane.push_front(std::move(job));
}

JobPtr Lanes::Pop() {
  while (!ring_.empty()) {
    Lane* lane = ring_.front();
    ring_.pop_front();
    JobPtr job = std::move(lane->jobs.front());
    lane->jobs.pop_front();
    if (lane->jobs.empty()) {
      lanes_.erase(lanes_.find(lane->name()));
    } else {
      ring_.push_back(lane);
    }
    NoteGone(*job);
    if (!job->IsSettled()) {
      return job;
    }
  }
  return nullptr;
}

std::vector<JobPtr> Lanes::TakeExpired(Clock::time_point now) {
  std::vector<JobPtr> expired;
  const std::deque<Lane*> lanes = ring_;
  for (Lane* lane : lanes) {
    std::deque<JobPtr>& jobs = lane->jobs;
    while (!jobs.empty() && jobs.front()->deadline <= now) {
      NoteGone(*jobs.front());
      expired.push_back(std::move(jobs.front()));
      jobs.pop_front();
    }
    if (jobs.empty()) {
      Drop(lane);
    }
  }
  return expired;
}

std::vector<JobPtr> Lanes::TakeAll() { return TakeExpired(Clock::time_point::max()); }

Clock::time_point Lanes::earliest_deadline() const {
  Clock::time_point earliest = Clock::time_point::max();
  for (const Lane* lane : ring_) {
    earliest = std::min(earliest, lane->jobs.front()->deadline);
  }
  return earliest;
}

}  // namespace keywright::pkcs11
