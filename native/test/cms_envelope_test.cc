#include "core/cms_envelope.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "core/key_pair_codec.h"
#include "test/testing.h"

namespace keywright {
namespace {

// NIST SP 800-38A F.2.5, first block; the padding adds one.
TEST(Cbc, EqualsThePublishedVector) {
  const Vector key = FromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Vector iv = FromHex("000102030405060708090a0b0c0d0e0f");
  Vector out(CbcSize(16));
  ASSERT_EQ(CbcEncrypt(Bytes(key).first<32>(), Bytes(iv).first<16>(),
                       FromHex("6bc1bee22e409f96e93d7e117393172a"), out),
            Status::kOk);
  EXPECT_EQ(Copy(Bytes(out).first(16)), FromHex("f58c4c04d6e5f1ba779eabfb5f7bfbd6"));
}

// The value of the next member `name` in a JSON text whose strings have no escapes.
std::string Member(const std::string& text, std::size_t from, const std::string& name) {
  const std::size_t colon = text.find(':', text.find('"' + name + '"', from));
  const std::size_t begin = text.find('"', colon) + 1;
  return text.substr(begin, text.find('"', begin) - begin);
}

// Of aes_cbc_pkcs5 the core can run what encrypts with AES-256: it never decrypts CBC, so the cases
// that must be refused (144, all with a wrong padding) have nobody to refuse them, and it has no
// other key sizes.
TEST(Cbc, EqualsTheVectorsOfWycheproof) {
  const char* folder = std::getenv("KEYWRIGHT_VECTORS");
  std::ifstream file(std::string(folder == nullptr ? "." : folder) +
                     "/wycheproof/aes_cbc_pkcs5_test.json");
  if (!file && std::getenv("CI") == nullptr) {
    GTEST_SKIP() << "no vectors; set KEYWRIGHT_VECTORS to the folder that holds wycheproof/";
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::size_t seen = 0;
  std::size_t ran = 0;
  for (std::size_t at = text.find("\"tcId\""); at != std::string::npos;
       at = text.find("\"tcId\"", at + 1)) {
    ++seen;
    const Vector key = FromHex(Member(text, at, "key"));
    if (key.size() != 32 || Member(text, at, "result") != "valid") {
      continue;
    }
    ++ran;
    const Vector iv = FromHex(Member(text, at, "iv"));
    const Vector message = FromHex(Member(text, at, "msg"));
    Vector out(CbcSize(message.size()));
    ASSERT_EQ(CbcEncrypt(Bytes(key).first<32>(), Bytes(iv).first<16>(), message, out), Status::kOk);
    EXPECT_EQ(out, FromHex(Member(text, at, "ct")));
  }
  EXPECT_EQ(seen, 216U);
  EXPECT_EQ(ran, 24U);
}

TEST(Cms, RefusesRecipientsThatAreNoRsaKeys) {
  Vector spki(kMaxSpkiBytes);
  spki.resize(ExportPublicKey(*GenerateKeyPair(KeyType::kP256).value(), spki).value());
  EXPECT_EQ(CmsEnvelope(spki, {}).status(), Status::kInvalidKey);
  EXPECT_EQ(CmsEnvelope({}, {}).status(), Status::kInvalidKey);
  spki.resize(kMaxSpkiBytes);
  spki.resize(ExportPublicKey(*GenerateKeyPair(KeyType::kRsa2048).value(), spki).value());
  for (const std::size_t length : {0UL, 1UL, 15UL, 16UL, 1000UL}) {
    EXPECT_TRUE(CmsEnvelope(spki, Vector(length)).ok());
  }
}

}  // namespace
}  // namespace keywright
