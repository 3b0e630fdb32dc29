#include "pkcs11/job.h"

#include <algorithm>
#include <utility>

namespace keywright::pkcs11 {
namespace {

PrivateBuffer CopyOf(const PrivateBuffer& buffer) {
  return PrivateBuffer::CopyOf(buffer.bytes()).value();
}

JobPtr JobOf(Ticket ticket, Clock::time_point deadline) {
  auto job = std::allocate_shared<Job>(PrivateAllocator<Job>());
  job->ticket = ticket;
  job->deadline = deadline;
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
    jobs.push_back(JobOf(ticket, deadline));
    jobs.back()->request = std::move(request);
    return jobs;
  }
  auto batch = std::make_shared<Batch>();
  batch->outputs.resize(count);
  for (std::size_t begin = 0; begin < count;) {
    JobPtr job = JobOf(ticket, deadline);
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

std::optional<Reply> Batch::Add(std::size_t first_item, Reply reply) {
  if (!reply.failure.ok()) {
    is_settled = true;
    return reply;
  }
  const auto place = static_cast<std::ptrdiff_t>(first_item);
  if (!reply.failures.empty()) {
    failures.resize(outputs.size());
    std::copy(reply.failures.begin(), reply.failures.end(), failures.begin() + place);
  }
  std::move(reply.outputs.begin(), reply.outputs.end(), outputs.begin() + place);
  if (--jobs_left > 0) {
    return std::nullopt;
  }
  is_settled = true;
  Reply whole;
  whole.outputs = std::move(outputs);
  whole.failures = std::move(failures);
  return whole;
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
