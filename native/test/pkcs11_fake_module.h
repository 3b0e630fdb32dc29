#ifndef KEYWRIGHT_TEST_PKCS11_FAKE_MODULE_H_
#define KEYWRIGHT_TEST_PKCS11_FAKE_MODULE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <set>
#include <string>

#include "pkcs11/cryptoki.h"

namespace keywright::pkcs11 {

// A module that does what the test says: one token in slot 5, with the state that PKCS#11 gives it.
struct FakeModule {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_initialized = false;
  bool is_present = true;
  bool is_logged_in = false;
  bool is_hanging = false;
  bool is_login_hanging = false;  // after it took effect
  int searches_in_vain = 0;       // that many, of what destroys keys
  std::size_t max_sessions = 100;
  std::string pin = "1234";
  CK_SESSION_HANDLE last_session = 0;
  std::set<CK_SESSION_HANDLE> sessions;
  std::deque<CK_RV> answers;  // of C_GenerateRandom, then CKR_OK
  int initializations = 0;
  int finalizations = 0;
  int logins = 0;
  int calls = 0;  // of C_GenerateRandom
};

// What the functions of the module work on.
extern FakeModule* fake;
extern CK_FUNCTION_LIST fake_functions;

// Sessions and login. Under the lock.
void LoseAll();

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_TEST_PKCS11_FAKE_MODULE_H_
