// SubjectPublicKeyInfos of somebody else, and what is done with the keys in them.

#include <algorithm>
#include <array>

#include "core/asymmetric_type.h"
#include "core/cms_envelope.h"
#include "core/der.h"
#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "core/library_context.h"
#include "core/public_encryption.h"
#include "core/signature.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

bool IsCompressed(const AsymmetricType& type, Bytes spki, Bytes exported) {
  return type.group != nullptr && spki.size() < exported.size();
}

void CheckCanonical(KeyType type, Bytes spki, const Key& key) {
  const Vector exported = ExportedPublicKey(key);
  Check(AreEqual(exported, spki) || IsCompressed(AsymmetricTypeOf(type), spki, exported),
        "a public key is exported as it was imported, but for compressed points");
  const Result<KeyPtr> again = ImportPublicKey(type, exported);
  Check(again.ok(), "an exported public key can be imported");
  Check(ExportedPublicKey(*again.value()) == exported, "the second export is the first");
  Vector too_small(exported.size() - 1);
  CheckStatus(ExportPublicKey(key, too_small).status(), {Status::kBufferTooSmall},
              "ExportPublicKey into too little room");
}

void CheckIsPublic(const Key& key) {
  Check(key.is_public(), "an imported public key is public");
  Check(ExportPrivateKey(key).status() == Status::kWrongKeyType &&
            PrivateFormOf(key).status() == Status::kWrongKeyType,
        "a public key has no private form");
  std::array<std::uint8_t, kMaxSharedSecretBytes> shared;
  Check(Ecdh(key, {}, shared).status() == Status::kWrongKeyType, "a public key agrees on nothing");
}

// The key passed the import: every operation must cope with it, whatever its numbers are.
void Use(const Key& key, Bytes spki) {
  const Vector junk(AsymmetricTypeOf(key.type()).bits / 8 + 64, 0x2a);
  for (std::uint32_t number = 1; number <= 13; ++number) {
    const Result<bool> is_valid =
        Verify(key, *SignatureAlgorithmFromNumber(number), MessageType::kRaw, junk, junk);
    CheckStatus(is_valid.status(), {Status::kOk, Status::kWrongKeyType, Status::kInvalidArgument},
                "Verify");
    Check(!is_valid.ok() || !is_valid.value(), "junk is no signature");
  }
  std::array<std::uint8_t, kMaxPublicCiphertextBytes> ciphertext;
  for (std::uint32_t number = 1; number <= 4; ++number) {
    // libcrypto refuses moduli and exponents that no RSA key has only now.
    CheckStatus(PublicEncrypt(key, *EncryptionAlgorithmFromNumber(number), Bytes(junk).first(16),
                              ciphertext)
                    .status(),
                {Status::kOk, Status::kWrongKeyType, Status::kInvalidArgument}, "PublicEncrypt");
  }
  if (AsymmetricTypeOf(key.type()).family == Family::kRsa) {
    CheckStatus(CmsEnvelope(spki, junk).status(), {Status::kOk}, "CmsEnvelope");
  }
  std::array<std::uint8_t, kKemSecretBytes> secret;
  Vector encapsulated(KemCiphertextBytes(key.type()));
  CheckStatus(Encapsulate(key, secret, encapsulated),
              {encapsulated.empty() ? Status::kWrongKeyType : Status::kOk}, "Encapsulate");
}

}  // namespace

void Run(Input input) {
  const KeyType type = PairTypeFrom(input.Byte());
  const Vector spki = input.Rest();
  const Result<KeyPtr> key = ImportPublicKey(type, spki);
  CheckStatus(key.status(), {Status::kOk, Status::kInvalidKey}, "ImportPublicKey");
  if (!key.ok()) {
    // It may be an RSA key of another size, whose numbers libcrypto refuses only when it encrypts.
    CheckStatus(CmsEnvelope(spki, {}).status(), {Status::kOk, Status::kInvalidKey}, "CmsEnvelope");
    return;
  }
  CheckCanonical(type, spki, *key.value());
  CheckIsPublic(*key.value());
  Use(*key.value(), spki);
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (std::size_t i = 0; i < std::size(kPairTypes); ++i) {
    const AsymmetricType& type = AsymmetricTypeOf(kPairTypes[i]);
    const KeyPtr fresh = GenerateKeyPair(kPairTypes[i]).value();
    Vector spki = ExportedPublicKey(*fresh);
    seeds.push_back(Output().Byte(i).Append(spki).Done());
    if (type.group == nullptr) {
      continue;
    }
    // The same point, compressed: the lengths of SEQUENCE and BIT STRING shrink with it.
    const Bytes point = Bytes(spki).last(type.public_bytes);
    const std::size_t half = type.public_bytes / 2;
    const std::uint8_t form = point.back() % 2 == 0 ? 2 : 3;
    // The hybrid form of X9.62, which must be refused.
    Vector hybrid = spki;
    hybrid[spki.size() - type.public_bytes] = static_cast<std::uint8_t>(form + 4);
    seeds.push_back(Output().Byte(i).Append(hybrid).Done());
    const std::uint8_t zero = 0;
    const DerBytes bits =
        DerValue(DerTag::kBitString, {{&zero, 1}, {&form, 1}, point.subspan(1, half)});
    seeds.push_back(Output()
                        .Byte(i)
                        .Append(DerValue(DerTag::kSequence, {AsBytes(type.algorithm), bits}))
                        .Done());
  }
  return seeds;
}

}  // namespace keywright::fuzz
