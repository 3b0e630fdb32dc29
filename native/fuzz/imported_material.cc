// Key material that a customer brings, encrypted to a wrapping key.

#include <algorithm>
#include <array>

#include "core/asymmetric_type.h"
#include "core/import_key.h"
#include "core/key_pair_codec.h"
#include "core/public_encryption.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

// Ciphertexts as they came, or the encryption of what the input says.
enum Mode : std::uint8_t { kForeign, kEncrypted, kModes };

struct Call {
  WrappingAlgorithm algorithm;
  KeyType type;
  std::size_t length;
};

bool IsSm2(WrappingAlgorithm algorithm) { return algorithm == WrappingAlgorithm::kSm2Pke; }

const Key& WrappingKey(WrappingAlgorithm algorithm) {
  return FixedPair(IsSm2(algorithm) ? KeyType::kSm2 : KeyType::kRsa2048);
}

Call ReadCall(Input& input) {
  const WrappingAlgorithm algorithm = *WrappingAlgorithmFromNumber(input.Byte() % 6U + 1);
  const KeyType type = TypeFrom(input.Byte());
  return {.algorithm = algorithm, .type = type, .length = input.Number16()};
}

EncryptionAlgorithm EncryptionOf(WrappingAlgorithm algorithm) {
  switch (algorithm) {
    case WrappingAlgorithm::kRsaesOaepSha1:
    case WrappingAlgorithm::kRsaAesKeyWrapSha1:
      return EncryptionAlgorithm::kRsaesOaepSha1;
    case WrappingAlgorithm::kSm2Pke:
      return EncryptionAlgorithm::kSm2Pke;
    default:
      return EncryptionAlgorithm::kRsaesOaepSha256;
  }
}

bool HasKeyWrap(WrappingAlgorithm algorithm) {
  return algorithm == WrappingAlgorithm::kRsaAesKeyWrapSha1 ||
         algorithm == WrappingAlgorithm::kRsaAesKeyWrapSha256;
}

// Empty when the scheme does not take so many bytes.
Vector Encrypt(WrappingAlgorithm algorithm, Bytes plaintext) {
  Vector out(kMaxPublicCiphertextBytes);
  const Result<std::size_t> length =
      PublicEncrypt(WrappingKey(algorithm), EncryptionOf(algorithm), plaintext, out);
  return length.ok() ? Copy(Bytes(out).first(length.value())) : Vector();
}

Vector Wrapped(WrappingAlgorithm algorithm, Bytes kek, Bytes material) {
  if (!HasKeyWrap(algorithm)) {
    return Encrypt(algorithm, material);
  }
  const Vector inner = kek.size() == kAes256KeyBytes ? WrapBytes(kek, material, true) : Vector(16);
  return Concat({Encrypt(algorithm, kek), inner});
}

// Whether `key` is what an import of the bare material gives.
void CheckIsMaterial(const Call& call, const Key& key, Bytes material) {
  const Result<KeyPtr> direct = IsAsymmetric(call.type) ? ImportPrivateKey(call.type, material)
                                                        : Key::Import(call.type, material);
  Check(direct.ok(), "what can be imported encrypted can be imported");
  const Key& fingerprint_key = FixedKey(KeyType::kHmac);
  std::array<std::uint8_t, kFingerprintBytes> a;
  std::array<std::uint8_t, kFingerprintBytes> b;
  Check(MaterialFingerprint(fingerprint_key, key, a) == Status::kOk &&
            MaterialFingerprint(fingerprint_key, *direct.value(), b) == Status::kOk && a == b,
        "imported material is what was encrypted");
  Check(IsAsymmetric(call.type) || call.length == 0 || material.size() == call.length,
        "imported material has the length that was asked for");
}

void RunForeign(Input& input) {
  const Call call = ReadCall(input);
  const bool is_other_key = input.Byte() == 1;
  const Vector wrapped = input.Rest();
  const Key& wrapping_key = is_other_key
                                ? FixedPair(PairTypeFrom(wrapped.empty() ? 0 : wrapped.front()))
                                : WrappingKey(call.algorithm);
  const Result<KeyPtr> key =
      UnwrapImported(wrapping_key, call.algorithm, wrapped, call.type, call.length);
  CheckStatus(key.status(),
              {Status::kOk, Status::kAuthenticationFailed, Status::kInvalidKey,
               is_other_key ? Status::kWrongKeyType : Status::kOk},
              "UnwrapImported");
  Check(
      UnwrapImported(*PublicPartOf(wrapping_key), call.algorithm, wrapped, call.type, 0).status() ==
          Status::kWrongKeyType,
      "a public key unwraps nothing");
}

void RunEncrypted(Input& input) {
  const Call call = ReadCall(input);
  Input edits = input.Part(input.Byte() % 16);
  Vector kek = FixedBytes(KeyType::kAesKwp);
  kek.resize(kek.size() - input.Byte() % 33U);
  const Vector material = input.Rest();
  Vector wrapped = Wrapped(call.algorithm, kek, material);
  const bool is_changed = edits.Edit(wrapped);
  const Result<KeyPtr> key =
      UnwrapImported(WrappingKey(call.algorithm), call.algorithm, wrapped, call.type, call.length);
  CheckStatus(key.status(), {Status::kOk, Status::kAuthenticationFailed, Status::kInvalidKey},
              "UnwrapImported");
  // PKCS#1 v1.5 gives random bytes for what was not made for it (implicit rejection): they may be
  // a symmetric key. Changed DER may be another encoding of the same SM2 ciphertext.
  if (key.ok() && call.algorithm != WrappingAlgorithm::kRsaesPkcs1V15) {
    Check(!is_changed || IsSm2(call.algorithm), "a changed ciphertext is not imported");
    CheckIsMaterial(call, *key.value(), material);
  }
}

}  // namespace

void Run(Input input) {
  if (input.Byte() % kModes == kForeign) {
    RunForeign(input);
  } else {
    RunEncrypted(input);
  }
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  const Vector kek = FixedBytes(KeyType::kAesKwp);
  for (std::size_t algorithm = 0; algorithm < 6; ++algorithm) {
    const WrappingAlgorithm wrapping =
        *WrappingAlgorithmFromNumber(static_cast<std::uint32_t>(algorithm + 1));
    for (const std::size_t index : {0U, 3U, 7U, 9U, 15U, 18U}) {
      const KeyType type = TypeFrom(static_cast<std::uint8_t>(index));
      Vector material = FixedBytes(KeyType::kHmac);
      if (IsAsymmetric(type)) {
        const Result<SecureBuffer> exported = ExportPrivateKey(FixedPair(type));
        material = exported.ok() ? Copy(exported.value().bytes()) : Vector(32, 0xc3);
      }
      seeds.push_back(Output()
                          .Byte(kEncrypted)
                          .Byte(algorithm)
                          .Byte(index)
                          .Number16(0)
                          .Byte(0)
                          .Byte(0)
                          .Append(material)
                          .Done());
      const Vector wrapped = Wrapped(wrapping, kek, material);
      if (index > 7 && !wrapped.empty()) {
        seeds.push_back(Output()
                            .Byte(kForeign)
                            .Byte(algorithm)
                            .Byte(index)
                            .Number16(0)
                            .Byte(0)
                            .Append(wrapped)
                            .Done());
      }
    }
  }
  return seeds;
}

}  // namespace keywright::fuzz
