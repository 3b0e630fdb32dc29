#ifndef KEYWRIGHT_PKCS11_CONNECTION_H_
#define KEYWRIGHT_PKCS11_CONNECTION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/secure_buffer.h"
#include "pkcs11/failure.h"
#include "pkcs11/module.h"
#include "pkcs11/object_cache.h"
#include "pkcs11/profile.h"
#include "pkcs11/recovery.h"

namespace keywright::pkcs11 {

// Which token, and as whom.
struct TokenChoice {
  ModuleLocation module;
  // The token's label; the slot when there is none.
  std::optional<std::string> label;
  CK_SLOT_ID slot = 0;
  SecureBuffer pin;
  CK_USER_TYPE user = CKU_USER;
  const Profile* profile = nullptr;
};

// What a token says of itself.
struct TokenFacts {
  CK_INFO library;
  CK_SLOT_ID slot;
  CK_TOKEN_INFO token;
  // Flags (CKF_…) of the mechanisms that it lists.
  std::unordered_map<CK_MECHANISM_TYPE, CK_FLAGS> mechanisms;
};

// A session of one thread, and what it depends on.
struct Lease {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  std::uint64_t epoch = 0;  // of the module
  std::uint64_t connection = 0;
  std::uint64_t login = 0;
  bool is_login_lost = false;
};

// The application's side of one token: module, slot, login, and a session that owns the session
// objects, which die with the session that made them. Threads take leases from it, say what they
// lost, and get it mended when they ask for a lease again: once, however many noticed.
//
// A PIN that was refused is never tried again, because tokens lock after a few tries.
class Connection {
 public:
  static constexpr std::size_t kCachedObjects = 4096;

  explicit Connection(TokenChoice choice) : choice_(std::move(choice)), objects_(kCachedObjects) {}
  // With `module` instead of the one at choice.module.path; for tests.
  Connection(TokenChoice choice, std::shared_ptr<Module> module)
      : choice_(std::move(choice)), module_(std::move(module)), objects_(kCachedObjects) {}

  // Makes `lease` usable; does nothing, without a lock, when it is.
  Failure Acquire(Lease& lease);
  // Closes the session of a thread that ends.
  void Release(Lease& lease);
  // Notes what the thread of `lease` found lost.
  void Lose(Lease& lease, Loss loss);
  // The last device error was followed by something else.
  void NoteAnswer() {
    if (device_errors_.load(std::memory_order_relaxed) != 0) {
      device_errors_ = 0;
    }
  }
  // Closes the session that owns session objects; with it the login ends, when no other token of
  // this process has sessions with the same slot.
  void Disconnect();

  // Valid after the first lease.
  Module& module() { return *module_; }
  const TokenFacts& facts() const { return facts_; }
  const Profile& profile() const { return *choice_.profile; }
  ObjectCache& objects() { return objects_; }

  std::uint64_t logins() const { return logins_; }
  // Odd while a login goes on, and another number after each: no login came between two readings
  // that are the same and even.
  std::uint64_t login_phase() const { return login_phase_; }

  // Lends the session that owns session objects to one thread at a time.
  std::unique_lock<std::mutex> LockOwner(CK_SESSION_HANDLE* session) {
    std::unique_lock lock(owner_mutex_);
    *session = owner_;
    return lock;
  }

  // CKR_USER_NOT_LOGGED_IN when the session is not the user's any more, which searches for objects
  // do not say.
  static CK_RV CheckLogin(CK_FUNCTION_LIST_PTR functions, CK_SESSION_HANDLE session);

 private:
  Failure Mend(Lease& lease);
  Failure LoadModule();
  Failure Connect();
  Failure FindSlot(CK_SLOT_ID* slot);
  Failure FindSlotByLabel(CK_SLOT_ID* slot);
  void ReadFacts(CK_SLOT_ID slot);
  Failure Login(CK_SESSION_HANDLE session);
  Failure OpenSession(Lease& lease);
  CK_RV OpenSessionOn(CK_SLOT_ID slot, CK_SESSION_HANDLE* session);
  void SetOwner(CK_SESSION_HANDLE session);
  Failure LoginAgain(const Module::Use& use);
  void CloseSession(Lease& lease, const Module::Use& use);
  void Drop(const Module::Use& use);

  const TokenChoice choice_;

  // Held while the module is asked to connect, log in or open a session.
  std::mutex mutex_;
  std::shared_ptr<Module> module_;
  bool is_connected_ = false;
  Loss module_loss_ = Loss::kNothing;
  // Set once the PIN was refused.
  Failure refusal_;
  bool has_facts_ = false;
  TokenFacts facts_ = {};
  CK_SLOT_ID slot_ = 0;
  std::uint64_t epoch_ = 0;

  std::atomic<std::uint64_t> connection_ = 0;
  std::atomic<std::uint64_t> logins_ = 0;
  std::atomic<std::uint64_t> login_phase_ = 0;
  std::atomic<unsigned> device_errors_ = 0;

  std::mutex owner_mutex_;
  CK_SESSION_HANDLE owner_ = CK_INVALID_HANDLE;

  ObjectCache objects_;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_CONNECTION_H_
