#ifndef KEYWRIGHT_PKCS11_POOLED_SESSION_H_
#define KEYWRIGHT_PKCS11_POOLED_SESSION_H_

#include "pkcs11/connection.h"
#include "pkcs11/session.h"

namespace keywright::pkcs11 {

// A session of a connection, as Perform sees it.
class PooledSession final : public Session {
 public:
  PooledSession(Connection& connection, CK_SESSION_HANDLE handle)
      : connection_(connection), handle_(handle) {}

  CK_FUNCTION_LIST_PTR functions() const override { return connection_.module().functions(); }
  CK_SESSION_HANDLE handle() const override { return handle_; }
  const Profile& profile() const override { return connection_.profile(); }
  bool Offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const override;
  Failure FindObject(CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE* object) override;
  void ForgetObjects(Bytes id) override { connection_.objects().Forget(id); }

 private:
  CK_RV Search(CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE* object, CK_ULONG* count);

  Connection& connection_;
  CK_SESSION_HANDLE handle_;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_POOLED_SESSION_H_
