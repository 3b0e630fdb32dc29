#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_SERIAL_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_SERIAL_H_

#include <pkcs11.h>

namespace keywright::shim {

// Lets one call at a time into `below`, except C_WaitForSlotEvent, which may take for ever.
const CK_FUNCTION_LIST* OneCallAtATime(const CK_FUNCTION_LIST* below);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_SERIAL_H_
