#include "core/asymmetric_type.h"
#include "core/key_pair_codec.h"
#include "pkcs11/der_integer.h"
#include "pkcs11/public_key_der.h"
#include "test/testing.h"

namespace keywright::pkcs11 {
namespace {

constexpr KeyType kCurveTypes[] = {KeyType::kP256, KeyType::kP384, KeyType::kP521,
                                   KeyType::kSecp256k1, KeyType::kEd25519};

Vector SpkiOf(KeyType type) {
  const KeyPtr pair = GenerateKeyPair(type).value();
  Vector spki(kMaxSpkiBytes);
  spki.resize(ExportPublicKey(*pair, spki).value());
  return spki;
}

// The point of a SubjectPublicKeyInfo.
Bytes PointOf(KeyType type, Bytes spki) { return spki.last(AsymmetricTypeOf(type).public_bytes); }

TEST(Pkcs11Der, WritesCurveKeysAsTheCoreDoesFromBothFormsOfPoints) {
  for (const KeyType type : kCurveTypes) {
    const Vector spki = SpkiOf(type);
    const Bytes point = PointOf(type, spki);
    const Bytes parameters = EcParametersOf(type);
    EXPECT_EQ(CurveOf(parameters), type);
    EXPECT_EQ(CurveSpki(parameters, point), spki);
    EXPECT_EQ(CurveSpki(parameters, DerValue(DerTag::kOctetString, {point})), spki);
  }
  const Vector name = Concat({Vector{0x13, 12}, AsBytes("edwards25519")});
  EXPECT_EQ(CurveOf(name), KeyType::kEd25519);
}

TEST(Pkcs11Der, RefusesPointsOfOtherLengthsAndCurvesItDoesNotKnow) {
  for (const KeyType type : kCurveTypes) {
    const Vector spki = SpkiOf(type);
    const Bytes point = PointOf(type, spki);
    const Bytes parameters = EcParametersOf(type);
    for (std::size_t length = 0; length < point.size(); ++length) {
      EXPECT_FALSE(CurveSpki(parameters, point.first(length)));
      const DerBytes wrapped = DerValue(DerTag::kOctetString, {point.first(length)});
      // As long as a bare point it is taken for one; to import it shows that it is none.
      EXPECT_EQ(CurveSpki(parameters, wrapped).has_value(), wrapped.size() == point.size());
    }
    const DerBytes wrapped = DerValue(DerTag::kOctetString, {point});
    EXPECT_FALSE(CurveSpki(parameters, Concat({wrapped, Vector{0}})));
    EXPECT_FALSE(CurveSpki(parameters, DerValue(DerTag::kBitString, {point})));
    EXPECT_FALSE(CurveSpki(parameters.first(parameters.size() - 1), point));
    if (type != KeyType::kEd25519) {
      Vector hybrid = Copy(point);
      hybrid[0] = 6;
      EXPECT_FALSE(CurveSpki(parameters, hybrid));
    }
  }
}

TEST(Pkcs11Der, WritesRsaAndMlDsaKeysAsTheCoreDoes) {
  const Vector rsa = SpkiOf(KeyType::kRsa2048);
  // Two headers and a zero byte in front of the modulus, and 02 03 01 00 01 behind.
  const Bytes modulus = Bytes(rsa).last(256 + 5).first(256);
  EXPECT_EQ(RsaSpki(modulus, Vector{1, 0, 1}), rsa);
  EXPECT_EQ(RsaSpki(Concat({Vector{0, 0}, modulus}), Vector{0, 1, 0, 1}), rsa);
  EXPECT_FALSE(RsaSpki({}, Vector{3}));
  EXPECT_FALSE(RsaSpki(modulus, {}));
  for (const CK_ULONG set : {1UL, 2UL, 3UL}) {
    const auto type =
        static_cast<KeyType>(static_cast<int>(KeyType::kMlDsa44) + static_cast<int>(set) - 1);
    const Vector spki = SpkiOf(type);
    EXPECT_EQ(MlDsaSpki(set, PointOf(type, spki)), spki);
    EXPECT_FALSE(MlDsaSpki(set % 3 + 1, PointOf(type, spki)));
  }
  EXPECT_FALSE(MlDsaSpki(0, Vector(1312)));
  EXPECT_FALSE(MlDsaSpki(4, Vector(2592)));
}

TEST(Pkcs11Der, ConvertsSignaturesThereAndBack) {
  Generator generator;
  for (const std::size_t width : {32U, 48U, 66U}) {
    for (int round = 0; round < 50; ++round) {
      Vector raw = generator.Octets(2 * width);
      // Numbers with leading zeros, and with a first bit that is set.
      std::fill_n(raw.begin(), generator.Number(0, width), std::uint8_t{0});
      const std::optional<DerBytes> der = EcdsaDer(raw);
      ASSERT_TRUE(der);
      EXPECT_EQ(EcdsaRaw(*der, width), raw);
    }
  }
  EXPECT_FALSE(EcdsaDer({}));
  EXPECT_FALSE(EcdsaDer(Vector(63)));
  EXPECT_EQ(EcdsaDer(FromHex("0080")), FromHex("300702010002020080"));
}

TEST(Pkcs11Der, RefusesSignaturesThatAreNotDer) {
  ASSERT_EQ(EcdsaRaw(FromHex("3006020101020102"), 1), FromHex("0102"));
  for (const std::string_view wrong : {
           "",
           "300602010102010200",      // something behind it
           "30060201010201",          // cut short
           "3003020101",              // one number
           "3009020101020102020103",  // three
           "3006020181020102",        // negative
           "300702020001020102",      // a zero too many
           "300702020100020102",      // too long for the width
           "30050200020102",          // no digits
           "308106020101020102",      // a length that is longer than need be
           "3106020101020102",
       }) {
    Vector bytes = FromHex(wrong);
    EXPECT_FALSE(EcdsaRaw(bytes, 1)) << wrong;
  }
}

}  // namespace
}  // namespace keywright::pkcs11
