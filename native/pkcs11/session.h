#ifndef KEYWRIGHT_PKCS11_SESSION_H_
#define KEYWRIGHT_PKCS11_SESSION_H_

#include "core/bytes.h"
#include "pkcs11/failure.h"
#include "pkcs11/profile.h"

namespace keywright::pkcs11 {

// A session that is logged in, lent to Perform for one request by the thread that owns it.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  virtual CK_FUNCTION_LIST_PTR functions() const = 0;
  virtual CK_SESSION_HANDLE handle() const = 0;
  virtual const Profile& profile() const = 0;
  // Whether the token lists the mechanism with all of `flags` (CKF_ENCRYPT, …).
  virtual bool Offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const = 0;

  // The object of class `object_class` with CKA_ID `id`. Handles are cached for all sessions of
  // the token; kKeyNotFound, or kModule when the search failed.
  virtual Failure FindObject(CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE* object) = 0;
  // Drops `id` from the cache: the key is gone, or its handle no longer valid.
  virtual void ForgetObjects(Bytes id) = 0;

  // Notes that keys of the token were made or destroyed, and stay so even when the request fails.
  void NoteChange() { has_changed_ = true; }
  bool has_changed() const { return has_changed_; }

 private:
  bool has_changed_ = false;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_SESSION_H_
