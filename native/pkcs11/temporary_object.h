#ifndef KEYWRIGHT_PKCS11_TEMPORARY_OBJECT_H_
#define KEYWRIGHT_PKCS11_TEMPORARY_OBJECT_H_

#include <utility>

#include "pkcs11/key_objects.h"
#include "pkcs11/session.h"

namespace keywright::pkcs11 {

// A session object that is destroyed when it goes, if there is one.
class TemporaryObject {
 public:
  explicit TemporaryObject(const Session& session) : session_(session) {}
  TemporaryObject(const TemporaryObject&) = delete;
  TemporaryObject& operator=(const TemporaryObject&) = delete;
  ~TemporaryObject() { Destroy(); }

  CK_OBJECT_HANDLE get() const { return object_; }
  // Takes an object that there is; once.
  void Adopt(CK_OBJECT_HANDLE object) { object_ = object; }
  // False when it could not be destroyed.
  bool Destroy() {
    const CK_OBJECT_HANDLE object = std::exchange(object_, CK_INVALID_HANDLE);
    return object == CK_INVALID_HANDLE || DestroyObject(session_, object);
  }
  // It stays.
  void Release() { object_ = CK_INVALID_HANDLE; }

 private:
  const Session& session_;
  CK_OBJECT_HANDLE object_ = CK_INVALID_HANDLE;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_TEMPORARY_OBJECT_H_
