#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_MECHANISMS_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_MECHANISMS_H_

#include <pkcs11.h>

#include <span>

namespace keywright::shim {

// Vendor mechanisms, as AWS's cloudhsm_pkcs11_vendor_defs.h numbers them.
inline constexpr CK_MECHANISM_TYPE kCloudHsmAesGcm = CKM_VENDOR_DEFINED | CKM_AES_GCM;
inline constexpr CK_MECHANISM_TYPE kCloudHsmWrapNoPad = CKM_VENDOR_DEFINED | CKM_AES_KEY_WRAP;
inline constexpr CK_MECHANISM_TYPE kCloudHsmWrapZeroPad = CKM_VENDOR_DEFINED | 0x216F;

// The functions that take a mechanism, as flags of CK_MECHANISM_INFO.
inline constexpr CK_FLAGS kCipherUse = CKF_ENCRYPT | CKF_DECRYPT;
inline constexpr CK_FLAGS kSignUse = CKF_SIGN | CKF_VERIFY;
inline constexpr CK_FLAGS kWrapUse = CKF_WRAP | CKF_UNWRAP;

// A mechanism of CloudHSM in FIPS mode.
struct Mechanism {
  CK_MECHANISM_TYPE type;
  CK_FLAGS uses;
  CK_ULONG max_data;              // bytes that one call may process; 0: no limit is documented
  CK_MECHANISM_TYPE module_type;  // what the module calls the same mechanism
};

std::span<const Mechanism> Mechanisms();

// The mechanism if CloudHSM has it for one of `uses`, else null.
const Mechanism* FindMechanism(CK_MECHANISM_TYPE type, CK_FLAGS uses);

// True if OAEP's mask generation uses the same digest as OAEP itself, and CloudHSM has both.
bool IsOaepPair(const CK_MECHANISM& mechanism);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_MECHANISMS_H_
