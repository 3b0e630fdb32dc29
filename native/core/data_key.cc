#include "core/data_key.h"

#include "core/message.h"
#include "core/random.h"
#include "core/secure_buffer.h"

namespace keywright {

Status GenerateDataKey(const Key& key, Bytes header, Bytes context, MutableBytes plaintext,
                       MutableBytes blob) {
  return GenerateDataKeyBatch(key, header, context, 1, plaintext, blob);
}

Status GenerateDataKeyWithoutPlaintext(const Key& key, Bytes header, Bytes context,
                                       std::size_t length, MutableBytes blob) {
  if (length > kMaxDataKeyBytes) {
    return Status::kInvalidArgument;
  }
  SecretArray<kMaxDataKeyBytes> plaintext;
  return GenerateDataKey(key, header, context, plaintext.bytes().first(length), blob);
}

Status GenerateDataKeyBatch(const Key& key, Bytes header, Bytes context, std::size_t count,
                            MutableBytes plaintexts, MutableBytes blobs) {
  if (key.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  if (count == 0 || plaintexts.size() % count != 0 || header.size() > kMaxHeaderBytes) {
    return Status::kInvalidArgument;
  }
  const std::size_t length = plaintexts.size() / count;
  const std::size_t blob_length = header.size() + length + kMessageOverheadBytes;
  if (length == 0 || length > kMaxDataKeyBytes || blobs.size() / count != blob_length ||
      blobs.size() % count != 0 || Overlaps(plaintexts, header) || Overlaps(plaintexts, context) ||
      Overlaps(blobs, header) || Overlaps(blobs, context) || Overlaps(blobs, plaintexts)) {
    return Status::kInvalidArgument;
  }
  Status status = RandomSecret(plaintexts);
  for (std::size_t i = 0; i < count && status == Status::kOk; ++i) {
    status = MessageEncrypt(key, header, context, plaintexts.subspan(i * length, length),
                            blobs.subspan(i * blob_length, blob_length));
  }
  if (status != Status::kOk) {
    Cleanse(plaintexts);
  }
  return status;
}

}  // namespace keywright
