#include "fuzz/hostile_module.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/asymmetric_type.h"
#include "core/der.h"
#include "pkcs11/public_key_der.h"

namespace keywright::fuzz {
namespace {

constexpr CK_RV kReturnValues[] = {CKR_GENERAL_ERROR,
                                   CKR_HOST_MEMORY,
                                   CKR_SLOT_ID_INVALID,
                                   CKR_FUNCTION_FAILED,
                                   CKR_ARGUMENTS_BAD,
                                   CKR_ATTRIBUTE_SENSITIVE,
                                   CKR_ATTRIBUTE_TYPE_INVALID,
                                   CKR_ATTRIBUTE_VALUE_INVALID,
                                   CKR_BUFFER_TOO_SMALL,
                                   CKR_CRYPTOKI_NOT_INITIALIZED,
                                   CKR_CRYPTOKI_ALREADY_INITIALIZED,
                                   CKR_DATA_INVALID,
                                   CKR_DATA_LEN_RANGE,
                                   CKR_DEVICE_ERROR,
                                   CKR_DEVICE_REMOVED,
                                   CKR_DOMAIN_PARAMS_INVALID,
                                   CKR_ENCRYPTED_DATA_INVALID,
                                   CKR_ENCRYPTED_DATA_LEN_RANGE,
                                   CKR_KEY_HANDLE_INVALID,
                                   CKR_KEY_SIZE_RANGE,
                                   CKR_KEY_UNEXTRACTABLE,
                                   CKR_MECHANISM_INVALID,
                                   CKR_OBJECT_HANDLE_INVALID,
                                   CKR_OPERATION_ACTIVE,
                                   CKR_PIN_INCORRECT,
                                   CKR_SESSION_CLOSED,
                                   CKR_SESSION_COUNT,
                                   CKR_SESSION_HANDLE_INVALID,
                                   CKR_SIGNATURE_INVALID,
                                   CKR_SIGNATURE_LEN_RANGE,
                                   CKR_TOKEN_NOT_PRESENT,
                                   CKR_TOKEN_WRITE_PROTECTED,
                                   CKR_USER_ALREADY_LOGGED_IN,
                                   CKR_USER_NOT_LOGGED_IN,
                                   CKR_WRAPPED_KEY_INVALID,
                                   CKR_VENDOR_DEFINED,
                                   CK_UNAVAILABLE_INFORMATION};

constexpr CK_MECHANISM_TYPE kMechanisms[] = {CKM_AES_KEY_GEN,
                                             CKM_AES_GCM,
                                             CKM_AES_KEY_WRAP,
                                             CKM_AES_KEY_WRAP_PAD,
                                             pkcs11::kMechanismAesKeyWrapKwp,
                                             pkcs11::kMechanismCloudHsmKeyWrapNoPad,
                                             pkcs11::kMechanismCloudHsmKeyWrapZeroPad,
                                             CKM_GENERIC_SECRET_KEY_GEN,
                                             CKM_SHA224_HMAC,
                                             CKM_SHA256_HMAC,
                                             CKM_SHA384_HMAC,
                                             CKM_SHA512_HMAC,
                                             CKM_RSA_PKCS_KEY_PAIR_GEN,
                                             CKM_RSA_PKCS,
                                             CKM_RSA_PKCS_PSS,
                                             CKM_RSA_PKCS_OAEP,
                                             CKM_EC_KEY_PAIR_GEN,
                                             CKM_ECDSA,
                                             CKM_ECDH1_DERIVE,
                                             pkcs11::kMechanismEcEdwardsKeyPairGen,
                                             pkcs11::kMechanismEddsa,
                                             pkcs11::kMechanismMlDsaKeyPairGen,
                                             pkcs11::kMechanismMlDsa,
                                             CKM_RSA_AES_KEY_WRAP};

constexpr CK_SLOT_ID kSlot = 7;
constexpr std::size_t kModulusBytes = 256;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kWrappedBytes = 40;
constexpr std::uint8_t kFiller = 0x9d;

using Kind = HostileModule::Kind;

struct State {
  Input answers;
  Kind kind;
  std::vector<Vector> ids;

  CK_OBJECT_HANDLE next_handle = 1;
  std::set<CK_OBJECT_HANDLE> made = {};
  // The attributes that the last object was made with.
  std::map<CK_ATTRIBUTE_TYPE, Vector> attributes = {};
  // The value whose length was told last.
  std::optional<std::pair<CK_ATTRIBUTE_TYPE, Vector>> told = std::nullopt;
  std::size_t found = 0;
  CK_MECHANISM_TYPE mechanism = 0;
};

std::optional<State> state;

CK_RV Answer() {
  const std::uint8_t number = state->answers.Byte();
  return number == 0 || number > std::size(kReturnValues) ? CKR_OK : kReturnValues[number - 1];
}

// A length, or a count, that is told.
CK_ULONG Length(CK_ULONG honest, CK_ULONG room) {
  switch (state->answers.Byte()) {
    case 1:
      return CK_UNAVAILABLE_INFORMATION;
    case 2:
      return room + 1;
    case 3:
      return room;
    case 4:
      return 0;
    case 5:
      return honest - 1;  // of 0, the largest of all
    case 6:
      return honest + state->answers.Byte();
    case 7:
      return state->answers.Number32();
    default:
      return honest;
  }
}

CK_RV Write(CK_BYTE_PTR out, CK_ULONG_PTR length, Bytes honest) {
  const CK_ULONG room = *length;
  const CK_RV rv = Answer();
  if (out != nullptr) {
    std::copy_n(honest.begin(), std::min<std::size_t>(honest.size(), room), out);
  }
  *length = Length(honest.size(), room);
  return rv == CKR_OK && out != nullptr && honest.size() > room ? CKR_BUFFER_TOO_SMALL : rv;
}

Vector OfFiller(std::size_t length) {
  Vector bytes(length, kFiller);
  return bytes;
}

Vector BytesOf(CK_ULONG number) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&number);
  return {bytes, bytes + sizeof(number)};
}

Vector PublicBytesOf(KeyType type) {
  const Vector spki = ExportedPublicKey(FixedPair(type));
  return Copy(Bytes(spki).last(AsymmetricTypeOf(type).public_bytes));
}

CK_KEY_TYPE KeyTypeOf(Kind kind) {
  switch (kind) {
    case Kind::kRsa:
      return CKK_RSA;
    case Kind::kP256:
      return CKK_EC;
    case Kind::kEd25519:
      return pkcs11::kKeyTypeEcEdwards;
    case Kind::kMlDsa:
      return pkcs11::kKeyTypeMlDsa;
    default:
      return CKK_AES;
  }
}

Vector HonestValue(CK_ATTRIBUTE_TYPE type) {
  const KeyType curve = state->kind == Kind::kEd25519 ? KeyType::kEd25519 : KeyType::kP256;
  switch (type) {
    case CKA_KEY_TYPE:
      return BytesOf(KeyTypeOf(state->kind));
    case CKA_VALUE_LEN:
      return BytesOf(32);
    case pkcs11::kAttributeParameterSet:
      return BytesOf(1);
    case CKA_MODULUS:
      return OfFiller(kModulusBytes);
    case CKA_PUBLIC_EXPONENT:
      return {1, 0, 1};
    case CKA_EC_PARAMS:
      return Copy(pkcs11::EcParametersOf(curve));
    case CKA_EC_POINT:
      return DerValue(DerTag::kOctetString, {PublicBytesOf(curve)});
    case CKA_VALUE:
      return state->kind == Kind::kMlDsa ? PublicBytesOf(KeyType::kMlDsa44) : OfFiller(32);
    case CKA_ID:
      return {1, 2, 3};
    case CKA_LABEL:
      return Copy(AsBytes(kTokenLabel));
    case CKA_WRAP_WITH_TRUSTED:
      return {CK_FALSE};
    default:
      return {CK_TRUE};
  }
}

Vector ValueOf(CK_ATTRIBUTE_TYPE type) {
  const auto known = state->attributes.find(type);
  Vector value = known != state->attributes.end() ? known->second : HonestValue(type);
  state->answers.Edit(value);
  return value;
}

void Remember(CK_ATTRIBUTE_PTR attributes, CK_ULONG count) {
  for (const CK_ATTRIBUTE& one : std::span(attributes, count)) {
    const auto* value = static_cast<const std::uint8_t*>(one.pValue);
    state->attributes[one.type] = Vector(value, value + one.ulValueLen);
  }
}

CK_RV Make(CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR object) {
  const CK_RV rv = Answer();
  if (rv == CKR_OK) {
    Remember(attributes, count);
    *object = state->next_handle++;
    state->made.insert(*object);
  }
  return rv;
}

// The module and the token.

CK_RV Initialize(CK_VOID_PTR) { return Answer(); }
CK_RV Finalize(CK_VOID_PTR) { return Answer(); }

CK_RV GetInfo(CK_INFO_PTR info) {
  *info = {};
  return Answer();
}

CK_RV GetSlotList(CK_BBOOL, CK_SLOT_ID_PTR slots, CK_ULONG_PTR count) {
  const CK_ULONG room = slots == nullptr ? 1 : *count;
  if (slots != nullptr && room != 0) {
    std::fill_n(slots, room, kSlot);
  }
  *count = Length(1, room);
  return Answer();
}

CK_RV GetTokenInfo(CK_SLOT_ID, CK_TOKEN_INFO_PTR info) {
  Vector label = Copy(AsBytes(kTokenLabel));
  state->answers.Edit(label);
  label.resize(sizeof(info->label), ' ');
  *info = {};
  std::copy(label.begin(), label.end(), info->label);
  info->serialNumber[0] = state->answers.Byte();
  return Answer();
}

CK_RV GetMechanismList(CK_SLOT_ID, CK_MECHANISM_TYPE_PTR mechanisms, CK_ULONG_PTR count) {
  const CK_ULONG room = mechanisms == nullptr ? std::size(kMechanisms) : *count;
  if (mechanisms != nullptr) {
    std::copy_n(std::begin(kMechanisms), std::min<std::size_t>(room, std::size(kMechanisms)),
                mechanisms);
  }
  *count = Length(std::size(kMechanisms), room);
  return Answer();
}

CK_RV GetMechanismInfo(CK_SLOT_ID, CK_MECHANISM_TYPE, CK_MECHANISM_INFO_PTR info) {
  const bool is_honest = state->answers.Byte() == 0;
  *info = {.ulMinKeySize = 0,
           .ulMaxKeySize = 0,
           .flags = is_honest ? ~CK_FLAGS{0} : CK_FLAGS{state->answers.Number32()}};
  return is_honest ? CKR_OK : Answer();
}

CK_RV OpenSession(CK_SLOT_ID, CK_FLAGS, CK_VOID_PTR, CK_NOTIFY, CK_SESSION_HANDLE_PTR session) {
  *session = state->next_handle++;
  return Answer();
}

CK_RV CloseSession(CK_SESSION_HANDLE) { return Answer(); }

CK_RV GetSessionInfo(CK_SESSION_HANDLE, CK_SESSION_INFO_PTR info) {
  *info = {.slotID = kSlot,
           .state = Length(CKS_RW_USER_FUNCTIONS, CKS_RW_PUBLIC_SESSION),
           .flags = CKF_SERIAL_SESSION,
           .ulDeviceError = 0};
  return Answer();
}

CK_RV Login(CK_SESSION_HANDLE, CK_USER_TYPE, CK_UTF8CHAR_PTR, CK_ULONG) { return Answer(); }

// Objects.

CK_RV FindObjectsInit(CK_SESSION_HANDLE, CK_ATTRIBUTE_PTR attributes, CK_ULONG count) {
  state->found = 2;
  for (const CK_ATTRIBUTE& one : std::span(attributes, count)) {
    if (one.type == CKA_ID) {
      const Bytes id(static_cast<const std::uint8_t*>(one.pValue), one.ulValueLen);
      state->found = static_cast<std::size_t>(
          std::count_if(state->ids.begin(), state->ids.end(),
                        [&](const Vector& known) { return AreEqual(known, id); }));
    }
  }
  return Answer();
}

CK_RV FindObjects(CK_SESSION_HANDLE, CK_OBJECT_HANDLE_PTR objects, CK_ULONG room,
                  CK_ULONG_PTR count) {
  std::generate_n(objects, room, [] { return state->next_handle++; });
  const CK_ULONG honest = std::min<CK_ULONG>(state->found, room);
  state->found -= honest;
  *count = Length(honest, room);
  return Answer();
}

CK_RV FindObjectsFinal(CK_SESSION_HANDLE) { return Answer(); }

CK_RV GetAttributeValue(CK_SESSION_HANDLE, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR attributes,
                        CK_ULONG count) {
  CK_RV rv = Answer();
  for (CK_ATTRIBUTE& one : std::span(attributes, count)) {
    const bool is_told = state->told && state->told->first == one.type;
    Vector value = is_told ? std::move(state->told->second) : ValueOf(one.type);
    state->told.reset();
    const CK_ULONG room = one.pValue == nullptr ? value.size() : one.ulValueLen;
    if (one.pValue != nullptr) {
      std::copy_n(value.begin(), std::min<std::size_t>(value.size(), room),
                  static_cast<std::uint8_t*>(one.pValue));
    }
    one.ulValueLen = Length(value.size(), room);
    if (one.pValue == nullptr) {
      state->told = {one.type, std::move(value)};
    }
  }
  return rv;
}

CK_RV CreateObject(CK_SESSION_HANDLE, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
                   CK_OBJECT_HANDLE_PTR object) {
  return Make(attributes, count, object);
}

CK_RV DestroyObject(CK_SESSION_HANDLE, CK_OBJECT_HANDLE object) {
  state->made.erase(object);
  return Answer();
}

CK_RV GenerateKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
                  CK_OBJECT_HANDLE_PTR key) {
  return Make(attributes, count, key);
}

CK_RV GenerateKeyPair(CK_SESSION_HANDLE, CK_MECHANISM_PTR mechanism,
                      CK_ATTRIBUTE_PTR public_attributes, CK_ULONG public_count,
                      CK_ATTRIBUTE_PTR private_attributes, CK_ULONG private_count,
                      CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key) {
  const CK_RV rv = Make(public_attributes, public_count, public_key);
  if (rv == CKR_OK) {
    Remember(private_attributes, private_count);
    *private_key = state->next_handle++;
    state->made.insert(*private_key);
    switch (mechanism->mechanism) {
      case CKM_RSA_PKCS_KEY_PAIR_GEN:
        state->kind = Kind::kRsa;
        break;
      case CKM_EC_KEY_PAIR_GEN:
        state->kind = Kind::kP256;
        break;
      case pkcs11::kMechanismEcEdwardsKeyPairGen:
        state->kind = Kind::kEd25519;
        break;
      default:
        state->kind = Kind::kMlDsa;
        break;
    }
  }
  return rv;
}

CK_RV WrapKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE, CK_OBJECT_HANDLE,
              CK_BYTE_PTR wrapped, CK_ULONG_PTR length) {
  const bool is_rsa = mechanism->mechanism == CKM_RSA_PKCS_OAEP;
  return Write(wrapped, length, Vector(is_rsa ? kModulusBytes : kWrappedBytes, kFiller));
}

CK_RV UnwrapKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_BYTE_PTR, CK_ULONG,
                CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  return Make(attributes, count, key);
}

CK_RV DeriveKey(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE, CK_ATTRIBUTE_PTR attributes,
                CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  return Make(attributes, count, key);
}

// What keys do.

CK_RV EncryptInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE) {
  state->mechanism = mechanism->mechanism;
  if (mechanism->mechanism == CKM_AES_GCM && state->answers.Byte() == 0) {
    const auto* parameters = static_cast<const CK_GCM_PARAMS*>(mechanism->pParameter);
    std::fill_n(parameters->pIv, parameters->ulIvLen, kFiller);
  }
  return Answer();
}

// What is encrypted is the plaintext, with a tag or zeros behind it.
CK_RV Encrypt(CK_SESSION_HANDLE, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR out,
              CK_ULONG_PTR length) {
  Vector result(data, data + size);
  result.resize(state->mechanism == CKM_AES_GCM ? size + kTagBytes : kModulusBytes);
  return Write(out, length, result);
}

CK_RV DecryptInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE) {
  state->mechanism = mechanism->mechanism;
  return Answer();
}

CK_RV Decrypt(CK_SESSION_HANDLE, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR out,
              CK_ULONG_PTR length) {
  const CK_ULONG overhead = state->mechanism == CKM_AES_GCM ? kTagBytes : size / 2;
  return Write(out, length, Bytes(data, size - std::min(size, overhead)));
}

CK_RV SignInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE) {
  state->mechanism = mechanism->mechanism;
  return Answer();
}

CK_RV Sign(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG size, CK_BYTE_PTR out, CK_ULONG_PTR length) {
  // Of MACs, and of ECDSA over digests, what there is room for.
  constexpr CK_ULONG kP521DigestBytes = 64;
  switch (state->mechanism) {
    case CKM_ECDSA:
      return Write(out, length, Vector(size == kP521DigestBytes ? 132 : 2 * size, kFiller));
    case CKM_RSA_PKCS:
    case CKM_RSA_PKCS_PSS:
      return Write(out, length, Vector(kModulusBytes, kFiller));
    default:
      return Write(out, length, Vector(*length, kFiller));
  }
}

CK_RV VerifyInit(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE) { return Answer(); }

CK_RV Verify(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG) { return Answer(); }

CK_RV GenerateRandom(CK_SESSION_HANDLE, CK_BYTE_PTR out, CK_ULONG length) {
  std::fill_n(out, length, kFiller);
  return Answer();
}

CK_FUNCTION_LIST MakeFunctions() {
  CK_FUNCTION_LIST list = {};
  list.version = {.major = 2, .minor = 40};
  list.C_Initialize = Initialize;
  list.C_Finalize = Finalize;
  list.C_GetInfo = GetInfo;
  list.C_GetSlotList = GetSlotList;
  list.C_GetTokenInfo = GetTokenInfo;
  list.C_GetMechanismList = GetMechanismList;
  list.C_GetMechanismInfo = GetMechanismInfo;
  list.C_OpenSession = OpenSession;
  list.C_CloseSession = CloseSession;
  list.C_GetSessionInfo = GetSessionInfo;
  list.C_Login = Login;
  list.C_FindObjectsInit = FindObjectsInit;
  list.C_FindObjects = FindObjects;
  list.C_FindObjectsFinal = FindObjectsFinal;
  list.C_GetAttributeValue = GetAttributeValue;
  list.C_CreateObject = CreateObject;
  list.C_DestroyObject = DestroyObject;
  list.C_GenerateKey = GenerateKey;
  list.C_GenerateKeyPair = GenerateKeyPair;
  list.C_WrapKey = WrapKey;
  list.C_UnwrapKey = UnwrapKey;
  list.C_DeriveKey = DeriveKey;
  list.C_EncryptInit = EncryptInit;
  list.C_Encrypt = Encrypt;
  list.C_DecryptInit = DecryptInit;
  list.C_Decrypt = Decrypt;
  list.C_SignInit = SignInit;
  list.C_Sign = Sign;
  list.C_VerifyInit = VerifyInit;
  list.C_Verify = Verify;
  list.C_GenerateRandom = GenerateRandom;
  return list;
}

CK_FUNCTION_LIST functions = MakeFunctions();

}  // namespace

HostileModule::HostileModule(Input answers, Kind kind, std::vector<Vector> ids) {
  state = State{.answers = answers, .kind = kind, .ids = std::move(ids)};
}

HostileModule::~HostileModule() { state.reset(); }

CK_FUNCTION_LIST_PTR HostileModule::functions() { return &keywright::fuzz::functions; }

std::size_t HostileModule::objects_left() const { return state->made.size(); }

}  // namespace keywright::fuzz
