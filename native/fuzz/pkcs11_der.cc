// What tokens give as bytes: public keys in parts, and signatures of ECDSA.

#include <algorithm>
#include <optional>

#include "core/asymmetric_type.h"
#include "fuzz/fuzzing.h"
#include "pkcs11/der_integer.h"
#include "pkcs11/public_key_der.h"

namespace keywright::fuzz {
namespace {

enum Mode : std::uint8_t { kRsa, kCurve, kMlDsa, kRawSignature, kDerSignature, kSpki, kModes };

// What is made must be one whole SEQUENCE of an algorithm and a key.
void CheckSpki(const DerBytes& spki) {
  DerReader outer(spki);
  DerReader content(outer.Read(DerTag::kSequence).value_or(Bytes()));
  const bool is_whole = content.Read(DerTag::kSequence) && content.Read(DerTag::kBitString) &&
                        content.is_empty() && outer.is_empty();
  Check(is_whole, "what is made of a token's public key is a SubjectPublicKeyInfo");
}

void RunRsa(Input& input) {
  const Vector modulus = input.Take(input.Number16());
  const Vector exponent = input.Rest();
  const std::optional<DerBytes> spki = pkcs11::RsaSpki(modulus, exponent);
  Check(spki.has_value() == (!modulus.empty() && !exponent.empty()),
        "two numbers make a public key");
  if (!spki) {
    return;
  }
  CheckSpki(*spki);
  const std::optional<pkcs11::RsaNumbers> numbers = pkcs11::RsaNumbersOf(*spki);
  const Bytes digits = pkcs11::WithoutLeadingZeros(modulus);
  const Bytes power = pkcs11::WithoutLeadingZeros(exponent);
  Check(numbers.has_value() == (!digits.empty() && !power.empty()), "zero is no part of a key");
  Check(
      !numbers || (AreEqual(numbers->modulus, digits) && AreEqual(numbers->public_exponent, power)),
      "the numbers of a public key are those that it was made of");
}

void RunCurve(Input& input) {
  const Vector parameters = input.Take(input.Byte());
  const Vector point = input.Rest();
  const std::optional<KeyType> type = pkcs11::CurveOf(parameters);
  const std::optional<DerBytes> spki = pkcs11::CurveSpki(parameters, point);
  Check(type.has_value() || !spki, "an unknown curve has no keys");
  if (spki) {
    CheckSpki(*spki);
    const std::size_t size = AsymmetricTypeOf(*type).public_bytes;
    Check(point.size() >= size && AreEqual(Bytes(*spki).last(size), Bytes(point).last(size)),
          "a public key ends with its point");
  }
}

void RunMlDsa(Input& input) {
  const std::uint32_t parameter_set = input.Number32();
  const Vector value = input.Rest();
  if (const std::optional<DerBytes> spki = pkcs11::MlDsaSpki(parameter_set, value)) {
    CheckSpki(*spki);
    Check(AreEqual(Bytes(*spki).last(value.size()), value), "a public key ends with its value");
  }
}

void RunRawSignature(Input& input) {
  const Vector raw = input.Rest();
  const std::optional<DerBytes> der = pkcs11::EcdsaDer(raw);
  Check(der.has_value() == (!raw.empty() && raw.size() % 2 == 0), "two halves make a signature");
  if (der) {
    const std::optional<DerBytes> again = pkcs11::EcdsaRaw(*der, raw.size() / 2);
    Check(again && AreEqual(*again, raw), "a signature comes back from DER");
  }
}

void RunDerSignature(Input& input) {
  const std::size_t width = 1 + input.Byte();
  const Vector der = input.Rest();
  if (const std::optional<DerBytes> raw = pkcs11::EcdsaRaw(der, width)) {
    Check(raw->size() == 2 * width, "a signature has two halves");
    const std::optional<DerBytes> again = pkcs11::EcdsaDer(*raw);
    Check(again && AreEqual(*again, der), "a signature has one form in DER");
  }
}

void RunSpki(Input& input) {
  const Vector spki = input.Rest();
  if (const std::optional<pkcs11::RsaNumbers> numbers = pkcs11::RsaNumbersOf(spki)) {
    Check(!numbers->modulus.empty() && numbers->modulus.front() != 0 &&
              !numbers->public_exponent.empty() && numbers->public_exponent.front() != 0,
          "the numbers of a public key begin with a digit");
  }
}

Vector PublicBytesOf(KeyType type) {
  const Vector spki = ExportedPublicKey(FixedPair(type));
  return Copy(Bytes(spki).last(AsymmetricTypeOf(type).public_bytes));
}

}  // namespace

void Run(Input input) {
  switch (input.Byte() % kModes) {
    case kRsa:
      return RunRsa(input);
    case kCurve:
      return RunCurve(input);
    case kMlDsa:
      return RunMlDsa(input);
    case kRawSignature:
      return RunRawSignature(input);
    case kDerSignature:
      return RunDerSignature(input);
    default:
      return RunSpki(input);
  }
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  const Vector exponent = {1, 0, 1};
  for (const std::size_t length : {0U, 1U, 128U, 256U}) {
    const Vector modulus(length, 0x9d);
    seeds.push_back(Output().Byte(kRsa).Number16(length).Append(modulus).Append(exponent).Done());
    seeds.push_back(Output().Byte(kRawSignature).Append(modulus).Done());
  }
  for (const KeyType type :
       {KeyType::kP256, KeyType::kP384, KeyType::kP521, KeyType::kSecp256k1, KeyType::kEd25519}) {
    const Bytes parameters = pkcs11::EcParametersOf(type);
    const Vector point = PublicBytesOf(type);
    const DerBytes wrapped = DerValue(DerTag::kOctetString, {point});
    for (const Bytes form : {Bytes(point), Bytes(wrapped)}) {
      seeds.push_back(
          Output().Byte(kCurve).Byte(parameters.size()).Append(parameters).Append(form).Done());
    }
  }
  std::size_t parameter_set = 0;
  for (const KeyType type : {KeyType::kMlDsa44, KeyType::kMlDsa65, KeyType::kMlDsa87}) {
    seeds.push_back(
        Output().Byte(kMlDsa).Number32(++parameter_set).Append(PublicBytesOf(type)).Done());
  }
  for (const Vector& raw : {Vector(64, 0x80), Vector(96, 0x01), Vector(132), Vector{0, 0x80}}) {
    seeds.push_back(Output()
                        .Byte(kDerSignature)
                        .Byte(raw.size() / 2 - 1)
                        .Append(pkcs11::EcdsaDer(raw).value())
                        .Done());
  }
  // A zero that DER would not write, and a number below zero.
  for (const Vector& wrong : {Vector{0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01},
                              Vector{0x30, 0x06, 0x02, 0x01, 0x80, 0x02, 0x01, 0x01}}) {
    seeds.push_back(Output().Byte(kDerSignature).Byte(31).Append(wrong).Done());
  }
  seeds.push_back(
      Output().Byte(kSpki).Append(ExportedPublicKey(FixedPair(KeyType::kRsa2048))).Done());
  return seeds;
}

}  // namespace keywright::fuzz
