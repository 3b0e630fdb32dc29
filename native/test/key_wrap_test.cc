#include "core/key_wrap.h"

#include "core/key_access.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/protected_key.h"
#include "test/testing.h"

namespace keywright {
namespace {

// AES-256 of one block.
void EncryptBlock(const Vector& key, std::uint8_t* block) {
  const EvpCipherPtr cipher(EVP_CIPHER_fetch(Library().context, "AES-256-ECB", nullptr));
  const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  int written = 0;
  ASSERT_EQ(EVP_EncryptInit_ex2(context.get(), cipher.get(), key.data(), nullptr, nullptr), 1);
  ASSERT_EQ(EVP_EncryptUpdate(context.get(), block, &written, block, 16), 1);
}

// Integrity value and key as the text of RFC 5649 §4.1 and RFC 3394 §2.2.1 wraps them.
Vector WrapSemiblocks(const Vector& kek, Vector out) {
  const std::size_t blocks = out.size() / 8 - 1;
  if (blocks == 1) {
    EncryptBlock(kek, out.data());
    return out;
  }
  Vector block(16);
  for (std::size_t j = 0; j < 6; ++j) {
    for (std::size_t i = 1; i <= blocks; ++i) {
      std::copy_n(out.begin(), 8, block.begin());
      std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(8 * i), 8, block.begin() + 8);
      EncryptBlock(kek, block.data());
      const std::size_t step = blocks * j + i;
      block[7] = static_cast<std::uint8_t>(block[7] ^ step);
      block[6] = static_cast<std::uint8_t>(block[6] ^ (step >> 8));
      std::copy_n(block.begin(), 8, out.begin());
      std::copy_n(block.begin() + 8, 8, out.begin() + static_cast<std::ptrdiff_t>(8 * i));
    }
  }
  return out;
}

Vector WrapByTheText(const Vector& kek, const Vector& key) {
  Vector out = FromHex("a65959a600000000");
  StoreBigEndian32(static_cast<std::uint32_t>(key.size()), &out[4]);
  out.insert(out.end(), key.begin(), key.end());
  out.resize((out.size() + 7) / 8 * 8);
  return WrapSemiblocks(kek, out);
}

// libcrypto's own key wrap; empty when it refuses.
Vector ByLibcrypto(const char* name, const Vector& kek, const Vector& in, bool is_wrapping) {
  const EvpCipherPtr cipher(EVP_CIPHER_fetch(Library().context, name, nullptr));
  const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  EXPECT_EQ(EVP_CipherInit_ex2(context.get(), cipher.get(), kek.data(), nullptr,
                               is_wrapping ? 1 : 0, nullptr),
            1);
  Vector out(in.size() + 16);
  int written = 0;
  const bool is_done = EVP_CipherUpdate(context.get(), out.data(), &written, in.data(),
                                        static_cast<int>(in.size())) == 1;
  if (!is_done) {
    EXPECT_EQ(Fail(Status::kLibcryptoFailed), Status::kLibcryptoFailed);
  }
  out.resize(is_done ? static_cast<std::size_t>(written) : 0);
  return out;
}

// The bytes of the unwrapped key; empty when it is refused.
Vector Unwrapped(const Result<KeyPtr>& key) {
  if (!key.ok()) {
    EXPECT_EQ(key.status(), Status::kAuthenticationFailed);
    return {};
  }
  return Copy(KeyAccess::BytesOf(*key.value()));
}

TEST(KeyWrap, EqualsTheTextOfRfc5649) {
  Generator generator;
  for (std::size_t length = 1; length <= 100; ++length) {
    const Vector kek = generator.Octets(32);
    const Vector key = generator.Octets(length);
    Vector wrapped(KwpWrappedSize(length));
    ASSERT_EQ(KwpWrap(*MakeKey(KeyType::kAesKwp, kek), *MakeKey(KeyType::kHmac, key), wrapped),
              Status::kOk);
    ASSERT_EQ(wrapped, WrapByTheText(kek, key));
    const Result<KeyPtr> unwrapped =
        KwpUnwrap(*MakeKey(KeyType::kAesKwp, kek), wrapped, KeyType::kHmac);
    ASSERT_TRUE(unwrapped.ok());
    ASSERT_EQ(Copy(KeyAccess::BytesOf(*unwrapped.value())), key);
  }
}

TEST(KeyWrap, EqualsThatOfLibcrypto) {
  Generator generator;
  const Vector kek = generator.Octets(32);
  const KeyPtr padded = MakeKey(KeyType::kAesKwp, kek);
  const KeyPtr plain = MakeKey(KeyType::kAesKw, kek);
  for (std::size_t length = 1; length <= 1024; length += generator.Number(1, 9)) {
    const Vector key = generator.Octets(length);
    Vector wrapped(KwpWrappedSize(length));
    ASSERT_EQ(KwpWrap(*padded, *MakeKey(KeyType::kHmac, key), wrapped), Status::kOk);
    ASSERT_EQ(wrapped, ByLibcrypto("AES-256-WRAP-PAD", kek, key, true));
  }
  for (std::size_t length = 16; length <= 1024; length += 8) {
    const Vector key = generator.Octets(length);
    Vector wrapped(KwWrappedSize(length));
    ASSERT_EQ(KwWrap(*plain, *MakeKey(KeyType::kHmac, key), wrapped), Status::kOk);
    ASSERT_EQ(wrapped, ByLibcrypto("AES-256-WRAP", kek, key, true));
    ASSERT_EQ(Unwrapped(KwUnwrap(*plain, wrapped, KeyType::kHmac)), key);
  }
}

TEST(KeyWrap, TakesTheIntegrityValuesThatLibcryptoTakes) {
  Generator generator;
  const Vector kek = generator.Octets(32);
  const KeyPtr padded = MakeKey(KeyType::kAesKwp, kek);
  const KeyPtr plain = MakeKey(KeyType::kAesKw, kek);
  std::size_t taken = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::size_t size = 8 * generator.Number(1, 4);
    // Nearly right: lengths around the size, zeros at the end, and at times one bit that is wrong.
    const auto length = static_cast<std::uint32_t>(size + 1 - generator.Number(0, 10));
    Vector semiblocks = Concat({FromHex("a65959a600000000"), generator.Octets(size)});
    StoreBigEndian32(length, &semiblocks[4]);
    std::fill(semiblocks.end() - static_cast<std::ptrdiff_t>(generator.Number(0, 8)),
              semiblocks.end(), std::uint8_t{0});
    if (generator.Number(0, 3) == 0) {
      semiblocks[generator.Number(0, 7)] ^= static_cast<std::uint8_t>(1U << generator.Number(0, 7));
    }
    const Vector wrapped = WrapSemiblocks(kek, semiblocks);
    const Vector key = Unwrapped(KwpUnwrap(*padded, wrapped, KeyType::kHmac));
    ASSERT_EQ(key, ByLibcrypto("AES-256-WRAP-PAD", kek, wrapped, false));
    taken += key.empty() ? 0 : 1;
  }
  EXPECT_GT(taken, 400U);
  for (std::size_t index = 0; index < 8; ++index) {
    Vector semiblocks = Concat({FromHex("a6a6a6a6a6a6a6a6"), generator.Octets(24)});
    ASSERT_FALSE(
        Unwrapped(KwUnwrap(*plain, WrapSemiblocks(kek, semiblocks), KeyType::kHmac)).empty());
    semiblocks[index] ^= 0x10;
    ASSERT_TRUE(
        Unwrapped(KwUnwrap(*plain, WrapSemiblocks(kek, semiblocks), KeyType::kHmac)).empty());
  }
}

TEST(KeyWrap, RefusesEveryBitThatChanged) {
  const KeyPtr kek = FreshKey(KeyType::kAesKwp);
  Vector wrapped(40);
  ASSERT_EQ(KwpWrap(*kek, *FreshKey(KeyType::kAesGcm), wrapped), Status::kOk);
  for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
    Vector changed = wrapped;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    ASSERT_EQ(KwpUnwrap(*kek, changed, KeyType::kAesGcm).status(), Status::kAuthenticationFailed);
  }
}

TEST(KeyWrap, RefusesLengthsThatAreNoWrappedKey) {
  const KeyPtr kek = FreshKey(KeyType::kAesKwp);
  for (const std::size_t length : Sizes{0, 1, 8, 15, 17, 39, 1040, 100'000}) {
    EXPECT_EQ(KwpUnwrap(*kek, Vector(length), KeyType::kHmac).status(),
              Status::kAuthenticationFailed);
  }
}

TEST(KeyWrap, RefusesAKeyThatIsNoneOfTheType) {
  const KeyPtr kek = FreshKey(KeyType::kAesKwp);
  Vector wrapped(KwpWrappedSize(20));
  ASSERT_EQ(KwpWrap(*kek, *FreshKey(KeyType::kHmac, 20), wrapped), Status::kOk);
  EXPECT_EQ(KwpUnwrap(*kek, wrapped, KeyType::kAesGcm).status(), Status::kAuthenticationFailed);
  EXPECT_EQ(KwpUnwrap(*FreshKey(KeyType::kBacking), wrapped, KeyType::kHmac).status(),
            Status::kWrongKeyType);
}

TEST(ProtectedKey, UnwrapGivesBackWhatWasWrapped) {
  Generator generator;
  const KeyPtr kek = FreshKey(KeyType::kBacking);
  for (int round = 0; round < 300; ++round) {
    const KeyPtr key = FreshKey(KeyType::kHmac, generator.Number(1, 1024));
    const Vector aad = generator.Octets(0, 100);
    Vector wrapped(key->size() + kWrapOverheadBytes);
    ASSERT_EQ(WrapKey(*kek, *key, aad, wrapped), Status::kOk);
    const Result<KeyPtr> unwrapped = UnwrapKey(*kek, wrapped, aad, KeyType::kHmac);
    ASSERT_TRUE(unwrapped.ok());
    ASSERT_EQ(Copy(KeyAccess::BytesOf(*unwrapped.value())), Copy(KeyAccess::BytesOf(*key)));
  }
}

TEST(ProtectedKey, UnwrapRefusesOtherTypeAadKekAndEveryBitThatChanged) {
  const KeyPtr kek = FreshKey(KeyType::kBacking);
  const Vector aad = {1, 2, 3};
  Vector wrapped(32 + kWrapOverheadBytes);
  ASSERT_EQ(WrapKey(*kek, *FreshKey(KeyType::kAesGcm), aad, wrapped), Status::kOk);
  const auto refuses = [&](const Key& with, Bytes bytes, Bytes bound, KeyType type) {
    return UnwrapKey(with, bytes, bound, type).status() == Status::kAuthenticationFailed;
  };
  for (const KeyType type : {KeyType::kAesKwp, KeyType::kBacking, KeyType::kHmac}) {
    EXPECT_TRUE(refuses(*kek, wrapped, aad, type));
  }
  EXPECT_TRUE(refuses(*kek, wrapped, Vector{1, 2}, KeyType::kAesGcm));
  EXPECT_TRUE(refuses(*FreshKey(KeyType::kBacking), wrapped, aad, KeyType::kAesGcm));
  EXPECT_TRUE(refuses(*kek, Bytes(wrapped).first(20), aad, KeyType::kAesGcm));
  EXPECT_TRUE(refuses(*kek, {}, aad, KeyType::kAesGcm));
  for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
    Vector changed = wrapped;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    ASSERT_TRUE(refuses(*kek, changed, aad, KeyType::kAesGcm));
  }
}

}  // namespace
}  // namespace keywright
