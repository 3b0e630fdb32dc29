#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_H_

#include <pkcs11.h>

namespace keywright::shim {

// Makes `below` behave as AWS CloudHSM's PKCS#11 library (Client SDK 5) is documented to: README.md
// has every refusal with its source.
const CK_FUNCTION_LIST* WithCloudHsm(const CK_FUNCTION_LIST* below);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_H_
