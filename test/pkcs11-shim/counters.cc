#include "counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>

namespace keywright::shim {
namespace {

Counters* MapFile(const char* path) {
  // The reader may be another user's process: the folder decides who gets at the file.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): that is how POSIX declares it
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) {
    return nullptr;
  }
  void* mapped = MAP_FAILED;
  if (ftruncate(file, sizeof(Counters)) == 0) {
    mapped = mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  close(file);
  return mapped == MAP_FAILED ? nullptr : static_cast<Counters*>(mapped);
}

}  // namespace

Counters& MapCounters(const char* path) {
  static Counters own;
  Counters* counters = path == nullptr ? &own : MapFile(path);
  if (counters == nullptr) {
    std::cerr << "pkcs11-shim: cannot map the file of counters " << path << '\n';
    counters = &own;
  }
  for (std::size_t i = 0; i < kFunctions; ++i) {
    std::copy(kFunctionNames[i].begin(), kFunctionNames[i].end(), (*counters)[i].name.begin());
  }
  return *counters;
}

void Increment(std::uint64_t& count) {
  std::atomic_ref(count).fetch_add(1, std::memory_order_relaxed);
}

}  // namespace keywright::shim
