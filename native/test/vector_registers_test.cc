#include "core/vector_registers.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "test/testing.h"

namespace keywright {
namespace {

#if defined(__x86_64__)

// The registers at their largest, as far as this CPU has them.
using Registers = std::array<std::uint8_t, std::size_t{32} * 64>;

// What the compiler has in them it saves.
#define KEYWRIGHT_LOW_REGISTERS                                                            \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define KEYWRIGHT_FOR_LOW ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
#define KEYWRIGHT_FOR_HIGH \
  ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"

// All ones in all of them.
__attribute__((noinline)) void Fill() {
  if (__builtin_cpu_supports("avx512vl") != 0) {
    __asm__ volatile(KEYWRIGHT_FOR_LOW
                     "vpternlogd $255, %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t.endr\n\t" KEYWRIGHT_FOR_HIGH
                     "vpternlogd $255, %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t.endr" ::
                         : KEYWRIGHT_LOW_REGISTERS);
  } else if (__builtin_cpu_supports("avx") != 0) {
    __asm__ volatile(KEYWRIGHT_FOR_LOW "vcmptrueps %%ymm\\n, %%ymm\\n, %%ymm\\n\n\t.endr" ::
                         : KEYWRIGHT_LOW_REGISTERS);
  } else {
    __asm__ volatile(KEYWRIGHT_FOR_LOW "pcmpeqd %%xmm\\n, %%xmm\\n\n\t.endr" ::
                         : KEYWRIGHT_LOW_REGISTERS);
  }
}

__attribute__((noinline)) void Store(Registers* registers) {
  std::uint8_t* at = registers->data();
  if (__builtin_cpu_supports("avx512vl") != 0) {
    __asm__ volatile(KEYWRIGHT_FOR_LOW
                     "vmovdqu64 %%zmm\\n, 64*\\n(%0)\n\t.endr\n\t" KEYWRIGHT_FOR_HIGH
                     "vmovdqu64 %%zmm\\n, 64*\\n(%0)\n\t.endr" ::"r"(at)
                     : "memory");
  } else if (__builtin_cpu_supports("avx") != 0) {
    __asm__ volatile(KEYWRIGHT_FOR_LOW "vmovdqu %%ymm\\n, 64*\\n(%0)\n\t.endr" ::"r"(at)
                     : "memory");
  } else {
    __asm__ volatile(KEYWRIGHT_FOR_LOW "movdqu %%xmm\\n, 64*\\n(%0)\n\t.endr" ::"r"(at) : "memory");
  }
}

std::size_t ExpectedBytes() {
  if (__builtin_cpu_supports("avx512vl") != 0) {
    return std::size_t{32} * 64;
  }
  return std::size_t{16} * (__builtin_cpu_supports("avx") != 0 ? 32 : 16);
}

TEST(VectorRegisters, AreZeroInTheirWholeWidthOnceCleared) {
  Registers before = {};
  Registers after = {};
  Fill();
  Store(&before);
  Fill();
  ClearVectorRegisters();
  Store(&after);
  // What this test sees without the function.
  EXPECT_EQ(static_cast<std::size_t>(std::count(before.begin(), before.end(), 0xff)),
            ExpectedBytes());
  EXPECT_EQ(std::count(after.begin(), after.end(), 0), static_cast<std::ptrdiff_t>(after.size()));
}

#endif

}  // namespace
}  // namespace keywright
