#include "pkcs11/public_key_der.h"

#include <algorithm>
#include <string_view>

#include "core/asymmetric_type.h"
#include "pkcs11/der_integer.h"

namespace keywright::pkcs11 {
namespace {

using namespace std::string_view_literals;

constexpr KeyType kCurves[] = {KeyType::kP256, KeyType::kP384, KeyType::kP521, KeyType::kSecp256k1,
                               KeyType::kEd25519};

// AlgorithmIdentifier of RSA (RFC 3279 §2.3.1).
constexpr auto kRsaAlgorithm = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;

// PrintableString "edwards25519" (PKCS#11 3.0, section 2.3.5).
constexpr auto kEdwardsName =
    "\x13\x0c"
    "edwards25519"sv;

bool AreEqual(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

DerBytes Spki(Bytes algorithm, Bytes key) {
  constexpr std::uint8_t kNoUnusedBits = 0;
  return DerValue(DerTag::kSequence,
                  {algorithm, DerValue(DerTag::kBitString, {Bytes(&kNoUnusedBits, 1), key})});
}

std::optional<DerBytes> TypedSpki(KeyType type, Bytes key) {
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  if (key.size() != traits.public_bytes) {
    return std::nullopt;
  }
  return Spki(AsBytes(traits.algorithm), key);
}

}  // namespace

Bytes EcParametersOf(KeyType type) {
  // AlgorithmIdentifier ::= SEQUENCE { id-ecPublicKey, the curve }, or SEQUENCE { Ed25519 }.
  DerReader algorithm(AsBytes(AsymmetricTypeOf(type).algorithm));
  const Bytes content = algorithm.Read(DerTag::kSequence).value_or(Bytes());
  const std::size_t scheme = type == KeyType::kEd25519 ? 0 : DerHeaderSize(content[1]) + content[1];
  return content.subspan(scheme);
}

std::optional<KeyType> CurveOf(Bytes ec_parameters) {
  if (AreEqual(ec_parameters, AsBytes(kEdwardsName))) {
    return KeyType::kEd25519;
  }
  const auto* const found = std::find_if(std::begin(kCurves), std::end(kCurves), [&](KeyType type) {
    return AreEqual(EcParametersOf(type), ec_parameters);
  });
  return found == std::end(kCurves) ? std::nullopt : std::optional(*found);
}

std::optional<DerBytes> RsaSpki(Bytes modulus, Bytes public_exponent) {
  if (modulus.empty() || public_exponent.empty()) {
    return std::nullopt;
  }
  return Spki(AsBytes(kRsaAlgorithm),
              DerValue(DerTag::kSequence, {DerUnsigned(modulus), DerUnsigned(public_exponent)}));
}

std::optional<DerBytes> CurveSpki(Bytes ec_parameters, Bytes ec_point) {
  const std::optional<KeyType> type = CurveOf(ec_parameters);
  if (!type) {
    return std::nullopt;
  }
  const bool is_bare = ec_point.size() == AsymmetricTypeOf(*type).public_bytes;
  DerReader wrapped(ec_point);
  const std::optional<Bytes> point =
      is_bare ? std::optional(ec_point) : wrapped.Read(DerTag::kOctetString);
  if (!point || (!is_bare && !wrapped.is_empty())) {
    return std::nullopt;
  }
  // A point of a curve, uncompressed.
  const bool is_marked = *type == KeyType::kEd25519 || (!point->empty() && point->front() == 4);
  return is_marked ? TypedSpki(*type, *point) : std::nullopt;
}

std::optional<DerBytes> MlDsaSpki(CK_ULONG parameter_set, Bytes value) {
  constexpr KeyType kTypes[] = {KeyType::kMlDsa44, KeyType::kMlDsa65, KeyType::kMlDsa87};
  if (parameter_set < 1 || parameter_set > std::size(kTypes)) {
    return std::nullopt;
  }
  return TypedSpki(kTypes[parameter_set - 1], value);
}

std::optional<RsaNumbers> RsaNumbersOf(Bytes spki) {
  DerReader outer(spki);
  DerReader content(outer.Read(DerTag::kSequence).value_or(Bytes()));
  const std::optional<Bytes> algorithm = content.Read(DerTag::kSequence);
  const std::optional<Bytes> bits = content.Read(DerTag::kBitString);
  constexpr std::size_t kSequenceHeader = 2;
  if (!outer.is_empty() || !content.is_empty() || !algorithm || !bits || bits->empty() ||
      bits->front() != 0 ||
      !AreEqual(*algorithm, AsBytes(kRsaAlgorithm).subspan(kSequenceHeader))) {
    return std::nullopt;
  }
  DerReader key(bits->subspan(1));
  DerReader numbers(key.Read(DerTag::kSequence).value_or(Bytes()));
  const Bytes modulus = WithoutLeadingZeros(numbers.Read(DerTag::kInteger).value_or(Bytes()));
  const Bytes exponent = WithoutLeadingZeros(numbers.Read(DerTag::kInteger).value_or(Bytes()));
  if (!key.is_empty() || !numbers.is_empty() || modulus.empty() || exponent.empty()) {
    return std::nullopt;
  }
  return RsaNumbers{.modulus = modulus, .public_exponent = exponent};
}

}  // namespace keywright::pkcs11
