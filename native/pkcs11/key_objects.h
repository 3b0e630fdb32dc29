#ifndef KEYWRIGHT_PKCS11_KEY_OBJECTS_H_
#define KEYWRIGHT_PKCS11_KEY_OBJECTS_H_

#include <vector>

#include "core/bytes.h"
#include "core/private_buffer.h"
#include "pkcs11/failure.h"
#include "pkcs11/session.h"
#include "pkcs11/template.h"

// Objects of the token: looked for, read and destroyed, past the cache of the session.

namespace keywright::pkcs11 {

// Secret parts first: who is interrupted while destroying them has not kept the wrong half.
inline constexpr CK_OBJECT_CLASS kKeyClasses[] = {CKO_SECRET_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};

// At most `limit` objects that have all attributes of `wanted`.
Failure Search(const Session& session, Template& wanted, std::size_t limit,
               std::vector<CK_OBJECT_HANDLE>& found);
// Those of a class with that CKA_ID, or all of the class when `id` is empty.
Failure SearchClass(const Session& session, CK_OBJECT_CLASS object_class, Bytes id,
                    std::size_t limit, std::vector<CK_OBJECT_HANDLE>& found);

// kKeyExists when an object of the class has the id; kInvalidArgument when it is no CKA_ID of ours.
Failure RequireFreeId(const Session& session, CK_OBJECT_CLASS object_class, Bytes id);
inline constexpr std::size_t kMaxIdBytes = 64;

Failure ReadAttribute(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                      PrivateBuffer& value);
Failure ReadNumber(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                   CK_ULONG& value);
Failure ReadFlag(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 bool& value);

// For a key that must not stay. False when it may be there still, which the caller notes.
bool DestroyObject(const Session& session, CK_OBJECT_HANDLE object);

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_KEY_OBJECTS_H_
