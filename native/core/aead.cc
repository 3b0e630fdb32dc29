#include "core/aead.h"

#include "core/library_context.h"
#include "core/random.h"
#include "core/secure_buffer.h"
#include "core/thread_contexts.h"

namespace keywright {
namespace {

constexpr Growth kGrowth = static_cast<Growth>(kAeadOverheadBytes);

// Precondition of both: sizes and overlaps were checked.

Status EncryptOne(GcmContext& gcm, const Key& key, Bytes plaintext, Bytes aad, MutableBytes out) {
  const auto nonce = out.first<kGcmNonceBytes>();
  if (const Status status = RandomNonce(nonce); status != Status::kOk) {
    return status;
  }
  const bool is_done = gcm.Start(key, nonce) && gcm.Authenticate(aad) &&
                       gcm.Process(plaintext, out.data() + kGcmNonceBytes) &&
                       gcm.FinishEncrypt(out.last<kGcmTagBytes>());
  return is_done ? Status::kOk : Fail(Status::kLibcryptoFailed);
}

Status DecryptOne(GcmContext& gcm, const Key& key, Bytes sealed, Bytes aad, MutableBytes out) {
  const Bytes ciphertext = sealed.subspan(kGcmNonceBytes, out.size());
  if (!gcm.Start(key, sealed.first<kGcmNonceBytes>())) {
    return Fail(Status::kLibcryptoFailed);
  }
  if (gcm.Authenticate(aad) && gcm.Process(ciphertext, out.data()) &&
      gcm.FinishDecrypt(sealed.last<kGcmTagBytes>())) {
    return Status::kOk;
  }
  Cleanse(out);
  return Fail(Status::kAuthenticationFailed);
}

Status CheckInputs(const Key& key, Bytes data, Bytes aad) {
  if (!IsAesGcm(key.type())) {
    return Status::kWrongKeyType;
  }
  return data.size() <= kMaxDataBytes && aad.size() <= kMaxDataBytes ? Status::kOk
                                                                     : Status::kInvalidArgument;
}

Status Check(const Key& key, Bytes data, Bytes aad, MutableBytes out, std::size_t needed) {
  if (const Status status = CheckInputs(key, data, aad); status != Status::kOk) {
    return status;
  }
  if (out.size() != needed || Overlaps(out, data) || Overlaps(out, aad)) {
    return Status::kInvalidArgument;
  }
  return Status::kOk;
}

}  // namespace

Status AeadEncrypt(const Key& key, Bytes plaintext, Bytes aad, MutableBytes out) {
  const Status status = Check(key, plaintext, aad, out, plaintext.size() + kAeadOverheadBytes);
  if (status != Status::kOk) {
    return status;
  }
  return EncryptOne(ThreadContexts::Current().aead_encrypt, key, plaintext, aad, out);
}

Status AeadDecrypt(const Key& key, Bytes sealed, Bytes aad, MutableBytes out) {
  if (const Status status = CheckInputs(key, sealed, aad); status != Status::kOk) {
    return status;
  }
  if (sealed.size() < kAeadOverheadBytes) {
    return Status::kAuthenticationFailed;
  }
  const Status status = Check(key, sealed, aad, out, sealed.size() - kAeadOverheadBytes);
  if (status != Status::kOk) {
    return status;
  }
  return DecryptOne(ThreadContexts::Current().aead_decrypt, key, sealed, aad, out);
}

Result<std::size_t> AeadEncryptBatch(const Key& key, const PackedItems& items, Bytes aad,
                                     const PackedOutput& out) {
  if (const Status status = CheckInputs(key, {}, aad); status != Status::kOk) {
    return status;
  }
  GcmContext& gcm = ThreadContexts::Current().aead_encrypt;
  return TransformEach(items, kGrowth, {aad}, out, [&](Bytes item, MutableBytes result) {
    return EncryptOne(gcm, key, item, aad, result);
  });
}

Result<std::size_t> AeadDecryptBatch(const Key& key, const PackedItems& items, Bytes aad,
                                     const PackedOutput& out) {
  if (const Status status = CheckInputs(key, {}, aad); status != Status::kOk) {
    return status;
  }
  GcmContext& gcm = ThreadContexts::Current().aead_decrypt;
  return TransformEach(items, -kGrowth, {aad}, out, [&](Bytes item, MutableBytes result) {
    if (item.size() < kAeadOverheadBytes) {
      return Status::kAuthenticationFailed;
    }
    return DecryptOne(gcm, key, item, aad, result);
  });
}

}  // namespace keywright
