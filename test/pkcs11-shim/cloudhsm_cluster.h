#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_CLUSTER_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_CLUSTER_H_

#include <pkcs11.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <mutex>
#include <vector>

#include "cloudhsm_mechanisms.h"

namespace keywright::shim {

inline constexpr std::size_t kIvBytes = 12;

// What an active operation of a session needs to be judged by.
struct Operation {
  const Mechanism* mechanism = nullptr;  // null: none is active
  std::array<CK_BYTE, kIvBytes> iv{};    // made by the HSM
  CK_BYTE_PTR iv_target = nullptr;       // the caller's pIv
  // What CKM_CLOUDHSM_AES_GCM keeps until the IV comes, in front of the ciphertext.
  std::vector<CK_BYTE> aad;
  CK_ULONG tag_bits = 0;
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  bool has_iv = false;
};

// Both kinds of an operation may be active at once.
struct Session {
  CK_SLOT_ID slot = 0;
  Operation encrypt;
  Operation decrypt;
  Operation sign;
  Operation verify;
};

// The cluster that the personality speaks for: one per process, as the function list is.
struct Cluster {
  const CK_FUNCTION_LIST* below = nullptr;
  bool has_single_hsm = false;
  std::mutex mutex;
  std::map<CK_SESSION_HANDLE, Session> sessions;

  // The state of a session, which only one thread uses at a time. A session that is not open has
  // one that is empty.
  Session& Of(CK_SESSION_HANDLE session);
};

Cluster& ThisCluster();

// Says whether CloudHSM has the mechanism for one of `uses`, and may use the keys; `found` is its
// row then.
CK_RV CheckUse(CK_SESSION_HANDLE session, const CK_MECHANISM* mechanism, CK_FLAGS uses,
               std::initializer_list<CK_OBJECT_HANDLE> keys, const Mechanism*& found);

// The same mechanism in the module's words.
CK_MECHANISM Translate(const Mechanism& found, const CK_MECHANISM& mechanism);

// Puts the functions that encrypt, decrypt, sign and verify into `list`.
void SetOperations(CK_FUNCTION_LIST& list);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_CLOUDHSM_CLUSTER_H_
