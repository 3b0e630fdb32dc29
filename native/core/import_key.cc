#include "core/import_key.h"

#include <string_view>
#include <utility>

#include "core/asymmetric_type.h"
#include "core/key_pair_codec.h"
#include "core/mac.h"
#include "core/public_encryption.h"
#include "core/secret_form.h"
#include "core/secure_buffer.h"
#include "core/semiblock_wrap.h"

namespace keywright {
namespace {

constexpr std::string_view kFingerprintLabel = "keywright/material/v1";

struct WrappingTraits {
  EncryptionAlgorithm encryption;
  bool has_key_wrap;
};

constexpr WrappingTraits kTraits[] = {
    {EncryptionAlgorithm::kRsaesOaepSha1, false}, {EncryptionAlgorithm::kRsaesOaepSha256, false},
    {EncryptionAlgorithm::kRsaesOaepSha1, true},  {EncryptionAlgorithm::kRsaesOaepSha256, true},
    {EncryptionAlgorithm::kRsaesPkcs1, false},    {EncryptionAlgorithm::kSm2Pke, false},
};

Result<SecureBuffer> Decrypt(const Key& wrapping_key, const WrappingTraits& traits, Bytes wrapped) {
  if (!traits.has_key_wrap) {
    return PrivateDecrypt(wrapping_key, traits.encryption, wrapped);
  }
  // The traits of a type that is not RSA have no modulus; PrivateDecrypt then refuses the key.
  const std::size_t modulus =
      IsAsymmetric(wrapping_key.type()) ? AsymmetricTypeOf(wrapping_key.type()).bits / 8 : 0;
  const std::size_t head = std::min(modulus, wrapped.size());
  const Result<SecureBuffer> kek =
      PrivateDecrypt(wrapping_key, traits.encryption, wrapped.first(head));
  if (!kek.ok()) {
    return kek.status();
  }
  const Bytes kek_bytes = kek.value().bytes();
  if (kek_bytes.size() != kAes256KeyBytes) {
    return Status::kAuthenticationFailed;
  }
  const Bytes material = wrapped.subspan(head);
  if (material.size() > kMaxSecretFormBytes + 2 * kSemiblockBytes) {
    return Status::kAuthenticationFailed;
  }
  return UnwrapSecret(kek_bytes.first<kAes256KeyBytes>(), WrapPadding::kPadded, material);
}

}  // namespace

std::optional<WrappingAlgorithm> WrappingAlgorithmFromNumber(std::uint32_t number) {
  if (number < 1 || number > std::size(kTraits)) {
    return std::nullopt;
  }
  return static_cast<WrappingAlgorithm>(number);
}

Result<KeyPtr> UnwrapImported(const Key& wrapping_key, WrappingAlgorithm algorithm, Bytes wrapped,
                              KeyType type, std::size_t length) {
  const WrappingTraits& traits = kTraits[static_cast<std::size_t>(algorithm) - 1];
  Result<SecureBuffer> material = Decrypt(wrapping_key, traits, wrapped);
  if (!material.ok()) {
    return material.status();
  }
  if (IsAsymmetric(type)) {
    return ImportPrivateKey(type, material.value().bytes());
  }
  const std::size_t size = material.value().size();
  if (!IsKeyLength(type, size) || (length != 0 && size != length)) {
    return Status::kInvalidKey;
  }
  // A copy of its own size: the buffer of the decryption is as long as the ciphertext.
  return Key::Import(type, material.value().bytes());
}

Status MaterialFingerprint(const Key& fingerprint_key, const Key& key, MutableBytes out) {
  if (out.size() != kFingerprintBytes) {
    return Status::kInvalidArgument;
  }
  const Result<SecretForm> form = SecretForm::Of(key);
  if (!form.ok()) {
    return form.status();
  }
  const std::size_t prefix = kFingerprintLabel.size() + 2;
  Result<SecureBuffer> input = SecureBuffer::Allocate(prefix + form.value().size());
  if (!input.ok()) {
    return input.status();
  }
  const MutableBytes bytes = input.value().bytes();
  CopyBytes(AsBytes(kFingerprintLabel), bytes);
  bytes[prefix - 1] = static_cast<std::uint8_t>(key.type());
  CopyBytes(form.value().bytes(), bytes.subspan(prefix));
  return Hmac(fingerprint_key, DigestAlgorithm::kSha256, bytes, out);
}

}  // namespace keywright
