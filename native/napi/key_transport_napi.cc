#include "core/cms_envelope.h"
#include "core/data_key_pair.h"
#include "core/import_key.h"
#include "napi/arguments.h"
#include "napi/functions.h"

namespace keywright {
namespace {

// (wrappingKey, algorithm, wrapped, type, length)
std::int32_t UnwrapImportedOf(Arguments& arguments) {
  const auto algorithm = WrappingAlgorithmFromNumber(arguments.NumberAt(1));
  const Bytes wrapped = arguments.BytesAt(2);
  const auto type = arguments.KeyTypeAt(3);
  const std::size_t length = arguments.NumberAt(4);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(arguments.environment(), UnwrapImported(*key, *algorithm, wrapped, *type, length));
}

// (fingerprintKey, key, out)
std::int32_t MaterialFingerprintInto(Arguments& arguments) {
  const Key* fingerprint_key = arguments.KeyAt(0);
  const Key* key = arguments.KeyAt(1);
  const MutableBytes out = arguments.WritableAt(2);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (fingerprint_key == nullptr || key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(MaterialFingerprint(*fingerprint_key, *key, out), out.size());
}

// (recipientPublicKey, plaintext, out): bytes written
std::int32_t CmsEnvelopeInto(Arguments& arguments) {
  const Bytes recipient = arguments.BytesAt(0);
  const Bytes plaintext = arguments.BytesAt(1);
  const MutableBytes out = arguments.WritableAt(2);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  const Result<std::vector<std::uint8_t>> envelope = CmsEnvelope(recipient, plaintext);
  if (!envelope.ok()) {
    return CodeOf(envelope.status());
  }
  if (envelope.value().size() > out.size()) {
    return CodeOf(Status::kBufferTooSmall);
  }
  CopyBytes(envelope.value(), out);
  return CodeOf(Status::kOk, envelope.value().size());
}

// (key, header, context, type, publicKey, privateKey, blob, lengths): the bytes written of the
// three outputs in `lengths`; no private key when `privateKey` is empty
std::int32_t GenerateDataKeyPairInto(Arguments& arguments) {
  const Bytes header = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const auto type = arguments.KeyTypeAt(3);
  const MutableBytes public_key = arguments.WritableAt(4);
  const MutableBytes private_key = arguments.WritableAt(5);
  const MutableBytes blob = arguments.WritableAt(6);
  const std::span<std::uint32_t> lengths = arguments.Uint32ArrayAt(7);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !type || lengths.size() != 3) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const Result<DataKeyPair> result = GenerateDataKeyPair(*key, header, context, *type);
  if (!result.ok()) {
    return CodeOf(result.status());
  }
  const DataKeyPair& pair = result.value();
  const Bytes secret = private_key.empty() ? Bytes() : pair.private_key.bytes();
  if (pair.public_key.size() > public_key.size() || secret.size() > private_key.size() ||
      pair.blob.size() > blob.size()) {
    return CodeOf(Status::kBufferTooSmall);
  }
  CopyBytes(pair.public_key, public_key);
  CopyBytes(secret, private_key);
  CopyBytes(pair.blob, blob);
  lengths[0] = static_cast<std::uint32_t>(pair.public_key.size());
  lengths[1] = static_cast<std::uint32_t>(secret.size());
  lengths[2] = static_cast<std::uint32_t>(pair.blob.size());
  return CodeOf(Status::kOk);
}

constexpr NamedFunction kFunctions[] = {
    {"unwrapImported", Call<UnwrapImportedOf>},
    {"materialFingerprintInto", Call<MaterialFingerprintInto>},
    {"cmsEnvelopeInto", Call<CmsEnvelopeInto>},
    {"generateDataKeyPairInto", Call<GenerateDataKeyPairInto>},
};

}  // namespace

std::span<const NamedFunction> KeyTransportFunctions() { return kFunctions; }

}  // namespace keywright
