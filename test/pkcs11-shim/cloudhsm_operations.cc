// Encrypting, decrypting, signing and verifying as CloudHSM does it.
#include <algorithm>
#include <cstring>
#include <span>

#include "cloudhsm_cluster.h"
#include "discard.h"

namespace keywright::shim {
namespace {

// True if the call ends its operation (PKCS#11 v2.40, 5.2 and 5.8).
bool Ends(CK_RV result, const void* output) {
  return result != CKR_BUFFER_TOO_SMALL && (result != CKR_OK || output != nullptr);
}

bool IsTooLong(const Operation& operation, CK_ULONG size) {
  return operation.mechanism != nullptr && operation.mechanism->max_data != 0 &&
         size > operation.mechanism->max_data;
}

bool IsGcm(const Operation& operation) {
  return operation.mechanism != nullptr && operation.mechanism->module_type == CKM_AES_GCM;
}

bool HasIvInFront(const Operation& operation) {
  return operation.mechanism != nullptr && operation.mechanism->type == kCloudHsmAesGcm;
}

const CK_GCM_PARAMS* GcmParams(const CK_MECHANISM& mechanism) {
  return mechanism.pParameter != nullptr && mechanism.ulParameterLen == sizeof(CK_GCM_PARAMS)
             ? static_cast<const CK_GCM_PARAMS*>(mechanism.pParameter)
             : nullptr;
}

// A buffer of 12 zero bytes for the IV of the HSM, or for the vendor's mechanism none at all.
bool IsRoomForIv(const Mechanism& mechanism, const CK_GCM_PARAMS& params) {
  if (mechanism.type == kCloudHsmAesGcm) {
    return params.pIv == nullptr;
  }
  const CK_ULONG size = params.ulIvLen != 0 ? params.ulIvLen : params.ulIvBits / 8;
  return params.pIv != nullptr && size == kIvBytes &&
         std::all_of(params.pIv, params.pIv + kIvBytes, [](CK_BYTE byte) { return byte == 0; });
}

CK_RV InitGcm(CK_SESSION_HANDLE session, const CK_GCM_PARAMS& params, Operation& operation,
              CK_C_EncryptInit init, CK_OBJECT_HANDLE key) {
  CK_GCM_PARAMS own = params;
  own.pIv = operation.iv.data();
  own.ulIvLen = kIvBytes;
  own.ulIvBits = kIvBytes * 8;
  CK_MECHANISM mechanism = {CKM_AES_GCM, &own, sizeof(own)};
  return init(session, &mechanism, key);
}

CK_RV EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const Mechanism* found = nullptr;
  if (const CK_RV refusal = CheckUse(session, mechanism, CKF_ENCRYPT, {key}, found);
      refusal != CKR_OK) {
    return refusal;
  }
  Operation operation;
  operation.mechanism = found;
  CK_RV result = CKR_OK;
  if (IsGcm(operation)) {
    const CK_GCM_PARAMS* const params = GcmParams(*mechanism);
    if (params == nullptr || !IsRoomForIv(*found, *params)) {
      return CKR_MECHANISM_PARAM_INVALID;
    }
    result = below.C_GenerateRandom(session, operation.iv.data(), kIvBytes);
    if (result == CKR_OK) {
      operation.iv_target = params->pIv;
      result = InitGcm(session, *params, operation, below.C_EncryptInit, key);
    }
  } else {
    CK_MECHANISM translated = Translate(*found, *mechanism);
    result = below.C_EncryptInit(session, &translated, key);
  }
  if (result == CKR_OK) {
    ThisCluster().Of(session).encrypt = operation;
  }
  return result;
}

CK_RV EncryptWithIvInFront(const Operation& operation, CK_SESSION_HANDLE session, CK_BYTE_PTR data,
                           CK_ULONG size, CK_BYTE_PTR output, CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  CK_ULONG needed = 0;
  CK_RV result = below.C_Encrypt(session, data, size, nullptr, &needed);
  if (result != CKR_OK) {
    return result;
  }
  const CK_ULONG room = *output_size;
  *output_size = needed + kIvBytes;
  if (output == nullptr || room < needed + kIvBytes) {
    return output == nullptr ? CKR_OK : CKR_BUFFER_TOO_SMALL;
  }
  result = below.C_Encrypt(session, data, size, output + kIvBytes, &needed);
  std::copy(operation.iv.begin(), operation.iv.end(), output);
  *output_size = needed + kIvBytes;
  return result;
}

CK_RV Encrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR output,
              CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  Operation& operation = ThisCluster().Of(session).encrypt;
  if (IsTooLong(operation, size)) {
    Discard([&](auto* out, auto* room) { return below.C_Encrypt(session, data, size, out, room); });
    operation = {};
    return CKR_DATA_LEN_RANGE;
  }
  const CK_RV result =
      HasIvInFront(operation)
          ? EncryptWithIvInFront(operation, session, data, size, output, output_size)
          : below.C_Encrypt(session, data, size, output, output_size);
  if (Ends(result, output)) {
    // Not before: whoever reads the IV, or frees its memory, after C_EncryptInit fails with this
    // HSM.
    if (result == CKR_OK && operation.iv_target != nullptr) {
      std::copy(operation.iv.begin(), operation.iv.end(), operation.iv_target);
    }
    operation = {};
  }
  return result;
}

// Refuses what cannot be done in several parts, and data beyond the limit; the operation ends then.
template <typename Final>
CK_RV RefusePart(Operation& operation, CK_ULONG size, CK_RV too_long, Final final) {
  const CK_RV refusal = IsGcm(operation)             ? CKR_MECHANISM_INVALID
                        : IsTooLong(operation, size) ? too_long
                                                     : CKR_OK;
  if (refusal != CKR_OK) {
    Discard(final);
    operation = {};
  }
  return refusal;
}

CK_RV EncryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG size, CK_BYTE_PTR output,
                    CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const CK_RV refusal =
      RefusePart(ThisCluster().Of(session).encrypt, size, CKR_DATA_LEN_RANGE,
                 [&](auto* out, auto* room) { return below.C_EncryptFinal(session, out, room); });
  return refusal != CKR_OK ? refusal
                           : below.C_EncryptUpdate(session, part, size, output, output_size);
}

CK_RV EncryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR output, CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const CK_RV refusal =
      RefusePart(ThisCluster().Of(session).encrypt, 0, CKR_OK,
                 [&](auto* out, auto* room) { return below.C_EncryptFinal(session, out, room); });
  return refusal != CKR_OK ? refusal : below.C_EncryptFinal(session, output, output_size);
}

CK_RV DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const Mechanism* found = nullptr;
  if (const CK_RV refusal = CheckUse(session, mechanism, CKF_DECRYPT, {key}, found);
      refusal != CKR_OK) {
    return refusal;
  }
  Operation operation;
  operation.mechanism = found;
  CK_RV result = CKR_OK;
  if (IsGcm(operation)) {
    const CK_GCM_PARAMS* const params = GcmParams(*mechanism);
    if (params == nullptr || (params->pIv == nullptr) != HasIvInFront(operation)) {
      return CKR_MECHANISM_PARAM_INVALID;
    }
    operation.tag_bits = params->ulTagBits;
  }
  if (HasIvInFront(operation)) {
    const auto& params = *GcmParams(*mechanism);
    operation.key = key;
    operation.aad.assign(params.pAAD, params.pAAD + params.ulAADLen);
    // With a wrong IV, so that the module says now what it has against the key.
    result = InitGcm(session, params, operation, below.C_DecryptInit, key);
  } else {
    CK_MECHANISM translated = Translate(*found, *mechanism);
    result = below.C_DecryptInit(session, &translated, key);
  }
  if (result == CKR_OK) {
    ThisCluster().Of(session).decrypt = operation;
  }
  return result;
}

// Begins the operation anew, with the IV that was in front of the ciphertext.
CK_RV TakeIv(Operation& operation, CK_SESSION_HANDLE session, std::span<CK_BYTE> ciphertext) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  Discard([&](auto* out, auto* room) {
    return below.C_Decrypt(session, ciphertext.data(), ciphertext.size(), out, room);
  });
  std::copy_n(ciphertext.begin(), kIvBytes, operation.iv.begin());
  operation.has_iv = true;
  CK_GCM_PARAMS params = {};
  params.pAAD = operation.aad.data();
  params.ulAADLen = operation.aad.size();
  params.ulTagBits = operation.tag_bits;
  return InitGcm(session, params, operation, below.C_DecryptInit, operation.key);
}

CK_RV Decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR output,
              CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  Operation& operation = ThisCluster().Of(session).decrypt;
  const CK_ULONG iv_bytes = HasIvInFront(operation) ? kIvBytes : 0;
  const CK_ULONG tag_bytes = operation.tag_bits / 8;
  const bool is_too_short = size < iv_bytes;
  if (is_too_short ||
      (size > iv_bytes + tag_bytes && IsTooLong(operation, size - iv_bytes - tag_bytes))) {
    Discard([&](auto* out, auto* room) { return below.C_Decrypt(session, data, size, out, room); });
    operation = {};
    return CKR_ENCRYPTED_DATA_LEN_RANGE;
  }
  CK_RV result = CKR_OK;
  if (iv_bytes != 0 && !operation.has_iv) {
    result = TakeIv(operation, session, {data, size});
  }
  if (result == CKR_OK) {
    result = below.C_Decrypt(session, data + iv_bytes, size - iv_bytes, output, output_size);
  }
  if (Ends(result, output)) {
    operation = {};
  }
  return result;
}

CK_RV DecryptUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG size, CK_BYTE_PTR output,
                    CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const CK_RV refusal =
      RefusePart(ThisCluster().Of(session).decrypt, size, CKR_ENCRYPTED_DATA_LEN_RANGE,
                 [&](auto* out, auto* room) { return below.C_DecryptFinal(session, out, room); });
  return refusal != CKR_OK ? refusal
                           : below.C_DecryptUpdate(session, part, size, output, output_size);
}

CK_RV DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE_PTR output, CK_ULONG_PTR output_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const CK_RV refusal =
      RefusePart(ThisCluster().Of(session).decrypt, 0, CKR_OK,
                 [&](auto* out, auto* room) { return below.C_DecryptFinal(session, out, room); });
  return refusal != CKR_OK ? refusal : below.C_DecryptFinal(session, output, output_size);
}

CK_RV InitSignature(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key,
                    CK_FLAGS use, CK_C_SignInit init, Operation& operation) {
  const Mechanism* found = nullptr;
  if (const CK_RV refusal = CheckUse(session, mechanism, use, {key}, found); refusal != CKR_OK) {
    return refusal;
  }
  const CK_RV result = init(session, mechanism, key);
  if (result == CKR_OK) {
    operation = {};
    operation.mechanism = found;
  }
  return result;
}

CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  return InitSignature(session, mechanism, key, CKF_SIGN, ThisCluster().below->C_SignInit,
                       ThisCluster().Of(session).sign);
}

CK_RV VerifyInit(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key) {
  return InitSignature(session, mechanism, key, CKF_VERIFY, ThisCluster().below->C_VerifyInit,
                       ThisCluster().Of(session).verify);
}

CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR signature,
           CK_ULONG_PTR signature_size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  Operation& operation = ThisCluster().Of(session).sign;
  if (IsTooLong(operation, size)) {
    Discard([&](auto* out, auto* room) { return below.C_Sign(session, data, size, out, room); });
    operation = {};
    return CKR_DATA_LEN_RANGE;
  }
  const CK_RV result = below.C_Sign(session, data, size, signature, signature_size);
  if (Ends(result, signature)) {
    operation = {};
  }
  return result;
}

CK_RV SignUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const CK_RV refusal =
      RefusePart(ThisCluster().Of(session).sign, size, CKR_DATA_LEN_RANGE,
                 [&](auto* out, auto* room) { return below.C_SignFinal(session, out, room); });
  return refusal != CKR_OK ? refusal : below.C_SignUpdate(session, part, size);
}

CK_RV Verify(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR signature,
             CK_ULONG signature_size) {
  Operation& operation = ThisCluster().Of(session).verify;
  const bool is_too_long = IsTooLong(operation, size);
  const CK_RV result =
      ThisCluster().below->C_Verify(session, data, size, signature, signature_size);
  operation = {};
  return is_too_long ? CKR_DATA_LEN_RANGE : result;
}

CK_RV VerifyUpdate(CK_SESSION_HANDLE session, CK_BYTE_PTR part, CK_ULONG size) {
  const CK_FUNCTION_LIST& below = *ThisCluster().below;
  const CK_RV refusal =
      RefusePart(ThisCluster().Of(session).verify, size, CKR_DATA_LEN_RANGE,
                 [&](auto* out, auto* room) { return below.C_VerifyFinal(session, out, *room); });
  return refusal != CKR_OK ? refusal : below.C_VerifyUpdate(session, part, size);
}

}  // namespace

void SetOperations(CK_FUNCTION_LIST& list) {
  list.C_EncryptInit = EncryptInit;
  list.C_Encrypt = Encrypt;
  list.C_EncryptUpdate = EncryptUpdate;
  list.C_EncryptFinal = EncryptFinal;
  list.C_DecryptInit = DecryptInit;
  list.C_Decrypt = Decrypt;
  list.C_DecryptUpdate = DecryptUpdate;
  list.C_DecryptFinal = DecryptFinal;
  list.C_SignInit = SignInit;
  list.C_Sign = Sign;
  list.C_SignUpdate = SignUpdate;
  list.C_VerifyInit = VerifyInit;
  list.C_Verify = Verify;
  list.C_VerifyUpdate = VerifyUpdate;
}

}  // namespace keywright::shim
