#include "core/data_key_pair.h"

#include <utility>

#include "core/asymmetric_type.h"
#include "core/key_pair_codec.h"
#include "core/message.h"

namespace keywright {

Result<DataKeyPair> GenerateDataKeyPair(const Key& key, Bytes header, Bytes context, KeyType type) {
  if (key.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  if (header.size() > kMaxHeaderBytes || context.size() > kMaxDataBytes || !IsAsymmetric(type) ||
      AsymmetricTypeOf(type).family == Family::kMlDsa) {
    return Status::kInvalidArgument;
  }
  const Result<KeyPtr> pair = GenerateKeyPair(type);
  if (!pair.ok()) {
    return pair.status();
  }
  std::vector<std::uint8_t> public_key(kMaxSpkiBytes);
  const Result<std::size_t> public_length = ExportPublicKey(*pair.value(), public_key);
  if (!public_length.ok()) {
    return public_length.status();
  }
  public_key.resize(public_length.value());
  Result<SecureBuffer> private_key = ExportPrivateKey(*pair.value());
  if (!private_key.ok()) {
    return private_key.status();
  }
  const Bytes plaintext = std::as_const(private_key.value()).bytes();
  std::vector<std::uint8_t> blob(header.size() + plaintext.size() + kMessageOverheadBytes);
  if (const Status status = MessageEncrypt(key, header, context, plaintext, blob);
      status != Status::kOk) {
    return status;
  }
  return DataKeyPair{.public_key = std::move(public_key),
                     .private_key = std::move(private_key).value(),
                     .blob = std::move(blob)};
}

}  // namespace keywright
