#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "core/public_encryption.h"
#include "core/signature.h"
#include "napi/arguments.h"
#include "napi/functions.h"

namespace keywright {
namespace {

// (type)
std::int32_t GenerateKeyPairOf(Arguments& arguments) {
  const auto type = arguments.KeyTypeAt(0);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(arguments.environment(), GenerateKeyPair(*type));
}

using Import = Result<KeyPtr> (*)(KeyType, Bytes);

// (type, encoded)
template <Import kImport>
std::int32_t ImportPair(Arguments& arguments) {
  const auto type = arguments.KeyTypeAt(0);
  const Bytes encoded = arguments.BytesAt(1);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(arguments.environment(), kImport(*type, encoded));
}

// (key, out): bytes written
std::int32_t ExportPublicKeyInto(Arguments& arguments) {
  const MutableBytes out = arguments.WritableAt(1);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey) : CodeOf(ExportPublicKey(*key, out));
}

// Copies a secret to the front of `out`; the answer is its length.
std::int32_t Deliver(const Result<SecureBuffer>& secret, MutableBytes out) {
  if (!secret.ok()) {
    return CodeOf(secret.status());
  }
  const Bytes bytes = secret.value().bytes();
  if (bytes.size() > out.size()) {
    return CodeOf(Status::kBufferTooSmall);
  }
  CopyBytes(bytes, out);
  return CodeOf(Status::kOk, bytes.size());
}

// (key, out): bytes written
std::int32_t ExportPrivateKeyInto(Arguments& arguments) {
  const MutableBytes out = arguments.WritableAt(1);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey) : Deliver(ExportPrivateKey(*key), out);
}

// (key, algorithm, messageType, message, out): bytes written
std::int32_t SignInto(Arguments& arguments) {
  const auto algorithm = SignatureAlgorithmFromNumber(arguments.NumberAt(1));
  const auto message_type = MessageTypeFromNumber(arguments.NumberAt(2));
  const Bytes message = arguments.BytesAt(3);
  const MutableBytes out = arguments.WritableAt(4);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm || !message_type || Overlaps(out, message)) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey)
                        : CodeOf(Sign(*key, *algorithm, *message_type, message, out));
}

// (key, algorithm, messageType, message, signature): 1 or 0
std::int32_t VerifySignature(Arguments& arguments) {
  const auto algorithm = SignatureAlgorithmFromNumber(arguments.NumberAt(1));
  const auto message_type = MessageTypeFromNumber(arguments.NumberAt(2));
  const Bytes message = arguments.BytesAt(3);
  const Bytes signature = arguments.BytesAt(4);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm || !message_type) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const Result<bool> is_valid = Verify(*key, *algorithm, *message_type, message, signature);
  return is_valid.ok() ? CodeOf(Status::kOk, is_valid.value() ? 1 : 0) : CodeOf(is_valid.status());
}

// (key, algorithm, plaintext, out): bytes written
std::int32_t PublicEncryptInto(Arguments& arguments) {
  const auto algorithm = EncryptionAlgorithmFromNumber(arguments.NumberAt(1));
  const Bytes plaintext = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey)
                        : CodeOf(PublicEncrypt(*key, *algorithm, plaintext, out));
}

// (key, algorithm, ciphertext, out): bytes written
std::int32_t PrivateDecryptInto(Arguments& arguments) {
  const auto algorithm = EncryptionAlgorithmFromNumber(arguments.NumberAt(1));
  const Bytes ciphertext = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey)
                        : Deliver(PrivateDecrypt(*key, *algorithm, ciphertext), out);
}

// (key, peerPublicKey, out): bytes written
std::int32_t EcdhInto(Arguments& arguments) {
  const Bytes peer = arguments.BytesAt(1);
  const MutableBytes out = arguments.WritableAt(2);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey) : CodeOf(Ecdh(*key, peer, out));
}

// (key, sharedSecret, ciphertext)
std::int32_t EncapsulateInto(Arguments& arguments) {
  const MutableBytes shared_secret = arguments.WritableAt(1);
  const MutableBytes ciphertext = arguments.WritableAt(2);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey)
                        : CodeOf(Encapsulate(*key, shared_secret, ciphertext));
}

// (key, ciphertext, sharedSecret)
std::int32_t DecapsulateInto(Arguments& arguments) {
  const Bytes ciphertext = arguments.BytesAt(1);
  const MutableBytes shared_secret = arguments.WritableAt(2);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return key == nullptr ? CodeOf(Status::kDestroyedKey)
                        : CodeOf(Decapsulate(*key, ciphertext, shared_secret));
}

constexpr NamedFunction kFunctions[] = {
    {"generateKeyPair", Call<GenerateKeyPairOf>},
    {"importPrivateKey", Call<ImportPair<ImportPrivateKey>>},
    {"importPublicKey", Call<ImportPair<ImportPublicKey>>},
    {"exportPublicKeyInto", Call<ExportPublicKeyInto>},
    {"exportPrivateKeyInto", Call<ExportPrivateKeyInto>},
    {"signInto", Call<SignInto>},
    {"verify", Call<VerifySignature>},
    {"publicEncryptInto", Call<PublicEncryptInto>},
    {"privateDecryptInto", Call<PrivateDecryptInto>},
    {"ecdhInto", Call<EcdhInto>},
    {"encapsulateInto", Call<EncapsulateInto>},
    {"decapsulateInto", Call<DecapsulateInto>},
};

}  // namespace

std::span<const NamedFunction> AsymmetricFunctions() { return kFunctions; }

}  // namespace keywright
