#include "pkcs11/key_objects.h"

#include <algorithm>
#include <array>

#include "pkcs11/answer.h"
#include "pkcs11/operations.h"

namespace keywright::pkcs11 {
namespace {

// Of one class: a module that finds more is taken for one that would never stop.
constexpr std::size_t kMaxKeys = std::size_t{1} << 20;
// What Keywright reads are ids, labels and public keys; one of ML-DSA-87 has 2592 bytes.
constexpr std::size_t kMaxAttributeBytes = 65536;
constexpr std::size_t kMaxRandomBytes = 65536;

// The bits of a record of kFindKeys.
constexpr std::uint8_t kIsToken = 1;
constexpr std::uint8_t kIsSensitive = 2;
constexpr std::uint8_t kIsExtractable = 4;

Failure ReadFlagInto(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                     std::uint8_t bit, std::uint8_t& bits) {
  bool is_set = false;
  Failure failure = ReadFlag(session, object, type, is_set);
  bits |= is_set ? bit : 0;
  return failure;
}

Failure ReadFlags(const Session& session, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS object_class,
                  std::uint8_t& bits) {
  Failure failure = ReadFlagInto(session, object, CKA_TOKEN, kIsToken, bits);
  if (!failure.ok() || object_class == CKO_PUBLIC_KEY) {
    return failure;
  }
  failure = ReadFlagInto(session, object, CKA_SENSITIVE, kIsSensitive, bits);
  return failure.ok() ? ReadFlagInto(session, object, CKA_EXTRACTABLE, kIsExtractable, bits)
                      : failure;
}

// An id or a label, which keys that somebody else made need not have.
Failure ReadName(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 PrivateBuffer& name) {
  const Failure failure = ReadAttribute(session, object, type, name);
  return failure.rv == CKR_ATTRIBUTE_TYPE_INVALID ? Failure{} : failure;
}

Failure Describe(const Session& session, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS object_class,
                 PrivateBuffer& record) {
  CK_ULONG key_type = 0;
  std::uint8_t flags = 0;
  PrivateBuffer id;
  PrivateBuffer label;
  Failure failure = ReadNumber(session, object, CKA_KEY_TYPE, key_type);
  if (failure.ok()) {
    failure = ReadFlags(session, object, object_class, flags);
  }
  if (failure.ok()) {
    failure = ReadName(session, object, CKA_ID, id);
  }
  if (failure.ok()) {
    failure = ReadName(session, object, CKA_LABEL, label);
  }
  constexpr std::size_t kHeaderBytes = 11;
  const std::size_t id_size = std::min<std::size_t>(id.bytes().size(), 0xffff);
  if (failure.ok()) {
    failure = Allocate(kHeaderBytes + id_size + label.bytes().size(), record);
  }
  if (!failure.ok()) {
    return failure;
  }
  const MutableBytes out = record.bytes();
  StoreBigEndian32(static_cast<std::uint32_t>(object_class), out.data());
  StoreBigEndian32(static_cast<std::uint32_t>(key_type), &out[4]);
  out[8] = flags;
  out[9] = static_cast<std::uint8_t>(id_size >> 8);
  out[10] = static_cast<std::uint8_t>(id_size);
  CopyBytes(id.bytes().first(id_size), out.subspan(kHeaderBytes));
  CopyBytes(label.bytes(), out.subspan(kHeaderBytes + id_size));
  return {};
}

// Somebody else destroyed it between the search and the look at it.
bool IsGone(const Failure& failure) { return failure.rv == CKR_OBJECT_HANDLE_INVALID; }

}  // namespace

Failure Search(const Session& session, Template& wanted, std::size_t limit,
               std::vector<CK_OBJECT_HANDLE>& found) {
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_RV rv = module->C_FindObjectsInit(session.handle(), wanted.data(), wanted.size());
  if (rv != CKR_OK) {
    return ModuleAnswer(rv);
  }
  while (rv == CKR_OK && found.size() < limit) {
    std::array<CK_OBJECT_HANDLE, 64> handles;
    CK_ULONG count = 0;
    rv = module->C_FindObjects(session.handle(), handles.data(),
                               std::min(handles.size(), limit - found.size()), &count);
    if (rv != CKR_OK || count == 0) {
      break;
    }
    found.insert(found.end(), handles.begin(),
                 handles.begin() + static_cast<std::ptrdiff_t>(std::min(count, handles.size())));
  }
  const CK_RV final_rv = module->C_FindObjectsFinal(session.handle());
  return ModuleAnswer(rv != CKR_OK ? rv : final_rv);
}

Failure SearchClass(const Session& session, CK_OBJECT_CLASS object_class, Bytes id,
                    std::size_t limit, std::vector<CK_OBJECT_HANDLE>& found) {
  Template wanted;
  wanted.AddNumber(CKA_CLASS, object_class);
  if (!id.empty()) {
    wanted.AddBytes(CKA_ID, id);
  }
  return Search(session, wanted, limit, found);
}

Failure RequireFreeId(const Session& session, CK_OBJECT_CLASS object_class, Bytes id) {
  if (id.empty() || id.size() > kMaxIdBytes) {
    return FailureOf(Reason::kInvalidArgument);
  }
  std::vector<CK_OBJECT_HANDLE> found;
  const Failure failure = SearchClass(session, object_class, id, 1, found);
  return failure.ok() && !found.empty() ? FailureOf(Reason::kKeyExists) : failure;
}

Failure ReadAttribute(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                      PrivateBuffer& value) {
  CK_FUNCTION_LIST_PTR module = session.functions();
  CK_ATTRIBUTE attribute = {.type = type, .pValue = nullptr, .ulValueLen = 0};
  CK_RV rv = module->C_GetAttributeValue(session.handle(), object, &attribute, 1);
  if (rv != CKR_OK || attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
    return ModuleAnswer(rv == CKR_OK ? CKR_ATTRIBUTE_TYPE_INVALID : rv);
  }
  if (attribute.ulValueLen > kMaxAttributeBytes) {
    return ModuleAnswer(CKR_ATTRIBUTE_VALUE_INVALID);
  }
  if (Failure failure = Allocate(attribute.ulValueLen, value);
      !failure.ok() || attribute.ulValueLen == 0) {
    return failure;
  }
  attribute.pValue = value.bytes().data();
  rv = module->C_GetAttributeValue(session.handle(), object, &attribute, 1);
  if (rv != CKR_OK) {
    return ModuleAnswer(rv);
  }
  const Failure failure = RoomAnswer(attribute.ulValueLen, value.bytes().size());
  value.Truncate(attribute.ulValueLen);
  return failure;
}

Failure ReadNumber(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                   CK_ULONG& value) {
  CK_ATTRIBUTE attribute = {.type = type, .pValue = &value, .ulValueLen = sizeof(value)};
  const CK_RV rv =
      session.functions()->C_GetAttributeValue(session.handle(), object, &attribute, 1);
  return ModuleAnswer(
      rv == CKR_OK && attribute.ulValueLen != sizeof(value) ? CKR_ATTRIBUTE_VALUE_INVALID : rv);
}

Failure ReadFlag(const Session& session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 bool& value) {
  CK_BBOOL flag = CK_FALSE;
  CK_ATTRIBUTE attribute = {.type = type, .pValue = &flag, .ulValueLen = sizeof(flag)};
  const CK_RV rv =
      session.functions()->C_GetAttributeValue(session.handle(), object, &attribute, 1);
  value = flag != CK_FALSE;
  return ModuleAnswer(
      rv == CKR_OK && attribute.ulValueLen != sizeof(flag) ? CKR_ATTRIBUTE_VALUE_INVALID : rv);
}

bool DestroyObject(const Session& session, CK_OBJECT_HANDLE object) {
  return session.functions()->C_DestroyObject(session.handle(), object) == CKR_OK;
}

Reply GenerateRandom(Session& session, const Request& request) {
  const std::size_t length = request.numbers[0];
  if (length == 0 || length > kMaxRandomBytes) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  PrivateBuffer random;
  Failure failure = Allocate(length, random);
  if (failure.ok()) {
    failure = ModuleAnswer(session.functions()->C_GenerateRandom(
        session.handle(), random.bytes().data(), random.bytes().size()));
  }
  return failure.ok() ? ReplyOf(std::move(random)) : ReplyOf(failure);
}

Reply FindKeys(Session& session, const Request& request) {
  Reply reply;
  for (const CK_OBJECT_CLASS object_class : kKeyClasses) {
    std::vector<CK_OBJECT_HANDLE> found;
    if (Failure failure =
            SearchClass(session, object_class, request.key_id.bytes(), kMaxKeys, found);
        !failure.ok()) {
      return ReplyOf(failure);
    }
    if (found.size() == kMaxKeys) {
      return ReplyOf(FailureOf(Reason::kOutOfMemory));
    }
    for (const CK_OBJECT_HANDLE object : found) {
      PrivateBuffer record;
      const Failure failure = Describe(session, object, object_class, record);
      if (failure.ok()) {
        reply.outputs.push_back(std::move(record));
      } else if (!IsGone(failure)) {
        return ReplyOf(failure);
      }
    }
  }
  return reply;
}

Reply DestroyKey(Session& session, const Request& request) {
  const Bytes id = request.key_id.bytes();
  if (id.empty()) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  session.ForgetObjects(id);
  bool has_any = false;
  for (const CK_OBJECT_CLASS object_class : kKeyClasses) {
    std::vector<CK_OBJECT_HANDLE> found;
    if (Failure failure = SearchClass(session, object_class, id, kMaxKeys, found); !failure.ok()) {
      return ReplyOf(failure);
    }
    for (const CK_OBJECT_HANDLE object : found) {
      const Failure failure =
          ModuleAnswer(session.functions()->C_DestroyObject(session.handle(), object));
      if (!failure.ok() && !IsGone(failure)) {
        return ReplyOf(failure);
      }
      session.NoteChange();
      has_any = true;
    }
  }
  return has_any ? Reply() : ReplyOf(FailureOf(Reason::kKeyNotFound));
}

}  // namespace keywright::pkcs11
