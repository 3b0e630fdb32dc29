#include "core/vector_registers.h"

namespace keywright {

#if defined(__x86_64__)

namespace {

// Of the CPU, and of the system, which has to save the registers.
const bool kHasAvx = [] {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx") != 0;
}();
const bool kHasAvx512 = __builtin_cpu_supports("avx512vl") != 0;

}  // namespace

#define KEYWRIGHT_LOW_REGISTERS                                                            \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

void ClearVectorRegisters() {
  if (!kHasAvx) {
    __asm__ volatile(
        ".irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
        "pxor %%xmm\\number, %%xmm\\number\n\t"
        ".endr" ::
            : KEYWRIGHT_LOW_REGISTERS);
    return;
  }
  __asm__ volatile("vzeroall" ::: KEYWRIGHT_LOW_REGISTERS);
  if (kHasAvx512) {
    // Writing 128 bits zeroes the rest of the register.
    __asm__ volatile(
        ".irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
        "vpxord %%xmm\\number, %%xmm\\number, %%xmm\\number\n\t"
        ".endr" ::);
  }
}

#elif defined(__aarch64__)

void ClearVectorRegisters() {
  // Writing a part of v8 to v15 zeroes what scalable vectors have above them.
  __asm__ volatile(
      ".irp number, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, "
      "29, 30, 31\n\t"
      "movi v\\number\\().2d, #0\n\t"
      ".endr\n\t"
      ".irp number, 8, 9, 10, 11, 12, 13, 14, 15\n\t"
      "mov v\\number\\().d[1], xzr\n\t"
      ".endr" ::
          : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20",
            "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}

#else

void ClearVectorRegisters() {}

#endif

}  // namespace keywright
