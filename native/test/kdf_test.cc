#include "core/kdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "core/hmac_midstate.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "test/testing.h"

namespace keywright {
namespace {

// KBKDF as libcrypto computes it, from bytes.
Vector LibcryptoKbkdf(Vector key, Vector label, Vector context, std::size_t length) {
  Vector out(length);
  const EvpKdfCtxPtr kdf(EVP_KDF_CTX_new(Library().kbkdf));
  char mode[] = "COUNTER";
  char mac[] = "HMAC";
  char digest[] = "SHA2-256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, label.data(), label.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, context.data(), context.size()),
      OSSL_PARAM_construct_end(),
  };
  EXPECT_EQ(EVP_KDF_derive(kdf.get(), out.data(), out.size(), parameters), 1);
  return out;
}

std::string_view AsText(const Vector& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Kdf, TheShortRoadEqualsKbkdfOfLibcrypto) {
  Generator generator;
  for (int round = 0; round < 3000; ++round) {
    const Vector key = generator.Octets(32);
    const Vector label = generator.Octets(1, kMaxShortInputBytes);
    const Vector context = generator.Octets(0, kMaxShortInputBytes - label.size());
    Vector out(32 * generator.Number(1, 8));
    DeriveShort(*MakeKey(KeyType::kBacking, key), AsText(label), context, out);
    ASSERT_EQ(out, LibcryptoKbkdf(key, label, context, out.size()));
  }
}

TEST(Kdf, TheMessageDerivationEqualsKbkdfOfLibcrypto) {
  Generator generator;
  for (const std::string_view label : {kMessageLabel, kWrapLabel}) {
    const Vector key = generator.Octets(32);
    const Vector nonce = generator.Octets(16);
    Vector out(64);
    DeriveShort(*MakeKey(KeyType::kBacking, key), label, nonce, out);
    EXPECT_EQ(out, LibcryptoKbkdf(key, Copy(AsBytes(label)), nonce, 64));
  }
}

TEST(Kdf, DeriveBytesEqualsKbkdfOfLibcrypto) {
  Generator generator;
  for (int round = 0; round < 300; ++round) {
    const Vector key = generator.Octets(32);
    Vector label = generator.Octets(0, 100);
    std::replace(label.begin(), label.end(), std::uint8_t{0}, std::uint8_t{1});
    const Vector context = generator.Octets(1, 300);
    Vector out(generator.Number(1, 300));
    ASSERT_EQ(DeriveBytes(*MakeKey(KeyType::kBacking, key), label, context, out), Status::kOk);
    ASSERT_EQ(out, LibcryptoKbkdf(key, label, context, out.size()));
  }
}

TEST(Kdf, DeriveBytesTakesEmptyLabelsAndContexts) {
  const KeyPtr key = FreshKey(KeyType::kBacking);
  Vector a(32);
  Vector b(32);
  EXPECT_EQ(DeriveBytes(*key, AsBytes("label"), {}, a), Status::kOk);
  EXPECT_EQ(DeriveBytes(*key, {}, AsBytes("context"), b), Status::kOk);
  EXPECT_NE(a, b);
  EXPECT_EQ(DeriveBytes(*key, {}, {}, b), Status::kOk);
  EXPECT_NE(a, b);
}

TEST(Kdf, RefusesTheLabelsOfThisLibrary) {
  const KeyPtr key = FreshKey(KeyType::kBacking);
  Vector out(64);
  for (const std::string_view label :
       {"keywright/message", "keywright/message/v1", "keywright/message/v2", "keywright/wrap",
        "keywright/wrap/v1", "keywright/wrapper"}) {
    EXPECT_EQ(DeriveBytes(*key, AsBytes(label), {}, out), Status::kInvalidArgument) << label;
    EXPECT_EQ(DeriveKey(*key, AsBytes(label), {}, KeyType::kAesGcm).status(),
              Status::kInvalidArgument)
        << label;
  }
  EXPECT_EQ(DeriveBytes(*key, AsBytes("keywright/other"), {}, out), Status::kOk);
  EXPECT_EQ(DeriveBytes(*key, AsBytes(std::string_view("a\0b", 3)), {}, out),
            Status::kInvalidArgument);
}

TEST(Kdf, RefusesOtherKeysLengthsAndOverlap) {
  const KeyPtr key = FreshKey(KeyType::kBacking);
  Vector out(kMaxDerivedBytes + 1);
  EXPECT_EQ(DeriveBytes(*FreshKey(KeyType::kHmac), AsBytes("a"), {}, out), Status::kWrongKeyType);
  EXPECT_EQ(DeriveBytes(*key, AsBytes("a"), {}, out), Status::kInvalidArgument);
  EXPECT_EQ(DeriveBytes(*key, AsBytes("a"), {}, {}), Status::kInvalidArgument);
  EXPECT_EQ(DeriveBytes(*key, AsBytes("a"), out, MutableBytes(out).first(32)),
            Status::kInvalidArgument);
  EXPECT_EQ(DeriveBytes(*key, AsBytes("a"), {}, MutableBytes(out).first(kMaxDerivedBytes)),
            Status::kOk);
}

}  // namespace
}  // namespace keywright
