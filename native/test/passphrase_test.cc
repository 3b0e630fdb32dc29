#include "core/passphrase.h"

#include "core/key_access.h"
#include "test/testing.h"

namespace keywright {
namespace {

// Output of the reference implementation's command: argon2 SALT -id -t T -k M -p 1 -l 32 -r
TEST(Passphrase, EqualsTheReferenceImplementationOfArgon2) {
  const Result<KeyPtr> first =
      DeriveKeyFromPassphrase(AsBytes("correct horse battery staple"), AsBytes("0123456789abcdef"),
                              {.memory_kib = 4096, .iterations = 3});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Copy(KeyAccess::BytesOf(*first.value())),
            FromHex("2f8186f7b07132513ebb79a01833cb875faee5432f2c21d0093c70202b339837"));
  const Result<KeyPtr> second =
      DeriveKeyFromPassphrase(AsBytes("p"), AsBytes("0123456789abcdefghijklmnopqrstuv"),
                              {.memory_kib = 64, .iterations = 1});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(Copy(KeyAccess::BytesOf(*second.value())),
            FromHex("a3fd3c6c29f22b351ea4f3991ceb579528d83fa3de24c38159cd5125ba11b27a"));
  EXPECT_EQ(second.value()->type(), KeyType::kBacking);
}

TEST(Passphrase, RefusesWhatIsOutOfBounds) {
  const Vector salt(16, 1);
  const Vector passphrase(8, 1);
  const auto status = [](const Vector& secret, const Vector& with_salt, PassphraseCost cost) {
    return DeriveKeyFromPassphrase(secret, with_salt, cost).status();
  };
  EXPECT_EQ(status(passphrase, salt, {.memory_kib = 8, .iterations = 1}), Status::kOk);
  EXPECT_EQ(status({}, salt, {.memory_kib = 8, .iterations = 1}), Status::kInvalidArgument);
  EXPECT_EQ(status(passphrase, Vector(15), {.memory_kib = 8, .iterations = 1}),
            Status::kInvalidArgument);
  EXPECT_EQ(status(passphrase, Vector(65), {.memory_kib = 8, .iterations = 1}),
            Status::kInvalidArgument);
  EXPECT_EQ(status(passphrase, salt, {.memory_kib = 7, .iterations = 1}), Status::kInvalidArgument);
  EXPECT_EQ(status(passphrase, salt, {.memory_kib = 8, .iterations = 0}), Status::kInvalidArgument);
  EXPECT_EQ(status(passphrase, salt, {.memory_kib = 0xffff'ffff, .iterations = 1}),
            Status::kInvalidArgument);
  EXPECT_EQ(status(passphrase, salt, {.memory_kib = 8, .iterations = 1025}),
            Status::kInvalidArgument);
}

}  // namespace
}  // namespace keywright
