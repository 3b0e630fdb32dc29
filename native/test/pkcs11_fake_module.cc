#include "test/pkcs11_fake_module.h"

#include <algorithm>
#include <iterator>

namespace keywright::pkcs11 {

void LoseAll() {
  fake->sessions.clear();
  fake->is_logged_in = false;
}

namespace {

CK_RV Initialize(CK_VOID_PTR /*args*/) {
  const std::lock_guard lock(fake->mutex);
  if (fake->is_initialized) {
    return CKR_CRYPTOKI_ALREADY_INITIALIZED;
  }
  fake->is_initialized = true;
  ++fake->initializations;
  return CKR_OK;
}

CK_RV Finalize(CK_VOID_PTR /*reserved*/) {
  const std::lock_guard lock(fake->mutex);
  LoseAll();
  fake->last_session = 0;  // handles start again
  fake->is_initialized = false;
  ++fake->finalizations;
  return CKR_OK;
}

CK_RV GetInfo(CK_INFO_PTR info) {
  *info = {};
  return CKR_OK;
}

CK_RV GetSlotList(CK_BBOOL /*present*/, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
  const std::lock_guard lock(fake->mutex);
  if (!fake->is_initialized) {
    return CKR_CRYPTOKI_NOT_INITIALIZED;
  }
  *count = fake->is_present ? 1 : 0;
  if (slots != nullptr && fake->is_present) {
    slots[0] = 5;
  }
  return CKR_OK;
}

CK_RV GetTokenInfo(CK_SLOT_ID /*slot*/, CK_TOKEN_INFO_PTR info) {
  *info = {};
  std::fill(std::begin(info->label), std::end(info->label), ' ');
  info->label[0] = 'T';
  return CKR_OK;
}

CK_RV GetMechanismList(CK_SLOT_ID /*slot*/, CK_MECHANISM_TYPE_PTR /*list*/, CK_ULONG_PTR count) {
  *count = 0;
  return CKR_OK;
}

CK_RV OpenSession(CK_SLOT_ID /*slot*/, CK_FLAGS /*flags*/, CK_VOID_PTR /*application*/,
                  CK_NOTIFY /*notify*/, CK_SESSION_HANDLE_PTR session) {
  const std::lock_guard lock(fake->mutex);
  if (!fake->is_initialized) {
    return CKR_CRYPTOKI_NOT_INITIALIZED;
  }
  if (!fake->is_present) {
    return CKR_TOKEN_NOT_PRESENT;
  }
  if (fake->sessions.size() >= fake->max_sessions) {
    return CKR_SESSION_COUNT;
  }
  *session = ++fake->last_session;
  fake->sessions.insert(*session);
  return CKR_OK;
}

// Under the lock.
CK_RV CheckSession(CK_SESSION_HANDLE session) {
  if (!fake->is_initialized) {
    return CKR_CRYPTOKI_NOT_INITIALIZED;
  }
  return fake->sessions.contains(session) ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

CK_RV CloseSession(CK_SESSION_HANDLE session) {
  const std::lock_guard lock(fake->mutex);
  const CK_RV rv = CheckSession(session);
  fake->sessions.erase(session);
  fake->is_logged_in = fake->is_logged_in && !fake->sessions.empty();
  return rv;
}

CK_RV GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info) {
  const std::lock_guard lock(fake->mutex);
  info->state = fake->is_logged_in ? CKS_RW_USER_FUNCTIONS : CKS_RW_PUBLIC_SESSION;
  return CheckSession(session);
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE /*user*/, CK_UTF8CHAR_PTR pin,
            CK_ULONG length) {
  std::unique_lock lock(fake->mutex);
  ++fake->logins;
  if (const CK_RV rv = CheckSession(session); rv != CKR_OK) {
    return rv;
  }
  if (fake->is_logged_in) {
    return CKR_USER_ALREADY_LOGGED_IN;
  }
  if (std::string(reinterpret_cast<char*>(pin), length) != fake->pin) {
    return CKR_PIN_INCORRECT;
  }
  fake->is_logged_in = true;
  fake->changed.notify_all();
  fake->changed.wait(lock, [] { return !fake->is_login_hanging; });
  return CKR_OK;
}

CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE_PTR out, CK_ULONG length) {
  std::unique_lock lock(fake->mutex);
  if (const CK_RV rv = CheckSession(session); rv != CKR_OK) {
    return rv;
  }
  if (!fake->is_logged_in) {
    return CKR_USER_NOT_LOGGED_IN;
  }
  ++fake->calls;
  fake->changed.notify_all();
  fake->changed.wait(lock, [] { return !fake->is_hanging; });
  std::fill_n(out, length, static_cast<CK_BYTE>(7));
  if (fake->answers.empty()) {
    return CKR_OK;
  }
  const CK_RV rv = fake->answers.front();
  fake->answers.pop_front();
  return rv;
}

CK_FUNCTION_LIST Functions() {
  CK_FUNCTION_LIST functions = {};
  functions.version = {2, 40};
  functions.C_Initialize = Initialize;
  functions.C_Finalize = Finalize;
  functions.C_GetInfo = GetInfo;
  functions.C_GetSlotList = GetSlotList;
  functions.C_GetTokenInfo = GetTokenInfo;
  functions.C_GetMechanismList = GetMechanismList;
  functions.C_OpenSession = OpenSession;
  functions.C_CloseSession = CloseSession;
  functions.C_GetSessionInfo = GetSessionInfo;
  functions.C_Login = Login;
  functions.C_GenerateRandom = GenerateRandom;
  return functions;
}

}  // namespace

FakeModule* fake = nullptr;
CK_FUNCTION_LIST fake_functions = Functions();

}  // namespace keywright::pkcs11
