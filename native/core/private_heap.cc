#include "core/private_heap.h"

#include <openssl/crypto.h>

// clang tells of its sanitizers in another way than g++.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEYWRIGHT_SANITIZED
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    defined(KEYWRIGHT_SANITIZED) || defined(__EMSCRIPTEN__)

namespace keywright {

bool InstallPrivateHeap() { return true; }

PrivateHeapInfo DescribePrivateHeap() { return {}; }

void FreePrivate(void* block, std::size_t size) { OPENSSL_clear_free(block, size); }

bool IsInPrivateHeap(const void* /*address*/) { return false; }

}  // namespace keywright

#else

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>

namespace keywright {
namespace {

// In front of every block; keeps what follows aligned as malloc does.
struct alignas(16) Header {
  std::uint32_t size_class;
  std::size_t size;  // as asked for: what is wiped
};

struct FreeBlock {
  FreeBlock* next;
};

// Blocks of 32, 48, 64, 96, 128, … bytes up to 256 KiB, with their header; what is larger gets
// pages of its own, which cost 2 to 3 µs each to map, lock and clear: 5 % of an encapsulation with
// ML-KEM for a batch of 64.
constexpr std::size_t kSmallest = 32;
constexpr std::uint32_t kClasses = 27;
constexpr std::uint32_t kOwnPages = kClasses;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

constexpr std::size_t ClassBytes(std::uint32_t size_class) {
  // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): below kClasses
  const std::size_t power = kSmallest << (size_class / 2);
  return size_class % 2 == 0 ? power : power + power / 2;
}
constexpr std::size_t kLargest = ClassBytes(kClasses - 1);

constexpr std::uint32_t ClassOf(std::size_t bytes) {
  if (bytes <= kSmallest) {
    return 0;
  }
  const auto power = static_cast<std::uint32_t>(std::bit_width((bytes - 1) / kSmallest) - 1);
  return 2 * power + (bytes <= ClassBytes(2 * power + 1) ? 1 : 2);
}
static_assert(ClassOf(32) == 0 && ClassOf(33) == 1 && ClassOf(48) == 1 && ClassOf(49) == 2);
static_assert(ClassOf(64) == 2 && ClassOf(65) == 3 && ClassOf(kLargest) == kClasses - 1);

// Blocks of these classes are not kept by threads: locked memory is scarce.
constexpr std::uint32_t kFirstLarge = 23;

// How many free blocks of a class a thread keeps; half of them go back when there are more.
constexpr std::uint32_t KeptBlocks(std::uint32_t size_class) {
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(16384 / ClassBytes(size_class), 2, 128));
}

struct FreeList {
  FreeBlock* head;
  std::uint32_t count;

  void Push(FreeBlock* block) {
    block->next = head;
    head = block;
    ++count;
  }
  FreeBlock* Pop() {
    FreeBlock* block = head;
    if (block != nullptr) {
      head = block->next;
      --count;
    }
    return block;
  }
};

using FreeLists = std::array<FreeList, kClasses>;

struct Chunk {
  std::uint8_t* begin;
  std::size_t size;
};

// Of the process. Trivially destructible: threads may still allocate while the process exits.
constinit std::mutex mutex;
constinit FreeLists shared_lists{};
constinit std::uint8_t* chunk_next = nullptr;
constinit std::uint8_t* chunk_end = nullptr;
constinit std::size_t mapped_bytes = 0;
constinit std::size_t locked_bytes = 0;
constexpr std::size_t kMaxChunks = 4096;
constinit std::array<Chunk, kMaxChunks> chunks{};
constinit std::size_t chunk_count = 0;
constinit bool is_active = false;

// Of the thread.
enum class CacheState : std::uint8_t { kUnused, kUsed, kGone };
thread_local constinit FreeLists thread_lists{};
thread_local constinit CacheState cache_state = CacheState::kUnused;

void Wipe(void* block, std::size_t size) {
  std::memset(block, 0, size);
  // The compiler cannot know that nobody reads it.
  asm volatile("" : : "r"(block) : "memory");
}

// Pages that are kept out of core dumps and swap. Called with the mutex held.
std::uint8_t* MapPages(std::size_t size, bool is_chunk) {
  if (is_chunk && chunk_count == kMaxChunks) {
    return nullptr;
  }
  void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    return nullptr;
  }
#ifdef MADV_DONTDUMP
  madvise(pages, size, MADV_DONTDUMP);
#endif
  if (mlock(pages, size) == 0) {
    locked_bytes += size;
  }
  mapped_bytes += size;
  auto* begin = static_cast<std::uint8_t*>(pages);
  if (is_chunk) {
    chunks[chunk_count++] = {begin, size};
  }
  return begin;
}

std::size_t PagesFor(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

void* AllocateOwnPages(std::size_t bytes) {
  const std::lock_guard lock(mutex);
  return MapPages(PagesFor(bytes), false);
}

void FreeOwnPages(void* pages, std::size_t bytes) {
  const std::size_t size = PagesFor(bytes);
  const std::lock_guard lock(mutex);
  mapped_bytes -= size;
  // Of pages that could not be locked nobody kept count; the sum never claims more than there is.
  locked_bytes = std::min(locked_bytes, mapped_bytes);
  munmap(pages, size);
}

// One block from the shared list or a chunk. Called with the mutex held.
FreeBlock* TakeShared(std::uint32_t size_class) {
  if (FreeBlock* block = shared_lists[size_class].Pop()) {
    return block;
  }
  const std::size_t bytes = ClassBytes(size_class);
  if (static_cast<std::size_t>(chunk_end - chunk_next) < bytes) {
    std::uint8_t* chunk = MapPages(kChunkBytes, true);
    if (chunk == nullptr) {
      return nullptr;
    }
    chunk_next = chunk;
    chunk_end = chunk + kChunkBytes;
  }
  auto* block = reinterpret_cast<FreeBlock*>(chunk_next);
  chunk_next += bytes;
  return block;
}

void GiveBackAll() {
  const std::lock_guard lock(mutex);
  for (std::uint32_t i = 0; i < kClasses; ++i) {
    while (FreeBlock* block = thread_lists[i].Pop()) {
      shared_lists[i].Push(block);
    }
  }
}

// When the thread ends its lists go to the others. libcrypto frees more after that, block by block.
struct ThreadEnd {
  ThreadEnd() { cache_state = CacheState::kUsed; }
  ThreadEnd(const ThreadEnd&) = delete;
  ThreadEnd& operator=(const ThreadEnd&) = delete;
  ~ThreadEnd() {
    GiveBackAll();
    cache_state = CacheState::kGone;
  }
};

bool HasCache() {
  if (cache_state == CacheState::kUnused) {
    thread_local const ThreadEnd end;
    static_cast<void>(end);
  }
  return cache_state == CacheState::kUsed;
}

FreeBlock* Take(std::uint32_t size_class) {
  if (size_class >= kFirstLarge || !HasCache()) {
    const std::lock_guard lock(mutex);
    return TakeShared(size_class);
  }
  FreeList& list = thread_lists[size_class];
  if (list.head == nullptr) {
    const std::lock_guard lock(mutex);
    for (std::uint32_t i = KeptBlocks(size_class) / 2; i > 0; --i) {
      FreeBlock* block = TakeShared(size_class);
      if (block == nullptr) {
        break;
      }
      list.Push(block);
    }
  }
  return list.Pop();
}

void Give(std::uint32_t size_class, FreeBlock* block) {
  if (size_class >= kFirstLarge || !HasCache()) {
    const std::lock_guard lock(mutex);
    shared_lists[size_class].Push(block);
    return;
  }
  FreeList& list = thread_lists[size_class];
  list.Push(block);
  if (list.count > KeptBlocks(size_class)) {
    const std::lock_guard lock(mutex);
    for (std::uint32_t i = KeptBlocks(size_class) / 2; i > 0; --i) {
      shared_lists[size_class].Push(list.Pop());
    }
  }
}

Header* HeaderOf(void* block) { return static_cast<Header*>(block) - 1; }

std::size_t CapacityOf(const Header& header) {
  return header.size_class == kOwnPages ? header.size
                                        : ClassBytes(header.size_class) - sizeof(Header);
}

void* Allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  if (size == 0 || size > SIZE_MAX / 2) {
    return nullptr;
  }
  const std::size_t bytes = size + sizeof(Header);
  const std::uint32_t size_class = bytes > kLargest ? kOwnPages : ClassOf(bytes);
  void* memory = size_class == kOwnPages ? AllocateOwnPages(bytes) : Take(size_class);
  if (memory == nullptr) {
    return nullptr;
  }
  auto* header = static_cast<Header*>(memory);
  *header = {.size_class = size_class, .size = size};
  return header + 1;
}

void Free(void* block, const char* /*file*/, int /*line*/) {
  if (block == nullptr) {
    return;
  }
  Header* header = HeaderOf(block);
  const Header copy = *header;
  Wipe(block, copy.size);
  if (copy.size_class == kOwnPages) {
    FreeOwnPages(header, copy.size + sizeof(Header));
  } else {
    Give(copy.size_class, reinterpret_cast<FreeBlock*>(header));
  }
}

void* Reallocate(void* block, std::size_t size, const char* file, int line) {
  if (block == nullptr) {
    return Allocate(size, file, line);
  }
  if (size == 0) {
    Free(block, file, line);
    return nullptr;
  }
  Header* header = HeaderOf(block);
  if (header->size_class != kOwnPages && size <= CapacityOf(*header)) {
    if (size < header->size) {
      Wipe(static_cast<std::uint8_t*>(block) + size, header->size - size);
    }
    header->size = size;
    return block;
  }
  void* larger = Allocate(size, file, line);
  if (larger != nullptr) {
    std::memcpy(larger, block, std::min(size, header->size));
    Free(block, file, line);
  }
  return larger;
}

}  // namespace

bool InstallPrivateHeap() {
  // A child of fork() must not find the mutex held by a thread that it does not have.
  is_active =
      pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); }) == 0 &&
      CRYPTO_set_mem_functions(Allocate, Reallocate, Free) == 1;
  return is_active;
}

PrivateHeapInfo DescribePrivateHeap() {
  const std::lock_guard lock(mutex);
  return {.is_active = is_active, .mapped_bytes = mapped_bytes, .locked_bytes = locked_bytes};
}

void FreePrivate(void* block, std::size_t size) {
  if (is_active) {
    OPENSSL_free(block);
  } else {
    OPENSSL_clear_free(block, size);
  }
}

bool IsInPrivateHeap(const void* address) {
  const std::lock_guard lock(mutex);
  const auto* byte = static_cast<const std::uint8_t*>(address);
  return std::any_of(
      chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(chunk_count),
      [&](const Chunk& chunk) { return byte >= chunk.begin && byte < chunk.begin + chunk.size; });
}

}  // namespace keywright

#endif
