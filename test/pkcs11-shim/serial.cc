#include "serial.h"

#include <mutex>

#include "function.h"

namespace keywright::shim {
namespace {

// One per process, as the function list is.
struct Gate {
  std::mutex mutex;
  CK_FUNCTION_LIST below = {};
};

Gate& TheGate() {
  static Gate gate;
  return gate;
}

template <Function F, auto kMember>
struct Entry;

template <Function F, typename... Args, CK_RV (*CK_FUNCTION_LIST::*kMember)(Args...)>
struct Entry<F, kMember> {
  static CK_RV Call(Args... args) {
    Gate& gate = TheGate();
    std::unique_lock lock(gate.mutex, std::defer_lock);
    if constexpr (F != Function::C_WaitForSlotEvent) {
      lock.lock();
    }
    return (gate.below.*kMember)(args...);
  }
};

}  // namespace

const CK_FUNCTION_LIST* OneCallAtATime(const CK_FUNCTION_LIST* below) {
  static CK_FUNCTION_LIST list;
  TheGate().below = *below;
  list.version = below->version;
#define CK_PKCS11_FUNCTION_INFO(name) \
  list.name = Entry<Function::name, &CK_FUNCTION_LIST::name>::Call;
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
  return &list;
}

}  // namespace keywright::shim
