#include "pkcs11/job.h"

#include <utility>

namespace keywright::pkcs11 {
namespace {

// A batch has a lane of its own besides that of the single requests with the same key.
std::string LaneOf(const Request& request, bool is_batch) {
  const Bytes id = std::as_const(request.key_id).bytes();
  std::string lane(id.begin(), id.end());
  lane.push_back(is_batch ? 'b' : 's');
  return lane;
}

PrivateBuffer CopyOf(const PrivateBuffer& buffer) {
  return PrivateBuffer::CopyOf(buffer.bytes()).value();
}

JobPtr JobOf(Ticket ticket, Clock::time_point deadline, std::string lane) {
  auto job = std::make_shared<Job>();
  job->ticket = ticket;
  job->deadline = deadline;
  job->lane = std::move(lane);
  return job;
}

// How many items from `begin` make one job; at least one.
std::size_t ItemsOfOneJob(const Request& request, std::size_t begin) {
  const std::size_t most = IsShort(request.operation) ? kMaxJobItems : kMaxLongJobItems;
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (begin + count < request.items.size() && count < most) {
    bytes += request.items[begin + count].bytes().size();
    if (count > 0 && bytes > kMaxJobBytes) {
      break;
    }
    ++count;
  }
  return count;
}

}  // namespace

std::vector<JobPtr> Cut(Request request, Ticket ticket, Clock::time_point deadline) {
  std::vector<JobPtr> jobs;
  const std::size_t count = request.items.size();
  if (count <= 1 || ItemsOfOneJob(request, 0) == count) {
    jobs.push_back(JobOf(ticket, deadline, LaneOf(request, count > 1)));
    jobs.back()->request = std::move(request);
    return jobs;
  }
  auto batch = std::make_shared<Batch>();
  batch->outputs.resize(count);
  const std::string lane = LaneOf(request, true);
  for (std::size_t begin = 0; begin < count;) {
    JobPtr job = JobOf(ticket, deadline, lane);
    job->batch = batch;
    job->first_item = begin;
    job->request.operation = request.operation;
    job->request.numbers = request.numbers;
    job->request.key_id = CopyOf(request.key_id);
    job->request.common = CopyOf(request.common);
    for (std::size_t left = ItemsOfOneJob(request, begin); left > 0; --left) {
      job->request.items.push_back(std::move(request.items[begin++]));
    }
    jobs.push_back(std::move(job));
  }
  batch->jobs_left = jobs.size();
  return jobs;
}

bool IsShort(Operation operation) {
  switch (operation) {
    case Operation::kGenerateRandom:
    case Operation::kEncryptGcm:
    case Operation::kDecryptGcm:
    case Operation::kGenerateMac:
    case Operation::kVerifyMac:
      return true;
    default:
      return false;
  }
}

}  // namespace keywright::pkcs11
