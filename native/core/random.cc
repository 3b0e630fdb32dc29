#include "core/random.h"

#include <openssl/rand.h>
#ifndef __EMSCRIPTEN__
#include <pthread.h>
#endif

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>

#include "core/library_context.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

constexpr std::size_t kBlockBytes = 4096;

// Counts the forks between the first process and this one. Starts at 1, so that a new block (0) is
// out of date.
std::atomic<std::uint32_t> fork_generation{1};

// In the child: every block that was copied with the memory is now out of date.
void OnForkInChild() { fork_generation.fetch_add(1, std::memory_order_relaxed); }

bool WatchForks() {
#ifdef __EMSCRIPTEN__
  return true;  // no processes there
#else
  static const bool watching = pthread_atfork(nullptr, nullptr, OnForkInChild) == 0;
  return watching;
#endif
}

class NonceBlock {
 public:
  NonceBlock() = default;
  NonceBlock(const NonceBlock&) = delete;
  NonceBlock& operator=(const NonceBlock&) = delete;
  ~NonceBlock() { Cleanse(block_); }

  Status Draw(MutableBytes out) {
    if (available_ < out.size() || generation_ != fork_generation.load(std::memory_order_relaxed)) {
      if (const Status status = Refill(); status != Status::kOk) {
        return status;
      }
    }
    std::uint8_t* from = block_.data() + kBlockBytes - available_;
    std::memcpy(out.data(), from, out.size());
    std::memset(from, 0, out.size());
    available_ -= out.size();
    return Status::kOk;
  }

 private:
  Status Refill() {
    available_ = 0;
    if (!WatchForks()) {
      return Status::kRandomFailed;
    }
    // Read before the draw: a fork in between makes the block look older than it is, never younger.
    generation_ = fork_generation.load(std::memory_order_relaxed);
    if (const Status status = RandomPublic(block_); status != Status::kOk) {
      return status;
    }
    available_ = kBlockBytes;
    return Status::kOk;
  }

  std::array<std::uint8_t, kBlockBytes> block_{};
  std::size_t available_ = 0;
  std::uint32_t generation_ = 0;
};

}  // namespace

Status RandomPublic(MutableBytes out) {
  if (out.empty()) {
    return Status::kOk;
  }
  return RAND_bytes_ex(Library().context, out.data(), out.size(), 0) == 1
             ? Status::kOk
             : Fail(Status::kRandomFailed);
}

Status RandomSecret(MutableBytes out) {
  if (out.empty()) {
    return Status::kOk;
  }
  return RAND_priv_bytes_ex(Library().context, out.data(), out.size(), 0) == 1
             ? Status::kOk
             : Fail(Status::kRandomFailed);
}

Status RandomNonce(MutableBytes out) {
  // On the heap, so that threads which never draw do not pay for it.
  thread_local const std::unique_ptr<NonceBlock> block = std::make_unique<NonceBlock>();
  if (out.size() > kMaxNonceBytes) {
    return Status::kInvalidArgument;
  }
  return block->Draw(out);
}

}  // namespace keywright
