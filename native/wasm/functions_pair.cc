#include "core/cms_envelope.h"
#include "core/data_key_pair.h"
#include "core/import_key.h"
#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "core/public_encryption.h"
#include "core/signature.h"
#include "wasm/slots.h"

namespace keywright {

template <>
inline constexpr auto kFromNumber<SignatureAlgorithm> = SignatureAlgorithmFromNumber;
template <>
inline constexpr auto kFromNumber<MessageType> = MessageTypeFromNumber;
template <>
inline constexpr auto kFromNumber<EncryptionAlgorithm> = EncryptionAlgorithmFromNumber;
template <>
inline constexpr auto kFromNumber<WrappingAlgorithm> = WrappingAlgorithmFromNumber;

namespace {

// Copies a result that the core allocated to the front of `out`, and gives its length.
Result<std::size_t> Deliver(Bytes bytes, MutableBytes out) {
  if (bytes.size() > out.size()) {
    return Status::kBufferTooSmall;
  }
  CopyBytes(bytes, out);
  return bytes.size();
}

Result<std::size_t> Deliver(const Result<SecureBuffer>& secret, MutableBytes out) {
  return secret.ok() ? Deliver(secret.value().bytes(), out) : secret.status();
}

Result<std::size_t> ExportPrivateKeyInto(const Key& key, MutableBytes out) {
  return Deliver(ExportPrivateKey(key), out);
}

Result<std::size_t> SignInto(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                             Bytes message, MutableBytes out) {
  if (Overlaps(out, message)) {
    return Status::kInvalidArgument;
  }
  return Sign(key, algorithm, message_type, message, out);
}

Result<std::size_t> PrivateDecryptInto(const Key& key, EncryptionAlgorithm algorithm,
                                       Bytes ciphertext, MutableBytes out) {
  return Deliver(PrivateDecrypt(key, algorithm, ciphertext), out);
}

Result<std::size_t> CmsEnvelopeInto(Bytes recipient, Bytes plaintext, MutableBytes out) {
  const Result<std::vector<std::uint8_t>> envelope = CmsEnvelope(recipient, plaintext);
  return envelope.ok() ? Deliver(envelope.value(), out) : envelope.status();
}

// The bytes written of the three outputs go to `lengths`; no private key when `private_key` is
// empty.
Status GenerateDataKeyPairInto(const Key& key, Bytes header, Bytes context, KeyType type,
                               MutableBytes public_key, MutableBytes private_key, MutableBytes blob,
                               std::span<std::uint32_t> lengths) {
  if (lengths.size() != 3) {
    return Status::kInvalidArgument;
  }
  const Result<DataKeyPair> result = GenerateDataKeyPair(key, header, context, type);
  if (!result.ok()) {
    return result.status();
  }
  const DataKeyPair& pair = result.value();
  const Bytes secret = private_key.empty() ? Bytes() : pair.private_key.bytes();
  if (pair.public_key.size() > public_key.size() || secret.size() > private_key.size() ||
      pair.blob.size() > blob.size()) {
    return Status::kBufferTooSmall;
  }
  CopyBytes(pair.public_key, public_key);
  CopyBytes(secret, private_key);
  CopyBytes(pair.blob, blob);
  lengths[0] = static_cast<std::uint32_t>(pair.public_key.size());
  lengths[1] = static_cast<std::uint32_t>(secret.size());
  lengths[2] = static_cast<std::uint32_t>(pair.blob.size());
  return Status::kOk;
}

}  // namespace
}  // namespace keywright

KEYWRIGHT_EXPORT(generateKeyPair, keywright::GenerateKeyPair)
KEYWRIGHT_EXPORT(importPrivateKey, keywright::ImportPrivateKey)
KEYWRIGHT_EXPORT(importPublicKey, keywright::ImportPublicKey)
KEYWRIGHT_EXPORT(exportPublicKeyInto, keywright::ExportPublicKey)
KEYWRIGHT_EXPORT(exportPrivateKeyInto, keywright::ExportPrivateKeyInto)
KEYWRIGHT_EXPORT(signInto, keywright::SignInto)
KEYWRIGHT_EXPORT(verify, keywright::Verify)
KEYWRIGHT_EXPORT(publicEncryptInto, keywright::PublicEncrypt)
KEYWRIGHT_EXPORT(privateDecryptInto, keywright::PrivateDecryptInto)
KEYWRIGHT_EXPORT(ecdhInto, keywright::Ecdh)
KEYWRIGHT_EXPORT(encapsulateInto, keywright::Encapsulate)
KEYWRIGHT_EXPORT(decapsulateInto, keywright::Decapsulate)
KEYWRIGHT_EXPORT(unwrapImported, keywright::UnwrapImported)
KEYWRIGHT_EXPORT(materialFingerprintInto, keywright::MaterialFingerprint)
KEYWRIGHT_EXPORT(cmsEnvelopeInto, keywright::CmsEnvelopeInto)
KEYWRIGHT_EXPORT(generateDataKeyPairInto, keywright::GenerateDataKeyPairInto)
