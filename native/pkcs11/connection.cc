#include "pkcs11/connection.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/vector_registers.h"

namespace keywright::pkcs11 {
namespace {

// Device errors in a row after which the module is finalised and initialised again.
constexpr unsigned kDeviceErrorsToReload = 3;

// A session that stays open is one less that the token has.
constexpr unsigned kTriesToClose = 3;

// Slots, or mechanisms of a token: a module that lists more is not believed.
constexpr CK_ULONG kMaxListed = 65536;

Failure Answer(CK_RV rv) {
  return rv == CKR_OK ? Failure{} : Failure{.reason = Reason::kModule, .rv = rv};
}

void Close(CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session) {
  Failure failure = Answer(functions->C_CloseSession(session));
  // What says that something is lost says that the session is.
  for (unsigned tries = 1;
       tries < kTriesToClose && !failure.ok() && LossOf(failure) == Loss::kNothing; ++tries) {
    failure = Answer(functions->C_CloseSession(session));
  }
}

// Text of fixed length, padded with blanks (PKCS#11 2.40 §3.2).
template <std::size_t kSize>
std::string_view Unpadded(const CK_UTF8CHAR (&text)[kSize]) {
  std::size_t length = kSize;
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\0')) {
    --length;
  }
  return {reinterpret_cast<const char*>(text), length};
}

// Answers to C_Login that are about the PIN or the user: asking again would not change them, and
// may lock the token.
bool IsRefusal(CK_RV rv) {
  switch (rv) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
    case CKR_USER_PIN_NOT_INITIALIZED:
    case CKR_USER_TYPE_INVALID:
    case CKR_USER_ANOTHER_ALREADY_LOGGED_IN:
    case CKR_USER_TOO_MANY_TYPES:
      return true;
    default:
      return false;
  }
}

}  // namespace

CK_RV Connection::CheckLogin(CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session) {
  CK_SESSION_INFO info = {};
  const CK_RV rv = functions->C_GetSessionInfo(session, &info);
  if (rv != CKR_OK) {
    return rv;
  }
  const bool is_public = info.state == CKS_RO_PUBLIC_SESSION || info.state == CKS_RW_PUBLIC_SESSION;
  return is_public ? CKR_USER_NOT_LOGGED_IN : CKR_OK;
}

Failure Connection::Acquire(Lease& lease) {
  if (lease.session != CK_INVALID_HANDLE && lease.connection == connection_ &&
      !lease.is_login_lost) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  return Mend(lease);
}

Failure Connection::Mend(Lease& lease) {
  if (!refusal_.ok()) {
    return refusal_;
  }
  if (const Failure failure = LoadModule(); !failure.ok()) {
    return failure;
  }
  const Module::Use use(*module_);
  if (is_connected_ && use.epoch() != epoch_) {
    Drop(use);
  }
  if (lease.connection != connection_) {
    CloseSession(lease, use);
  }
  if (!is_connected_) {
    epoch_ = use.epoch();
    if (const Failure failure = Connect(); !failure.ok()) {
      if (LossOf(failure) == Loss::kModule) {
        module_loss_ = Loss::kModule;
      }
      return failure;
    }
  }
  if (lease.is_login_lost && lease.login == logins_) {
    if (const Failure failure = LoginAgain(use); !failure.ok()) {
      return failure;
    }
  }
  lease.is_login_lost = false;
  lease.login = logins_;
  // What fails from here on says something about this connection.
  lease.connection = connection_;
  return lease.session == CK_INVALID_HANDLE ? OpenSession(lease) : Failure{};
}

Failure Connection::LoginAgain(const Module::Use& use) {
  CK_SESSION_HANDLE owner = CK_INVALID_HANDLE;
  auto owner_lock = LockOwner(&owner);
  const Failure failure = Login(owner);
  owner_lock.unlock();
  if (LossOf(failure) != Loss::kNothing) {
    Drop(use);
  }
  return failure;
}

Failure Connection::LoadModule() {
  if (!module_) {
    return Module::Load(choice_.module, &module_);
  }
  if (module_loss_ == Loss::kNothing) {
    return Answer(module_->Initialize());
  }
  const CK_RV rv = module_->Reload(epoch_, module_loss_ == Loss::kDevice);
  module_loss_ = Loss::kNothing;
  return Answer(rv == CKR_FUNCTION_FAILED ? CKR_DEVICE_ERROR : rv);
}

// The owner's session comes first: it logs in, and its end is the end of all session objects.
Failure Connection::Connect() {
  CK_SLOT_ID slot = 0;
  if (const Failure failure = FindSlot(&slot); !failure.ok()) {
    return failure;
  }
  CK_SESSION_HANDLE owner = CK_INVALID_HANDLE;
  if (const CK_RV rv = OpenSessionOn(slot, &owner); rv != CKR_OK) {
    return Answer(rv);
  }
  if (const Failure failure = Login(owner); !failure.ok()) {
    Close(module_->functions(), owner);
    return failure;
  }
  if (!has_facts_) {
    ReadFacts(slot);
    has_facts_ = true;
  }
  slot_ = slot;
  SetOwner(owner);
  objects_.Clear();
  is_connected_ = true;
  ++connection_;
  return {};
}

Failure Connection::FindSlot(CK_SLOT_ID* slot) {
  if (choice_.label) {
    return FindSlotByLabel(slot);
  }
  *slot = choice_.slot;
  CK_TOKEN_INFO info = {};
  const CK_RV rv = module_->functions()->C_GetTokenInfo(*slot, &info);
  return rv == CKR_SLOT_ID_INVALID || rv == CKR_TOKEN_NOT_PRESENT
             ? Failure{.reason = Reason::kNoToken, .rv = rv}
             : Answer(rv);
}

// Two tokens with the label are none: it must not depend on the order of slots which is used.
// Afterwards it must be the same token again.
Failure Connection::FindSlotByLabel(CK_SLOT_ID* slot) {
  CK_FUNCTION_LIST_PTR functions = module_->functions();
  std::vector<CK_SLOT_ID> slots;
  CK_RV rv = CKR_BUFFER_TOO_SMALL;
  // Slots may come between the question how many there are and the one which.
  for (int tries = 0; rv == CKR_BUFFER_TOO_SMALL && tries < 3; ++tries) {
    CK_ULONG count = 0;
    rv = functions->C_GetSlotList(CK_TRUE, nullptr, &count);
    if (rv != CKR_OK) {
      return Answer(rv);
    }
    if (count > kMaxListed) {
      return Answer(CKR_GENERAL_ERROR);
    }
    slots.resize(count);
    rv = functions->C_GetSlotList(CK_TRUE, slots.data(), &count);
    slots.resize(std::min<std::size_t>(count, slots.size()));
  }
  if (rv != CKR_OK) {
    return Answer(rv);
  }
  std::size_t found = 0;
  for (const CK_SLOT_ID candidate : slots) {
    CK_TOKEN_INFO info = {};
    if (functions->C_GetTokenInfo(candidate, &info) == CKR_OK &&
        Unpadded(info.label) == *choice_.label &&
        (!has_facts_ || std::equal(std::begin(info.serialNumber), std::end(info.serialNumber),
                                   std::begin(facts_.token.serialNumber)))) {
      *slot = candidate;
      ++found;
    }
  }
  return found == 1 ? Failure{} : Failure{.reason = Reason::kNoToken};
}

void Connection::ReadFacts(CK_SLOT_ID slot) {
  CK_FUNCTION_LIST_PTR functions = module_->functions();
  facts_.slot = slot;
  functions->C_GetInfo(&facts_.library);
  functions->C_GetTokenInfo(slot, &facts_.token);
  CK_ULONG count = 0;
  if (functions->C_GetMechanismList(slot, nullptr, &count) != CKR_OK || count > kMaxListed) {
    return;
  }
  std::vector<CK_MECHANISM_TYPE> mechanisms(count);
  if (functions->C_GetMechanismList(slot, mechanisms.data(), &count) != CKR_OK) {
    return;
  }
  mechanisms.resize(std::min<std::size_t>(count, mechanisms.size()));
  for (const CK_MECHANISM_TYPE mechanism : mechanisms) {
    CK_MECHANISM_INFO info = {};
    if (functions->C_GetMechanismInfo(slot, mechanism, &info) == CKR_OK) {
      facts_.mechanisms.emplace(mechanism, info.flags);
    }
  }
}

Failure Connection::Login(CK_SESSION_HANDLE session) {
  const Bytes pin = choice_.pin.bytes();
  ++login_phase_;
  const CK_RV rv =
      module_->functions()->C_Login(session, choice_.user, const_cast<CK_UTF8CHAR_PTR>(pin.data()),
                                    static_cast<CK_ULONG>(pin.size()));
  ClearVectorRegisters();
  ++login_phase_;
  // The login is the application's: another environment of this process may have made it.
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
    ++logins_;
    objects_.Clear();
    return {};
  }
  if (IsRefusal(rv)) {
    refusal_ = {.reason = Reason::kPinRefused, .rv = rv};
    return refusal_;
  }
  return Answer(rv);
}

CK_RV Connection::OpenSessionOn(CK_SLOT_ID slot, CK_SESSION_HANDLE* session) {
  CK_FUNCTION_LIST_PTR functions = module_->functions();
  const CK_RV rv = functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                            nullptr, session);
  return rv == CKR_TOKEN_WRITE_PROTECTED
             ? functions->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, session)
             : rv;
}

// A session that is not the user's is kept: logging in makes it so.
Failure Connection::OpenSession(Lease& lease) {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  if (const CK_RV rv = OpenSessionOn(slot_, &session); rv != CKR_OK) {
    return Answer(rv);
  }
  lease.session = session;
  lease.epoch = epoch_;
  return Answer(CheckLogin(module_->functions(), session));
}

void Connection::SetOwner(CK_SESSION_HANDLE session) {
  const std::lock_guard lock(owner_mutex_);
  owner_ = session;
}

void Connection::Drop(const Module::Use& use) {
  if (is_connected_ && use.epoch() == epoch_) {
    Close(module_->functions(), owner_);
  }
  is_connected_ = false;
  ++connection_;
  objects_.Clear();
}

// Sessions of a connection that is gone may still be there; modules do not give out their handles
// again before they are initialised again.
void Connection::CloseSession(Lease& lease, const Module::Use& use) {
  const CK_SESSION_HANDLE session = std::exchange(lease.session, CK_INVALID_HANDLE);
  if (session != CK_INVALID_HANDLE && use.epoch() == lease.epoch) {
    Close(module_->functions(), session);
  }
}

void Connection::Lose(Lease& lease, Loss loss) {
  if (loss == Loss::kNothing || loss == Loss::kHandle || loss == Loss::kSessionCount) {
    return;
  }
  if (loss == Loss::kLogin) {
    lease.is_login_lost = true;
    return;
  }
  Release(lease);
  // Handles may be given out again for other objects.
  objects_.Clear();
  if (loss == Loss::kSession) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (loss == Loss::kDevice) {
    if (++device_errors_ < kDeviceErrorsToReload) {
      return;
    }
    device_errors_ = 0;
  }
  if (is_connected_) {
    if (lease.connection != connection_) {
      return;  // another thread noticed, and all is mended
    }
    Drop(Module::Use(*module_));
  }
  if (loss != Loss::kToken) {
    module_loss_ = loss;
  }
}

void Connection::Release(Lease& lease) {
  if (lease.session != CK_INVALID_HANDLE) {
    CloseSession(lease, Module::Use(*module_));
  }
}

void Connection::Disconnect() {
  const std::lock_guard lock(mutex_);
  if (is_connected_) {
    Drop(Module::Use(*module_));
  }
}

}  // namespace keywright::pkcs11
