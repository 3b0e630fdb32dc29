#include "pkcs11/lanes.h"

#include <algorithm>
#include <utility>

namespace keywright::pkcs11 {

Lanes::Lane& Lanes::LaneFor(const std::string& name) {
  const auto [lane, is_new] = lanes_.try_emplace(name);
  if (is_new) {
    ring_.push_back(&*lane);
  }
  return *lane;
}

void Lanes::Drop(Lane* lane) {
  ring_.erase(std::find(ring_.begin(), ring_.end(), lane));
  lanes_.erase(lanes_.find(lane->first));
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
    if (!lane->second.back()->batch &&
        (longest == nullptr || lane->second.size() > longest->second.size())) {
      longest = lane;
    }
  }
  if (longest == nullptr || longest->second.size() < shorter + 2) {
    return false;
  }
  *evicted = std::move(longest->second.back());
  longest->second.pop_back();
  NoteGone(**evicted);
  return true;
}

bool Lanes::Push(std::vector<JobPtr> jobs, JobPtr* evicted) {
  if (size_ >= capacity_) {
    const auto mine = lanes_.find(jobs.front()->lane);
    if (!Evict(mine == lanes_.end() ? 0 : mine->second.size(), evicted)) {
      return false;
    }
  }
  ++size_;
  if (jobs.front()->batch) {
    jobs.front()->batch->jobs_waiting = jobs.size();
  }
  std::deque<JobPtr>& lane = LaneFor(jobs.front()->lane).second;
  std::move(jobs.begin(), jobs.end(), std::back_inserter(lane));
  return true;
}

void Lanes::PutBack(JobPtr job) {
  if (!job->batch || job->batch->jobs_waiting++ == 0) {
    ++size_;
  }
  LaneFor(job->lane).second.push_front(std::move(job));
}

JobPtr Lanes::Pop() {
  while (!ring_.empty()) {
    Lane* lane = ring_.front();
    ring_.pop_front();
    JobPtr job = std::move(lane->second.front());
    lane->second.pop_front();
    if (lane->second.empty()) {
      lanes_.erase(lanes_.find(lane->first));
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
    std::deque<JobPtr>& jobs = lane->second;
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
    earliest = std::min(earliest, lane->second.front()->deadline);
  }
  return earliest;
}

}  // namespace keywright::pkcs11
