#include "pkcs11/pooled_session.h"

#include <array>

namespace keywright::pkcs11 {

bool PooledSession::Offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const {
  const auto& mechanisms = connection_.facts().mechanisms;
  const auto found = mechanisms.find(mechanism);
  return found != mechanisms.end() && (found->second & flags) == flags;
}

Failure PooledSession::FindObject(CK_OBJECT_CLASS object_class, Bytes id,
                                  CK_OBJECT_HANDLE* object) {
  if (id.empty() || id.size() > ObjectCache::kMaxIdBytes) {
    return {.reason = Reason::kInvalidArgument};
  }
  ObjectCache& cache = connection_.objects();
  if (const auto cached = cache.Find(object_class, id)) {
    *object = *cached;
    return {};
  }
  const std::uint64_t version = cache.version();
  // Without a login a search finds no private objects, and says nothing of it.
  CK_RV rv = Connection::CheckLogin(functions(), handle_);
  CK_ULONG count = 0;
  if (rv == CKR_OK) {
    rv = Search(object_class, id, object, &count);
  }
  if (rv != CKR_OK) {
    return {.reason = Reason::kModule, .rv = rv};
  }
  if (count == 0) {
    return {.reason = Reason::kKeyNotFound};
  }
  cache.Put(version, object_class, id, *object);
  return {};
}

CK_RV PooledSession::Search(CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE* object,
                            CK_ULONG* count) {
  std::array<CK_ATTRIBUTE, 2> wanted = {{
      {CKA_CLASS, &object_class, sizeof(object_class)},
      {CKA_ID, const_cast<std::uint8_t*>(id.data()), static_cast<CK_ULONG>(id.size())},
  }};
  CK_RV rv = functions()->C_FindObjectsInit(handle_, wanted.data(), wanted.size());
  if (rv != CKR_OK) {
    return rv;
  }
  rv = functions()->C_FindObjects(handle_, object, 1, count);
  const CK_RV end = functions()->C_FindObjectsFinal(handle_);
  return rv == CKR_OK ? end : rv;
}

}  // namespace keywright::pkcs11
