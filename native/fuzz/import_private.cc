// Private keys of somebody else.

#include <openssl/core_names.h>

#include <array>

#include "core/asymmetric_type.h"
#include "core/der.h"
#include "core/key_access.h"
#include "core/key_pair_codec.h"
#include "core/signature.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

void CheckExport(KeyType type, const Key& key) {
  const Result<SecureBuffer> exported = ExportPrivateKey(key);
  if (AsymmetricTypeOf(type).family == Family::kMlDsa) {
    CheckStatus(exported.status(), {Status::kWrongKeyType}, "ExportPrivateKey of ML-DSA");
    return;
  }
  if (AsymmetricTypeOf(type).family == Family::kMlKem && !exported.ok()) {
    // A key that came expanded has no seed to export.
    CheckStatus(exported.status(), {Status::kLibcryptoFailed}, "ExportPrivateKey of ML-KEM");
    return;
  }
  CheckStatus(exported.status(), {Status::kOk}, "ExportPrivateKey");
  const Bytes bytes = exported.value().bytes();
  Check(bytes.size() <= kMaxPkcs8Bytes, "an exported key is as short as is promised");
  const Result<KeyPtr> again = ImportPrivateKey(type, bytes);
  Check(again.ok(), "an exported private key can be imported");
  const Result<SecureBuffer> second = ExportPrivateKey(*again.value());
  Check(second.ok() && AreEqual(second.value().bytes(), bytes), "the second export is the first");
  Check(ExportedPublicKey(*again.value()) == ExportedPublicKey(key),
        "export and import keep the public key");
}

void CheckPrivateForm(KeyType type, const Key& key) {
  const Result<SecureBuffer> form = PrivateFormOf(key);
  CheckStatus(form.status(), {Status::kOk}, "PrivateFormOf");
  const Bytes bytes = form.value().bytes();
  Check(IsPrivateFormLength(type, bytes.size()), "a private form has a length of its type");
  const Result<KeyPtr> again = KeyFromPrivateForm(type, bytes);
  Check(again.ok(), "a private form can be read");
  Check(ExportedPublicKey(*again.value()) == ExportedPublicKey(key),
        "the private form keeps the public key");
}

// A key whose parts fit each other signs what its own public key accepts.
void CheckSignature(const Key& key) {
  std::array<std::uint8_t, kMaxSignatureBytes> signature;
  const Vector message(64, 0x6d);
  for (std::uint32_t number = 1; number <= 13; ++number) {
    const SignatureAlgorithm algorithm = *SignatureAlgorithmFromNumber(number);
    const Result<std::size_t> length = Sign(key, algorithm, MessageType::kRaw, message, signature);
    if (length.status() == Status::kWrongKeyType ||
        algorithm == SignatureAlgorithm::kEd25519PhSha512) {
      continue;
    }
    CheckStatus(length.status(), {Status::kOk}, "Sign");
    const Result<bool> is_valid = Verify(*PublicPartOf(key), algorithm, MessageType::kRaw, message,
                                         Bytes(signature).first(length.value()));
    Check(is_valid.ok() && is_valid.value(), "an imported key signs for its public key");
    return;
  }
}

Vector ExpandedBytes(const Key& key, std::size_t size) {
  Vector expanded(size);
  std::size_t written = 0;
  Check(EVP_PKEY_get_octet_string_param(KeyAccess::PairOf(key).pkey(), OSSL_PKEY_PARAM_PRIV_KEY,
                                        expanded.data(), size, &written) == 1 &&
            written == size,
        "a seed can be expanded");
  return expanded;
}

// The forms that others write: with the expanded key, or both, inside the OCTET STRING.
std::vector<Vector> ExpandedForms(const AsymmetricType& type, Bytes seed, Bytes expanded) {
  const std::uint8_t zero = 0;
  const DerBytes key = DerValue(DerTag::kOctetString, {expanded});
  const DerBytes short_seed = DerValue(DerTag::kContext0, {seed});
  const DerBytes both = DerValue(DerTag::kSequence, {DerValue(DerTag::kOctetString, {seed}), key});
  std::vector<Vector> forms;
  for (const DerBytes& inner : {key, short_seed, both}) {
    forms.push_back(DerValue(DerTag::kSequence,
                             {DerValue(DerTag::kInteger, {{&zero, 1}}), AsBytes(type.algorithm),
                              DerValue(DerTag::kOctetString, {inner})}));
  }
  return forms;
}

}  // namespace

void Run(Input input) {
  const KeyType type = PairTypeFrom(input.Byte());
  const Vector encoded = input.Rest();
  const Result<KeyPtr> key = ImportPrivateKey(type, encoded);
  CheckStatus(key.status(), {Status::kOk, Status::kInvalidKey}, "ImportPrivateKey");
  if (!key.ok()) {
    return;
  }
  Check(!key.value()->is_public() && key.value()->type() == type, "it is a private key");
  CheckExport(type, *key.value());
  CheckPrivateForm(type, *key.value());
  CheckSignature(*key.value());
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (std::size_t i = 0; i < std::size(kPairTypes); ++i) {
    const AsymmetricType& type = AsymmetricTypeOf(kPairTypes[i]);
    const bool is_large = type.family == Family::kRsa && type.bits > 2048;
    const KeyPtr fresh = is_large ? GenerateKeyPair(kPairTypes[i]).value() : nullptr;
    const Key& key = is_large ? *fresh : FixedPair(kPairTypes[i]);
    if (const Result<SecureBuffer> exported = ExportPrivateKey(key); exported.ok()) {
      seeds.push_back(Output().Byte(i).Append(exported.value().bytes()).Done());
    }
    const Result<SecureBuffer> form = PrivateFormOf(key);
    if (type.seed_bytes != 0) {
      seeds.push_back(Output().Byte(i).Append(form.value().bytes()).Done());
    }
    if (type.expanded_bytes != 0) {
      for (const Vector& other :
           ExpandedForms(type, form.value().bytes(), ExpandedBytes(key, type.expanded_bytes))) {
        seeds.push_back(Output().Byte(i).Append(other).Done());
      }
    }
  }
  return seeds;
}

}  // namespace keywright::fuzz
