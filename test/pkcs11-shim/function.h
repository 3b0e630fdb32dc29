#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_FUNCTION_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_FUNCTION_H_

#include <pkcs11.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace keywright::shim {

// The functions of PKCS#11 v2.40, in the order of CK_FUNCTION_LIST.
enum class Function : std::uint8_t {
#define CK_PKCS11_FUNCTION_INFO(name) name,
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
};

inline constexpr auto kFunctionNames = std::to_array<std::string_view>({
#define CK_PKCS11_FUNCTION_INFO(name) #name,
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
});

inline constexpr std::size_t kFunctions = kFunctionNames.size();

constexpr std::size_t IndexOf(Function function) { return static_cast<std::size_t>(function); }

// True for the functions whose first argument is a slot.
constexpr bool TakesSlot(Function function) {
  switch (function) {
    case Function::C_GetSlotInfo:
    case Function::C_GetTokenInfo:
    case Function::C_GetMechanismList:
    case Function::C_GetMechanismInfo:
    case Function::C_InitToken:
    case Function::C_OpenSession:
    case Function::C_CloseAllSessions:
      return true;
    default:
      return false;
  }
}

// True for the functions whose first argument is a session.
constexpr bool TakesSession(Function function) {
  return function > Function::C_InitToken && !TakesSlot(function) &&
         function != Function::C_WaitForSlotEvent;
}

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_FUNCTION_H_
