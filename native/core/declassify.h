#ifndef KEYWRIGHT_CORE_DECLASSIFY_H_
#define KEYWRIGHT_CORE_DECLASSIFY_H_

// Where a value that was computed from secrets stops being one, because the caller is told it
// anyway: whether a comparison held, how long an unwrapped key is. Says so to the check for
// constant time (test/constant_time.cc), in whose build alone it is more than its argument.

#ifdef KEYWRIGHT_CONSTANT_TIME
#include <valgrind/memcheck.h>
#endif

namespace keywright {

template <typename T>
inline T Declassified(T value) {
#ifdef KEYWRIGHT_CONSTANT_TIME
  VALGRIND_MAKE_MEM_DEFINED(&value, sizeof(value));
#endif
  return value;
}

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_DECLASSIFY_H_
