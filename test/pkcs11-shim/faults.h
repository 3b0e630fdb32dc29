#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_FAULTS_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_FAULTS_H_

#include <pkcs11.h>

namespace keywright::shim {

// What the control file says when it is wrong: every call answers so, that no test passes by
// accident.
inline constexpr CK_RV kBadControlFile = CKR_VENDOR_DEFINED | 0x6B77;

// Puts the faults of the control file at `control` between the caller and `below`, and counts the
// calls in the file at `counts`. Either path may be null: no faults, no file. The file may appear,
// change and vanish at any time; it is looked at before every call.
const CK_FUNCTION_LIST* WithFaults(const CK_FUNCTION_LIST* below, const char* control,
                                   const char* counts);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_FAULTS_H_
