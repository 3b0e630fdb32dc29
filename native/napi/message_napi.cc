#include "core/data_key.h"
#include "core/message.h"
#include "napi/arguments.h"
#include "napi/functions.h"

namespace keywright {
namespace {

// (key, header, context, plaintext, out, outOffset)
std::int32_t EncryptMessageInto(Arguments& arguments) {
  const Bytes header = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const Bytes plaintext = arguments.BytesAt(3);
  const MutableBytes out = arguments.WritableAt(4);
  const std::size_t offset = arguments.NumberAt(5);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const std::size_t size = header.size() + plaintext.size() + kMessageOverheadBytes;
  const Result<MutableBytes> region = RegionOf(out, offset, size);
  if (!region.ok()) {
    return CodeOf(region.status());
  }
  return CodeOf(MessageEncrypt(*key, header, context, plaintext, region.value()), size);
}

// (key, headerLength, blob, context, out, outOffset)
std::int32_t DecryptMessageInto(Arguments& arguments) {
  const std::size_t header_length = arguments.NumberAt(1);
  const Bytes blob = arguments.BytesAt(2);
  const Bytes context = arguments.BytesAt(3);
  const MutableBytes out = arguments.WritableAt(4);
  const std::size_t offset = arguments.NumberAt(5);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const std::size_t overhead = header_length + kMessageOverheadBytes;
  const std::size_t size = blob.size() < overhead ? 0 : blob.size() - overhead;
  const Result<MutableBytes> region = RegionOf(out, offset, size);
  if (!region.ok()) {
    return CodeOf(region.status());
  }
  return CodeOf(MessageDecrypt(*key, header_length, blob, context, region.value()), size);
}

// (key, header, context, data, ends, out, outEnds)
std::int32_t EncryptMessageBatchInto(Arguments& arguments) {
  const Bytes header = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const PackedItems items{.data = arguments.BytesAt(3), .ends = arguments.Uint32ArrayAt(4)};
  const PackedOutput out{.data = arguments.WritableAt(5), .ends = arguments.Uint32ArrayAt(6)};
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(MessageEncryptBatch(*key, header, context, items, out));
}

// (key, headerLength, context, data, ends, out, outEnds)
std::int32_t DecryptMessageBatchInto(Arguments& arguments) {
  const std::size_t header_length = arguments.NumberAt(1);
  const Bytes context = arguments.BytesAt(2);
  const PackedItems items{.data = arguments.BytesAt(3), .ends = arguments.Uint32ArrayAt(4)};
  const PackedOutput out{.data = arguments.WritableAt(5), .ends = arguments.Uint32ArrayAt(6)};
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(MessageDecryptBatch(*key, header_length, context, items, out));
}

// (key, header, context, length, count, plaintexts, blobs)
std::int32_t GenerateDataKeysInto(Arguments& arguments) {
  const Bytes header = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const std::size_t length = arguments.NumberAt(3);
  const std::size_t count = arguments.NumberAt(4);
  const MutableBytes plaintexts = arguments.WritableAt(5);
  const MutableBytes blobs = arguments.WritableAt(6);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || count == 0 || length > kMaxDataKeyBytes) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  // Cannot overflow: both factors are at most 2^32.
  const Result<MutableBytes> plaintext_region = RegionOf(plaintexts, 0, count * length);
  const std::size_t blob_length = header.size() + length + kMessageOverheadBytes;
  // A division, because the length of a header is not bounded yet.
  if (!plaintext_region.ok() || blobs.size() / blob_length < count) {
    return CodeOf(Status::kBufferTooSmall);
  }
  return CodeOf(GenerateDataKeyBatch(*key, header, context, count, plaintext_region.value(),
                                     blobs.first(count * blob_length)));
}

// (key, header, context, length, blob)
std::int32_t GenerateDataKeyWithoutPlaintextInto(Arguments& arguments) {
  const Bytes header = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const std::size_t length = arguments.NumberAt(3);
  const MutableBytes blob = arguments.WritableAt(4);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(GenerateDataKeyWithoutPlaintext(*key, header, context, length, blob), blob.size());
}

constexpr NamedFunction kFunctions[] = {
    {"encryptMessageInto", Call<EncryptMessageInto>},
    {"decryptMessageInto", Call<DecryptMessageInto>},
    {"encryptMessageBatchInto", Call<EncryptMessageBatchInto>},
    {"decryptMessageBatchInto", Call<DecryptMessageBatchInto>},
    {"generateDataKeysInto", Call<GenerateDataKeysInto>},
    {"generateDataKeyWithoutPlaintextInto", Call<GenerateDataKeyWithoutPlaintextInto>},
};

}  // namespace

std::span<const NamedFunction> MessageFunctions() { return kFunctions; }

}  // namespace keywright
