#ifndef KEYWRIGHT_BENCH_NATIVE_LOOP_H_
#define KEYWRIGHT_BENCH_NATIVE_LOOP_H_

#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <thread>
#include <vector>

// What the programs of this folder share: work in a plain loop, timed, on one or more threads.
namespace bench {

using Operation = std::function<void()>;
using Clock = std::chrono::steady_clock;

inline double NanosecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

// The clock is asked once for so many operations that asking costs nothing next to them. Warms up
// meanwhile.
inline std::size_t StrideOf(const Operation& operation, double minimum_ns) {
  std::size_t count = 1;
  for (double elapsed = 0; elapsed < minimum_ns / 8; count *= 2) {
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      operation();
    }
    elapsed = NanosecondsSince(begin);
  }
  return count / 16 + 1;
}

// Processor time of all threads of the process.
inline double CpuNanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// What one thread did in one sample.
struct Share {
  double rate = 0;  // operations a nanosecond
  std::size_t done = 0;
};

inline Share Run(const Operation& operation, std::size_t stride, double minimum_ns) {
  std::size_t done = 0;
  double elapsed = 0;
  for (const auto begin = Clock::now(); elapsed < minimum_ns;) {
    for (std::size_t i = 0; i < stride; ++i) {
      operation();
    }
    done += stride;
    elapsed = NanosecondsSince(begin);
  }
  return {static_cast<double>(done) / elapsed, done};
}

// Prints `samples` lines: nanoseconds per message of all threads together, and nanoseconds of
// processor time per message; each over at least `minimum_ns`. Every thread does an operation of its own, of `items` messages.
inline void Measure(const std::function<Operation()>& make, std::size_t threads, std::size_t items,
                    double minimum_ns, int samples) {
  std::vector<Share> shares(threads);
  std::barrier turn(static_cast<std::ptrdiff_t>(threads) + 1);
  std::vector<std::jthread> workers;
  for (Share& share : shares) {
    workers.emplace_back([&] {
      const Operation operation = make();
      const std::size_t stride = StrideOf(operation, minimum_ns);
      for (int sample = 0; sample < samples; ++sample) {
        turn.arrive_and_wait();
        share = Run(operation, stride, minimum_ns);
        turn.arrive_and_wait();
      }
    });
  }
  for (int sample = 0; sample < samples; ++sample) {
    turn.arrive_and_wait();
    const double cpu = CpuNanoseconds();
    turn.arrive_and_wait();
    const double cpu_ns = CpuNanoseconds() - cpu;
    Share sum;
    for (const Share& share : shares) {
      sum = {sum.rate + share.rate, sum.done + share.done};
    }
    const auto per_operation = static_cast<double>(items);
    std::printf("%.3f %.3f\n", 1 / (sum.rate * per_operation),
                cpu_ns / (static_cast<double>(sum.done) * per_operation));
  }
}

}  // namespace bench

#endif  // KEYWRIGHT_BENCH_NATIVE_LOOP_H_
