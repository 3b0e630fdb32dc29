// Public-key encryption, key agreement and encapsulation with what somebody else sent.

#include <algorithm>
#include <array>

#include "core/asymmetric_type.h"
#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "core/public_encryption.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

enum Mode : std::uint8_t { kDecrypt, kEditedEncryption, kAgree, kDecapsulate, kEditedKem, kModes };

constexpr KeyType kDecrypters[] = {KeyType::kRsa2048, KeyType::kSm2, KeyType::kP256};
constexpr KeyType kAgreers[] = {KeyType::kP256, KeyType::kP384,      KeyType::kP521,
                                KeyType::kSm2,  KeyType::kSecp256k1, KeyType::kEd25519};
constexpr KeyType kKems[] = {KeyType::kMlKem512, KeyType::kMlKem768, KeyType::kMlKem1024,
                             KeyType::kMlDsa44};

template <std::size_t kSize>
const Key& Pick(const KeyType (&types)[kSize], std::uint8_t number) {
  return FixedPair(types[number % kSize]);
}

EncryptionAlgorithm ReadAlgorithm(Input& input) {
  return *EncryptionAlgorithmFromNumber(input.Byte() % 4U + 1);
}

void RunDecrypt(Input& input) {
  const Key& key = Pick(kDecrypters, input.Byte());
  const EncryptionAlgorithm algorithm = ReadAlgorithm(input);
  const Vector ciphertext = input.Rest();
  const Result<SecureBuffer> plaintext = PrivateDecrypt(key, algorithm, ciphertext);
  const bool is_of_key =
      key.type() == KeyType::kSm2
          ? algorithm == EncryptionAlgorithm::kSm2Pke
          : key.type() == KeyType::kRsa2048 && algorithm != EncryptionAlgorithm::kSm2Pke;
  if (!is_of_key) {
    CheckStatus(plaintext.status(), {Status::kWrongKeyType}, "PrivateDecrypt of another key");
    return;
  }
  CheckStatus(plaintext.status(), {Status::kOk, Status::kAuthenticationFailed}, "PrivateDecrypt");
  Check(!plaintext.ok() || plaintext.value().size() < ciphertext.size(),
        "a plaintext is shorter than its ciphertext");
}

void RunEditedEncryption(Input& input) {
  const Key& key = Pick(kDecrypters, input.Byte());
  const EncryptionAlgorithm algorithm = ReadAlgorithm(input);
  Input edits = input.Part(input.Byte() % 16);
  const Vector plaintext = input.Rest();
  Vector room(kMaxPublicCiphertextBytes);
  const Result<std::size_t> length = PublicEncrypt(key, algorithm, plaintext, room);
  CheckStatus(length.status(), {Status::kOk, Status::kWrongKeyType, Status::kInvalidArgument},
              "PublicEncrypt");
  if (!length.ok()) {
    return;
  }
  Vector ciphertext = Copy(Bytes(room).first(length.value()));
  const bool is_changed = edits.Edit(ciphertext);
  const Result<SecureBuffer> opened = PrivateDecrypt(key, algorithm, ciphertext);
  CheckStatus(opened.status(), {Status::kOk, Status::kAuthenticationFailed}, "PrivateDecrypt");
  Check(is_changed || opened.ok(), "what was encrypted can be decrypted");
  Check(!opened.ok() || AreEqual(opened.value().bytes(), plaintext),
        "a ciphertext opens to nothing but its plaintext");
  Check(!is_changed || !opened.ok() || algorithm == EncryptionAlgorithm::kSm2Pke,
        "a changed RSA ciphertext does not open");
}

void RunAgree(Input& input) {
  const Key& key = Pick(kAgreers, input.Byte());
  const Vector peer = input.Rest();
  std::array<std::uint8_t, kMaxSharedSecretBytes> shared{};
  const Result<std::size_t> length = Ecdh(key, peer, shared);
  if (key.type() == KeyType::kSecp256k1 || key.type() == KeyType::kEd25519) {
    CheckStatus(length.status(), {Status::kWrongKeyType}, "Ecdh of another type");
    return;
  }
  CheckStatus(length.status(), {Status::kOk, Status::kInvalidKey}, "Ecdh");
  const Result<KeyPtr> peer_key = ImportPublicKey(key.type(), peer);
  Check(length.ok() == peer_key.ok(), "a key can be agreed on with every public key of the curve");
  if (!length.ok()) {
    return;
  }
  Check(length.value() == AsymmetricTypeOf(key.type()).public_bytes / 2,
        "a shared secret is as wide as the field");
  std::array<std::uint8_t, kMaxSharedSecretBytes> again{};
  Check(Ecdh(key, ExportedPublicKey(*peer_key.value()), again).ok() && shared == again,
        "every form of a point gives the same secret");
}

void RunDecapsulate(Input& input) {
  const Key& key = Pick(kKems, input.Byte());
  const Vector ciphertext = input.Rest();
  std::array<std::uint8_t, kKemSecretBytes> shared{};
  std::array<std::uint8_t, kKemSecretBytes> again{};
  const Status status = Decapsulate(key, ciphertext, shared);
  if (KemCiphertextBytes(key.type()) == 0) {
    CheckStatus(status, {Status::kWrongKeyType}, "Decapsulate of another type");
    return;
  }
  const bool has_length = ciphertext.size() == KemCiphertextBytes(key.type());
  CheckStatus(status, {has_length ? Status::kOk : Status::kInvalidArgument}, "Decapsulate");
  Check(Decapsulate(key, ciphertext, again) == status && shared == again,
        "a ciphertext gives one secret");
}

void RunEditedKem(Input& input) {
  const Key& key = Pick(kKems, input.Byte());
  if (KemCiphertextBytes(key.type()) == 0) {
    return;
  }
  std::array<std::uint8_t, kKemSecretBytes> shared;
  std::array<std::uint8_t, kKemSecretBytes> opened;
  Vector ciphertext(KemCiphertextBytes(key.type()));
  CheckStatus(Encapsulate(key, shared, ciphertext), {Status::kOk}, "Encapsulate");
  const bool is_changed = input.Edit(ciphertext);
  const Status status = Decapsulate(key, ciphertext, opened);
  CheckStatus(status, {Status::kOk, Status::kInvalidArgument}, "Decapsulate");
  if (status == Status::kOk) {
    Check((shared == opened) == !is_changed, "a changed ciphertext gives another secret");
  }
}

}  // namespace

void Run(Input input) {
  switch (input.Byte() % kModes) {
    case kDecrypt:
      return RunDecrypt(input);
    case kEditedEncryption:
      return RunEditedEncryption(input);
    case kAgree:
      return RunAgree(input);
    case kDecapsulate:
      return RunDecapsulate(input);
    default:
      return RunEditedKem(input);
  }
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t algorithm = 0; algorithm < 3; ++algorithm) {
      const Vector plaintext(i * 20 + algorithm + 1, 0x70);
      Vector room(kMaxPublicCiphertextBytes);
      const Result<std::size_t> length =
          PublicEncrypt(FixedPair(kDecrypters[i]),
                        *EncryptionAlgorithmFromNumber(static_cast<std::uint32_t>(algorithm + 1)),
                        plaintext, room);
      if (length.ok()) {
        seeds.push_back(Output()
                            .Byte(kDecrypt)
                            .Byte(i)
                            .Byte(algorithm)
                            .Append(Bytes(room).first(length.value()))
                            .Done());
        seeds.push_back(Output()
                            .Byte(kEditedEncryption)
                            .Byte(i)
                            .Byte(algorithm)
                            .Byte(5)
                            .Byte(1)
                            .Byte(3)
                            .Number16(9)
                            .Byte(1)
                            .Append(plaintext)
                            .Done());
      }
    }
  }
  seeds.push_back(Output().Byte(kDecrypt).Byte(0).Byte(3).Append(Vector(256, 0x11)).Done());
  for (std::size_t i = 0; i < std::size(kAgreers); ++i) {
    seeds.push_back(
        Output().Byte(kAgree).Byte(i).Append(ExportedPublicKey(FixedPair(kAgreers[i]))).Done());
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const Vector ciphertext(KemCiphertextBytes(kKems[i]), 0x33);
    seeds.push_back(Output().Byte(kDecapsulate).Byte(i).Append(ciphertext).Done());
    seeds.push_back(Output().Byte(kEditedKem).Byte(i).Byte(0).Done());
    seeds.push_back(Output().Byte(kEditedKem).Byte(i).Byte(1).Byte(3).Number16(9).Byte(1).Done());
  }
  return seeds;
}

}  // namespace keywright::fuzz
