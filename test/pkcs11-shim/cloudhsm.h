#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_H_

#include <pkcs11.h>

namespace keywright::shim {

// Makes `below` behave as AWS CloudHSM's PKCS#11 library (Client SDK 5) is documented to do with a
// cluster in FIPS mode; README.md has every refusal with its source. With a single HSM the cluster
// has fewer than the two on which a token key must be before it can be used.
const CK_FUNCTION_LIST* WithCloudHsm(const CK_FUNCTION_LIST* below, bool has_single_hsm);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_H_
