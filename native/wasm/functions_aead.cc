#include "core/aead.h"
#include "core/data_key.h"
#include "core/message.h"
#include "wasm/slots.h"

namespace keywright {
namespace {

using Ends = std::span<const std::uint32_t>;
using MutableEnds = std::span<std::uint32_t>;

constexpr std::size_t Without(std::size_t size, std::size_t overhead) {
  return size < overhead ? 0 : size - overhead;
}

// Runs `work` on the first `size` bytes of `out`, and gives `size` when that went well.
template <typename Work>
Result<std::size_t> WriteInto(const Region& out, std::size_t size, Work work) {
  if (size > out.bytes.size()) {
    return Status::kBufferTooSmall;
  }
  if (const Status status = work(out.bytes.first(size)); status != Status::kOk) {
    return status;
  }
  return size;
}

Result<std::size_t> EncryptInto(const Key& key, Bytes plaintext, Bytes aad, Region out) {
  return WriteInto(out, plaintext.size() + kAeadOverheadBytes,
                   [&](MutableBytes sealed) { return AeadEncrypt(key, plaintext, aad, sealed); });
}

Result<std::size_t> DecryptInto(const Key& key, Bytes sealed, Bytes aad, Region out) {
  return WriteInto(out, Without(sealed.size(), kAeadOverheadBytes), [&](MutableBytes plaintext) {
    return AeadDecrypt(key, sealed, aad, plaintext);
  });
}

template <auto kBatch>
Result<std::size_t> BatchInto(const Key& key, Bytes data, Ends ends, Bytes aad, MutableBytes out,
                              MutableEnds out_ends) {
  return kBatch(key, {.data = data, .ends = ends}, aad, {.data = out, .ends = out_ends});
}

Result<std::size_t> EncryptMessageInto(const Key& key, Bytes header, Bytes context, Bytes plaintext,
                                       Region out) {
  const std::size_t size = header.size() + plaintext.size() + kMessageOverheadBytes;
  return WriteInto(out, size, [&](MutableBytes blob) {
    return MessageEncrypt(key, header, context, plaintext, blob);
  });
}

// `header_length` is 32 bits wide here, and so is std::size_t: the sum with the overhead is only
// made once the blob is known to be longer.
Result<std::size_t> DecryptMessageInto(const Key& key, std::size_t header_length, Bytes blob,
                                       Bytes context, Region out) {
  const std::size_t size = Without(Without(blob.size(), kMessageOverheadBytes), header_length);
  return WriteInto(out, size, [&](MutableBytes plaintext) {
    return MessageDecrypt(key, header_length, blob, context, plaintext);
  });
}

Result<std::size_t> EncryptMessageBatchInto(const Key& key, Bytes header, Bytes context, Bytes data,
                                            Ends ends, MutableBytes out, MutableEnds out_ends) {
  return MessageEncryptBatch(key, header, context, {.data = data, .ends = ends},
                             {.data = out, .ends = out_ends});
}

Result<std::size_t> DecryptMessageBatchInto(const Key& key, std::size_t header_length,
                                            Bytes context, Bytes data, Ends ends, MutableBytes out,
                                            MutableEnds out_ends) {
  return MessageDecryptBatch(key, header_length, context, {.data = data, .ends = ends},
                             {.data = out, .ends = out_ends});
}

Status GenerateDataKeysInto(const Key& key, Bytes header, Bytes context, std::size_t length,
                            std::size_t count, MutableBytes plaintexts, MutableBytes blobs) {
  if (count == 0 || length > kMaxDataKeyBytes) {
    return Status::kInvalidArgument;
  }
  const std::size_t blob_length = header.size() + length + kMessageOverheadBytes;
  // Divisions, because the products may not fit.
  if ((length != 0 && plaintexts.size() / length < count) || blobs.size() / blob_length < count) {
    return Status::kBufferTooSmall;
  }
  return GenerateDataKeyBatch(key, header, context, count, plaintexts.first(count * length),
                              blobs.first(count * blob_length));
}

}  // namespace
}  // namespace keywright

KEYWRIGHT_EXPORT(encryptInto, keywright::EncryptInto)
KEYWRIGHT_EXPORT(decryptInto, keywright::DecryptInto)
KEYWRIGHT_EXPORT(encryptBatchInto, keywright::BatchInto<keywright::AeadEncryptBatch>)
KEYWRIGHT_EXPORT(decryptBatchInto, keywright::BatchInto<keywright::AeadDecryptBatch>)
KEYWRIGHT_EXPORT(encryptMessageInto, keywright::EncryptMessageInto)
KEYWRIGHT_EXPORT(decryptMessageInto, keywright::DecryptMessageInto)
KEYWRIGHT_EXPORT(encryptMessageBatchInto, keywright::EncryptMessageBatchInto)
KEYWRIGHT_EXPORT(decryptMessageBatchInto, keywright::DecryptMessageBatchInto)
KEYWRIGHT_EXPORT(generateDataKeysInto, keywright::GenerateDataKeysInto)
KEYWRIGHT_EXPORT(generateDataKeyWithoutPlaintextInto, keywright::GenerateDataKeyWithoutPlaintext)
