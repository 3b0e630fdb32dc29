#include "core/message.h"

#include "core/kdf.h"

namespace keywright {
namespace {

// Precondition of both: sizes and overlaps were checked.

Status EncryptOne(const Key& key, Bytes header, Bytes context, Bytes plaintext, MutableBytes blob) {
  CopyBytes(header, blob);
  const Binding binding{.label = kMessageLabel, .aad_prefix = header, .aad = context};
  return CommittingEncrypt(key, binding, plaintext, blob.subspan(header.size()));
}

Status DecryptOne(const Key& key, std::size_t header_length, Bytes blob, Bytes context,
                  MutableBytes plaintext) {
  if (blob.size() < header_length + kMessageOverheadBytes) {
    return Status::kAuthenticationFailed;
  }
  const Binding binding{
      .label = kMessageLabel, .aad_prefix = blob.first(header_length), .aad = context};
  return CommittingDecrypt(key, binding, blob.subspan(header_length), plaintext);
}

Status CheckInputs(const Key& key, std::size_t header_length, Bytes context, Bytes data) {
  if (key.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  const bool fits = header_length <= kMaxHeaderBytes && context.size() <= kMaxDataBytes &&
                    data.size() <= kMaxDataBytes;
  return fits ? Status::kOk : Status::kInvalidArgument;
}

Growth GrowthWith(std::size_t header_length) {
  return static_cast<Growth>(header_length + kMessageOverheadBytes);
}

}  // namespace

Status MessageEncrypt(const Key& key, Bytes header, Bytes context, Bytes plaintext,
                      MutableBytes blob) {
  if (const Status status = CheckInputs(key, header.size(), context, plaintext);
      status != Status::kOk) {
    return status;
  }
  if (blob.size() != header.size() + plaintext.size() + kMessageOverheadBytes ||
      Overlaps(blob, header) || Overlaps(blob, context) || Overlaps(blob, plaintext)) {
    return Status::kInvalidArgument;
  }
  return EncryptOne(key, header, context, plaintext, blob);
}

Status MessageDecrypt(const Key& key, std::size_t header_length, Bytes blob, Bytes context,
                      MutableBytes plaintext) {
  if (const Status status = CheckInputs(key, header_length, context, blob); status != Status::kOk) {
    return status;
  }
  if (blob.size() < header_length + kMessageOverheadBytes) {
    return Status::kAuthenticationFailed;
  }
  if (plaintext.size() != blob.size() - header_length - kMessageOverheadBytes ||
      Overlaps(plaintext, blob) || Overlaps(plaintext, context)) {
    return Status::kInvalidArgument;
  }
  return DecryptOne(key, header_length, blob, context, plaintext);
}

Result<std::size_t> MessageEncryptBatch(const Key& key, Bytes header, Bytes context,
                                        const PackedItems& items, const PackedOutput& out) {
  if (const Status status = CheckInputs(key, header.size(), context, {}); status != Status::kOk) {
    return status;
  }
  return TransformEach(items, GrowthWith(header.size()), {header, context}, out,
                       [&](Bytes item, MutableBytes result) {
                         return EncryptOne(key, header, context, item, result);
                       });
}

Result<std::size_t> MessageDecryptBatch(const Key& key, std::size_t header_length, Bytes context,
                                        const PackedItems& items, const PackedOutput& out) {
  if (const Status status = CheckInputs(key, header_length, context, {}); status != Status::kOk) {
    return status;
  }
  return TransformEach(items, -GrowthWith(header_length), {context}, out,
                       [&](Bytes item, MutableBytes result) {
                         return DecryptOne(key, header_length, item, context, result);
                       });
}

}  // namespace keywright
