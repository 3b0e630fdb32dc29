// Slots, sessions, the user and keys as CloudHSM has them.
#include "cloudhsm.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "cloudhsm_attributes.h"
#include "cloudhsm_cluster.h"
#include "cloudhsm_mechanisms.h"

namespace keywright::shim {
namespace {

// https://docs.aws.amazon.com/cloudhsm/latest/userguide/limits.html
constexpr std::size_t kMaxSessions = 1024;
constexpr std::size_t kMaxUserName = 31;
constexpr std::size_t kMinPassword = 7;
constexpr std::size_t kMaxPassword = 32;

// https://docs.aws.amazon.com/cloudhsm/latest/userguide/pkcs11-key-types.html
constexpr CK_ULONG kMaxGenericSecret = 800;
constexpr auto kCurves = std::to_array<std::string_view>({
    {"\x06\x05\x2B\x81\x04\x00\x21", 7},               // secp224r1
    {"\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07", 10},  // secp256r1
    {"\x06\x05\x2B\x81\x04\x00\x0A", 7},               // secp256k1
    {"\x06\x05\x2B\x81\x04\x00\x22", 7},               // secp384r1
    {"\x06\x05\x2B\x81\x04\x00\x23", 7},               // secp521r1
});

// What https://docs.aws.amazon.com/cloudhsm/latest/userguide/pkcs11-apis.html does not list.
template <typename... Args>
CK_RV NotSupported(Args...) {
  return CKR_FUNCTION_NOT_SUPPORTED;
}

// Copies a list out as PKCS#11 v2.40, 5.2 has it.
template <typename T>
CK_RV CopyOut(const std::vector<T>& list, T* output, CK_ULONG_PTR count) {
  const CK_ULONG room = *count;
  *count = list.size();
  if (output == nullptr) {
    return CKR_OK;
  }
  if (room < list.size()) {
    return CKR_BUFFER_TOO_SMALL;
  }
  std::copy(list.begin(), list.end(), output);
  return CKR_OK;
}

// A slot is a cluster: the one that SoftHSM2 keeps free for its next token is none.
CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID_PTR output, CK_ULONG_PTR count) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  if (count == nullptr) {
    return CKR_ARGUMENTS_BAD;
  }
  CK_ULONG size = 0;
  CK_RV result = below.C_GetSlotList(token_present, nullptr, &size);
  std::vector<CK_SLOT_ID> slots(size);
  if (result == CKR_OK) {
    result = below.C_GetSlotList(token_present, slots.data(), &size);
  }
  if (result != CKR_OK) {
    return result;
  }
  slots.resize(size);
  std::erase_if(slots, [&](CK_SLOT_ID slot) {
    CK_TOKEN_INFO info;
    return below.C_GetTokenInfo(slot, &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0;
  });
  return CopyOut(slots, output, count);
}

CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE_PTR output, CK_ULONG_PTR count) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  if (count == nullptr) {
    return CKR_ARGUMENTS_BAD;
  }
  CK_ULONG size = 0;
  CK_RV result = below.C_GetMechanismList(slot, nullptr, &size);
  std::vector<CK_MECHANISM_TYPE> known(size);
  if (result == CKR_OK) {
    result = below.C_GetMechanismList(slot, known.data(), &size);
  }
  if (result != CKR_OK) {
    return result;
  }
  std::vector<CK_MECHANISM_TYPE> types;
  for (const Mechanism& mechanism : Mechanisms()) {
    if (std::find(known.begin(), known.end(), mechanism.module_type) != known.end()) {
      types.push_back(mechanism.type);
    }
  }
  return CopyOut(types, output, count);
}

CK_RV GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info) {
  constexpr CK_FLAGS kUses = kCipherUse | kSignUse | kWrapUse | CKF_DIGEST | CKF_DERIVE |
                             CKF_GENERATE | CKF_GENERATE_KEY_PAIR | CKF_SIGN_RECOVER |
                             CKF_VERIFY_RECOVER;
  const Mechanism* const found = FindMechanism(type, kUses);
  if (found == nullptr) {
    return CKR_MECHANISM_INVALID;
  }
  const CK_RV result = ThisCluster().below->C_GetMechanismInfo(slot, found->module_type, info);
  if (result == CKR_OK) {
    info->flags &= ~kUses | found->uses;
  }
  return result;
}

CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                  CK_SESSION_HANDLE_PTR session) {
  Cluster& cluster = ThisCluster();
  if ((flags & CKF_RW_SESSION) == 0) {
    return CKR_FUNCTION_FAILED;
  }
  const std::lock_guard lock(cluster.mutex);
  if (cluster.sessions.size() >= kMaxSessions) {
    return CKR_SESSION_COUNT;
  }
  const CK_RV result = cluster.below->C_OpenSession(slot, flags, application, notify, session);
  if (result == CKR_OK) {
    cluster.sessions[*session] = {};
    cluster.sessions[*session].slot = slot;
  }
  return result;
}

CK_RV CloseSession(CK_SESSION_HANDLE session) {
  const CK_RV result = ThisCluster().below->C_CloseSession(session);
  if (result == CKR_OK) {
    const std::lock_guard lock(ThisCluster().mutex);
    ThisCluster().sessions.erase(session);
  }
  return result;
}

CK_RV CloseAllSessions(CK_SLOT_ID slot) {
  const CK_RV result = ThisCluster().below->C_CloseAllSessions(slot);
  if (result == CKR_OK) {
    const std::lock_guard lock(ThisCluster().mutex);
    std::erase_if(ThisCluster().sessions,
                  [slot](const auto& open) { return open.second.slot == slot; });
  }
  return result;
}

CK_RV Finalize(CK_VOID_PTR reserved) {
  const CK_RV result = ThisCluster().below->C_Finalize(reserved);
  if (result == CKR_OK) {
    const std::lock_guard lock(ThisCluster().mutex);
    ThisCluster().sessions.clear();
  }
  return result;
}

// The PIN is <user name>:<password>, of a crypto user.
CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size) {
  if (user == CKU_SO) {
    return CKR_USER_TYPE_INVALID;
  }
  if (pin != nullptr) {
    const std::string_view text(reinterpret_cast<const char*>(pin), size);
    const std::size_t name = text.find(':');
    const std::size_t password = text.size() - std::min(text.size(), name + 1);
    if (name == std::string_view::npos || name == 0 || name > kMaxUserName ||
        password < kMinPassword || password > kMaxPassword) {
      return CKR_PIN_INCORRECT;
    }
  }
  return ThisCluster().below->C_Login(session, user, pin, size);
}

bool IsTokenKey(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  CK_BBOOL is_token = CK_FALSE;
  CK_ATTRIBUTE attribute = {CKA_TOKEN, &is_token, sizeof(is_token)};
  return ThisCluster().below->C_GetAttributeValue(session, key, &attribute, 1) == CKR_OK &&
         is_token == CK_TRUE;
}

// A template that CloudHSM takes, with its defaults; or why it does not.
struct Completed {
  CK_RV refusal = CKR_OK;
  std::vector<CK_ATTRIBUTE> attributes;

  Completed(Origin origin, std::optional<KeyKind> kind, CK_ATTRIBUTE_PTR wanted, CK_ULONG count) {
    refusal = kind ? CompleteTemplate(origin, *kind, Template(wanted, count), attributes)
                   : CKR_ATTRIBUTE_VALUE_INVALID;
    if (refusal == CKR_OK && ThisCluster().has_single_hsm &&
        ValueOf<CK_BBOOL>(attributes, CKA_TOKEN) == CK_TRUE) {
      refusal = CKR_FUNCTION_FAILED;
    }
  }

  CK_ULONG size() const { return attributes.size(); }
};

// The kind of key that a template asks for by its class and type.
CK_RV KindOfTemplate(CK_ATTRIBUTE_PTR wanted, CK_ULONG count, std::optional<KeyKind>& kind) {
  const Template attributes(wanted, count);
  const auto key_class = ValueOf<CK_OBJECT_CLASS>(attributes, CKA_CLASS);
  const auto key_type = ValueOf<CK_KEY_TYPE>(attributes, CKA_KEY_TYPE);
  if (!key_class || !key_type) {
    return CKR_TEMPLATE_INCOMPLETE;
  }
  kind = KindOf(*key_class, *key_type);
  return kind ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

CK_RV CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR wanted, CK_ULONG count,
                   CK_OBJECT_HANDLE_PTR object) {
  std::optional<KeyKind> kind;
  if (const CK_RV refusal = KindOfTemplate(wanted, count, kind); refusal != CKR_OK) {
    return refusal;
  }
  Completed completed(Origin::kCreate, kind, wanted, count);
  return completed.refusal != CKR_OK
             ? completed.refusal
             : ThisCluster().below->C_CreateObject(session, completed.attributes.data(),
                                                   completed.size(), object);
}

CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR wanted,
                  CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  const Mechanism* found = nullptr;
  if (const CK_RV refusal = CheckUse(session, mechanism, CKF_GENERATE, {}, found);
      refusal != CKR_OK) {
    return refusal;
  }
  const KeyKind kind = found->type == CKM_AES_KEY_GEN ? KeyKind::kAes : KeyKind::kGenericSecret;
  Completed completed(Origin::kGenerate, kind, wanted, count);
  if (completed.refusal != CKR_OK) {
    return completed.refusal;
  }
  if (kind == KeyKind::kGenericSecret &&
      ValueOf<CK_ULONG>(completed.attributes, CKA_VALUE_LEN).value_or(0) > kMaxGenericSecret) {
    return CKR_ATTRIBUTE_VALUE_INVALID;
  }
  return ThisCluster().below->C_GenerateKey(session, mechanism, completed.attributes.data(),
                                            completed.size(), key);
}

CK_RV CheckPair(KeyKind kind, Template wanted) {
  if (kind == KeyKind::kRsaPublic) {
    const CK_ULONG bits = ValueOf<CK_ULONG>(wanted, CKA_MODULUS_BITS).value_or(0);
    return bits >= 2048 && bits <= 4096 && bits % 256 == 0 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
  }
  const CK_ATTRIBUTE& curve = *Find(wanted, CKA_EC_PARAMS);
  const std::string_view params(static_cast<const char*>(curve.pValue), curve.ulValueLen);
  return std::find(kCurves.begin(), kCurves.end(), params) != kCurves.end()
             ? CKR_OK
             : CKR_CURVE_NOT_SUPPORTED;
}

CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                      CK_ATTRIBUTE_PTR public_wanted, CK_ULONG public_count,
                      CK_ATTRIBUTE_PTR private_wanted, CK_ULONG private_count,
                      CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key) {
  const Mechanism* found = nullptr;
  if (const CK_RV refusal = CheckUse(session, mechanism, CKF_GENERATE_KEY_PAIR, {}, found);
      refusal != CKR_OK) {
    return refusal;
  }
  const bool is_ec = found->type == CKM_EC_KEY_PAIR_GEN;
  const KeyKind public_kind = is_ec ? KeyKind::kEcPublic : KeyKind::kRsaPublic;
  Completed of_public(Origin::kGeneratePair, public_kind, public_wanted, public_count);
  Completed of_private(Origin::kGeneratePair, is_ec ? KeyKind::kEcPrivate : KeyKind::kRsaPrivate,
                       private_wanted, private_count);
  for (const CK_RV refusal : {of_public.refusal, of_private.refusal}) {
    if (refusal != CKR_OK) {
      return refusal;
    }
  }
  if (const CK_RV refusal = CheckPair(public_kind, of_public.attributes); refusal != CKR_OK) {
    return refusal;
  }
  CK_MECHANISM translated = Translate(*found, *mechanism);
  return ThisCluster().below->C_GenerateKeyPair(session, &translated, of_public.attributes.data(),
                                                of_public.size(), of_private.attributes.data(),
                                                of_private.size(), public_key, private_key);
}

CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE wrapping_key,
              CK_OBJECT_HANDLE key, CK_BYTE_PTR wrapped, CK_ULONG_PTR wrapped_size) {
  const Mechanism* found = nullptr;
  if (const CK_RV refusal = CheckUse(session, mechanism, CKF_WRAP, {wrapping_key, key}, found);
      refusal != CKR_OK) {
    return refusal;
  }
  CK_MECHANISM translated = Translate(*found, *mechanism);
  return ThisCluster().below->C_WrapKey(session, &translated, wrapping_key, key, wrapped,
                                        wrapped_size);
}

CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                CK_OBJECT_HANDLE wrapping_key, CK_BYTE_PTR wrapped, CK_ULONG wrapped_size,
                CK_ATTRIBUTE_PTR wanted, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  const Mechanism* found = nullptr;
  std::optional<KeyKind> kind;
  CK_RV refusal = CheckUse(session, mechanism, CKF_UNWRAP, {wrapping_key}, found);
  if (refusal == CKR_OK) {
    refusal = KindOfTemplate(wanted, count, kind);
  }
  if (refusal != CKR_OK) {
    return refusal;
  }
  Completed completed(Origin::kUnwrap, kind, wanted, count);
  if (completed.refusal != CKR_OK) {
    return completed.refusal;
  }
  CK_MECHANISM translated = Translate(*found, *mechanism);
  return ThisCluster().below->C_UnwrapKey(session, &translated, wrapping_key, wrapped, wrapped_size,
                                          completed.attributes.data(), completed.size(), key);
}

// Of the key derivation functions, clusters in FIPS mode have those of CloudHSM's own numbers only.
bool IsVendorsEcdh(const CK_MECHANISM& mechanism) {
  return mechanism.pParameter != nullptr &&
         mechanism.ulParameterLen == sizeof(CK_ECDH1_DERIVE_PARAMS) &&
         (static_cast<const CK_ECDH1_DERIVE_PARAMS*>(mechanism.pParameter)->kdf &
          CKM_VENDOR_DEFINED) != 0;
}

CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base_key,
                CK_ATTRIBUTE_PTR wanted, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  const Mechanism* found = nullptr;
  std::optional<KeyKind> kind;
  CK_RV refusal = CheckUse(session, mechanism, CKF_DERIVE, {base_key}, found);
  if (refusal == CKR_OK && !IsVendorsEcdh(*mechanism)) {
    refusal = CKR_MECHANISM_PARAM_INVALID;
  }
  if (refusal == CKR_OK) {
    refusal = KindOfTemplate(wanted, count, kind);
  }
  if (refusal != CKR_OK) {
    return refusal;
  }
  Completed completed(Origin::kDerive, kind, wanted, count);
  return completed.refusal != CKR_OK
             ? completed.refusal
             : ThisCluster().below->C_DeriveKey(session, mechanism, base_key,
                                                completed.attributes.data(), completed.size(), key);
}

CK_RV DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism) {
  const Mechanism* found = nullptr;
  const CK_RV refusal = CheckUse(session, mechanism, CKF_DIGEST, {}, found);
  return refusal != CKR_OK ? refusal : ThisCluster().below->C_DigestInit(session, mechanism);
}

// Answers for what CloudHSM tells of such a key; the rest is marked as PKCS#11 v2.40, 5.7 has it.
CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR wanted,
                        CK_ULONG count) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  CK_OBJECT_CLASS key_class = 0;
  CK_KEY_TYPE key_type = 0;
  std::array<CK_ATTRIBUTE, 2> both = {
      {{CKA_CLASS, &key_class, sizeof(key_class)}, {CKA_KEY_TYPE, &key_type, sizeof(key_type)}}};
  if (const CK_RV result = below.C_GetAttributeValue(session, object, both.data(), both.size());
      result != CKR_OK) {
    return result;
  }
  const std::optional<KeyKind> kind = KindOf(key_class, key_type);
  if (!kind) {
    return below.C_GetAttributeValue(session, object, wanted, count);
  }
  std::vector<CK_ATTRIBUTE> told;
  CK_RV refusal = CKR_OK;
  for (CK_ULONG i = 0; i < count; ++i) {
    const CK_RV readable = Readable(*kind, wanted[i].type);
    if (readable == CKR_OK) {
      told.push_back(wanted[i]);
    } else {
      wanted[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
      refusal = readable;
    }
  }
  if (told.empty()) {
    return refusal;
  }
  const CK_RV result = below.C_GetAttributeValue(session, object, told.data(), told.size());
  auto next = told.begin();
  for (CK_ULONG i = 0; i < count && next != told.end(); ++i) {
    if (Readable(*kind, wanted[i].type) == CKR_OK) {
      wanted[i].ulValueLen = (next++)->ulValueLen;
    }
  }
  return result == CKR_OK ? refusal : result;
}

void RefuseFunctions(CK_FUNCTION_LIST& list) {
  list.C_InitToken = NotSupported;
  list.C_InitPIN = NotSupported;
  list.C_SetPIN = NotSupported;
  list.C_GetOperationState = NotSupported;
  list.C_SetOperationState = NotSupported;
  list.C_CopyObject = NotSupported;
  list.C_GetObjectSize = NotSupported;
  list.C_SetAttributeValue = NotSupported;
  list.C_DigestKey = NotSupported;
  list.C_SignRecoverInit = NotSupported;
  list.C_SignRecover = NotSupported;
  list.C_VerifyRecoverInit = NotSupported;
  list.C_VerifyRecover = NotSupported;
  list.C_DigestEncryptUpdate = NotSupported;
  list.C_DecryptDigestUpdate = NotSupported;
  list.C_SignEncryptUpdate = NotSupported;
  list.C_DecryptVerifyUpdate = NotSupported;
  list.C_SeedRandom = NotSupported;
  list.C_WaitForSlotEvent = NotSupported;
}

}  // namespace

Session& Cluster::Of(CK_SESSION_HANDLE session) {
  static thread_local Session none;
  const std::lock_guard lock(mutex);
  const auto found = sessions.find(session);
  return found == sessions.end() ? none = {} : found->second;
}

Cluster& ThisCluster() {
  static Cluster layer;
  return layer;
}

CK_RV CheckUse(CK_SESSION_HANDLE session, const CK_MECHANISM* mechanism, CK_FLAGS uses,
               std::initializer_list<CK_OBJECT_HANDLE> keys, const Mechanism*& found) {
  if (mechanism == nullptr) {
    return CKR_ARGUMENTS_BAD;
  }
  found = FindMechanism(mechanism->mechanism, uses);
  if (found == nullptr) {
    return CKR_MECHANISM_INVALID;
  }
  if (found->type == CKM_RSA_PKCS_OAEP && !IsOaepPair(*mechanism)) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  const bool is_unavailable = ThisCluster().has_single_hsm &&
                              std::any_of(keys.begin(), keys.end(), [&](CK_OBJECT_HANDLE key) {
                                return IsTokenKey(session, key);
                              });
  return is_unavailable ? CKR_FUNCTION_FAILED : CKR_OK;
}

CK_MECHANISM Translate(const Mechanism& found, const CK_MECHANISM& mechanism) {
  return {found.module_type, mechanism.pParameter, mechanism.ulParameterLen};
}

const CK_FUNCTION_LIST* WithCloudHsm(const CK_FUNCTION_LIST* below, bool has_single_hsm) {
  static CK_FUNCTION_LIST list;
  Cluster& cluster = ThisCluster();
  cluster.below = below;
  cluster.has_single_hsm = has_single_hsm;
  list = *below;
  RefuseFunctions(list);
  SetOperations(list);
  list.C_Finalize = Finalize;
  list.C_GetSlotList = GetSlotList;
  list.C_GetMechanismList = GetMechanismList;
  list.C_GetMechanismInfo = GetMechanismInfo;
  list.C_OpenSession = OpenSession;
  list.C_CloseSession = CloseSession;
  list.C_CloseAllSessions = CloseAllSessions;
  list.C_Login = Login;
  list.C_CreateObject = CreateObject;
  list.C_GetAttributeValue = GetAttributeValue;
  list.C_DigestInit = DigestInit;
  list.C_GenerateKey = GenerateKey;
  list.C_GenerateKeyPair = GenerateKeyPair;
  list.C_WrapKey = WrapKey;
  list.C_UnwrapKey = UnwrapKey;
  list.C_DeriveKey = DeriveKey;
  return &list;
}

}  // namespace keywright::shim
