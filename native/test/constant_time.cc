// Looks for branches and addresses that depend on secrets, by running under valgrind's memcheck
// with the secrets marked as undefined: it reports every conditional jump and every address that
// follows from undefined bytes (the method is Langley's ctgrind). What is public in the end is
// declassified, in the core (declassify.h) or here. libcrypto's own decisions stand in
// constant_time.supp, each with its reason. script/test-native constant-time runs it.

#include <valgrind/memcheck.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/aead.h"
#include "core/import_key.h"
#include "core/kdf.h"
#include "core/key_wrap.h"
#include "core/library_context.h"
#include "core/mac.h"
#include "core/message.h"
#include "core/protected_key.h"
#include "core/secure_buffer.h"
#include "core/semiblock_wrap.h"
#include "vector/aes.h"
#include "vector/ghash.h"

namespace keywright {
namespace {

using Octets32 = std::array<std::uint8_t, 32>;

void Poison(MutableBytes secret) { VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size()); }
void Unpoison(Bytes output) { VALGRIND_MAKE_MEM_DEFINED(output.data(), output.size()); }

constexpr Octets32 kPublic = {1, 2, 3, 4, 5, 6, 7, 8};

int failures = 0;

// Ends the check when the core did not do its work: then nothing was looked at.
void Require(bool holds, const char* what) {
  if (!holds) {
    std::printf("FAILED: %s\n", what);
    std::exit(2);
  }
}

template <typename T>
T ValueOf(Result<T> result, const char* what) {
  Require(result.ok(), what);
  return std::move(result).value();
}

// A key whose bytes, and all that follows from them, are secret.
KeyPtr SecretKey(KeyType type) {
  Octets32 bytes = kPublic;
  Poison(bytes);
  return ValueOf(Key::Import(type, Bytes(bytes).first(KeyBytesOf(type))), "Key::Import");
}

// Runs `work`, which must report nothing, or something when `is_leaky`.
template <typename Work>
void Case(const char* name, Work work, bool is_leaky = false) {
  const auto before = VALGRIND_COUNT_ERRORS;
  work();
  const bool was_reported = VALGRIND_COUNT_ERRORS != before;
  const bool is_right = was_reported == is_leaky;
  std::printf("%s %s%s\n", is_right ? "ok    " : "FAILED", name,
              is_leaky ? " (leaky on purpose: must be reported)" : "");
  failures += is_right ? 0 : 1;
}

// The controls: what an optimiser must not take away is volatile.

bool LeakyEqual(Bytes a, Bytes b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    const volatile std::uint8_t left = a[i];
    if (left != b[i]) {
      return false;
    }
  }
  return true;
}

std::uint8_t LeakyLookup(Bytes table, std::uint8_t index) {
  const volatile std::uint8_t* entries = table.data();
  return entries[index];
}

void Controls() {
  Octets32 secret = kPublic;
  Poison(secret);
  Case(
      "a comparison that stops at the first difference",
      [&] { Require(LeakyEqual(secret, kPublic), "LeakyEqual"); }, true);
  Case(
      "a table that is read at a secret index",
      [&] {
        const std::array<std::uint8_t, 256> table{};
        std::uint8_t found = LeakyLookup(table, secret[0]);
        Unpoison({&found, 1});
        Require(found == 0, "LeakyLookup");
      },
      true);
}

void Comparison() {
  for (const std::size_t different : {std::size_t{32}, std::size_t{0}, std::size_t{31}}) {
    Octets32 secret = kPublic;
    if (different < secret.size()) {
      secret[different] ^= 1;
    }
    Poison(secret);
    Case("ConstantTimeEqual", [&] {
      Require(ConstantTimeEqual(secret, kPublic) == (different == 32), "ConstantTimeEqual");
    });
  }
}

void Macs() {
  for (const DigestAlgorithm algorithm : kDigestAlgorithms) {
    Case("Hmac, HmacVerify, DeriveHmacKey", [&] {
      const KeyPtr key = SecretKey(KeyType::kHmac);
      std::array<std::uint8_t, kMaxDigestBytes> mac{};
      const MutableBytes whole = MutableBytes(mac).first(DigestSize(algorithm));
      Require(Hmac(*key, algorithm, kPublic, whole) == Status::kOk, "Hmac");
      Unpoison(whole);
      Require(ValueOf(HmacVerify(*key, algorithm, kPublic, whole), "HmacVerify"), "MAC");
      for (const std::size_t index : {std::size_t{0}, whole.size() - 1}) {
        whole[index] ^= 1;
        Require(!ValueOf(HmacVerify(*key, algorithm, kPublic, whole), "HmacVerify"), "other MAC");
      }
      ValueOf(DeriveHmacKey(*key, algorithm, kPublic), "DeriveHmacKey");
    });
  }
}

void Aead(KeyType type) {
  Case(type == KeyType::kAesGcm ? "AES-256-GCM" : "AES-128-GCM", [&] {
    const KeyPtr key = SecretKey(type);
    Octets32 plaintext = kPublic;
    Poison(plaintext);
    std::array<std::uint8_t, 32 + kAeadOverheadBytes> sealed;
    Require(AeadEncrypt(*key, plaintext, kPublic, sealed) == Status::kOk, "AeadEncrypt");
    Unpoison(sealed);
    Require(AeadDecrypt(*key, sealed, kPublic, plaintext) == Status::kOk, "AeadDecrypt");
    for (const std::size_t index : {std::size_t{20}, sealed.size() - 1}) {
      sealed[index] ^= 1;
      Require(AeadDecrypt(*key, sealed, kPublic, plaintext) == Status::kAuthenticationFailed,
              "a changed message");
    }
  });
}

void Messages() {
  Case("messages, with their derivation and commitment", [] {
    const KeyPtr key = SecretKey(KeyType::kBacking);
    Octets32 plaintext = kPublic;
    Poison(plaintext);
    std::array<std::uint8_t, 32 + kMessageOverheadBytes> blob;
    Require(MessageEncrypt(*key, {}, kPublic, plaintext, blob) == Status::kOk, "MessageEncrypt");
    Unpoison(blob);
    Require(MessageDecrypt(*key, 0, blob, kPublic, plaintext) == Status::kOk, "MessageDecrypt");
    // Nonce, first and last byte of the commitment, ciphertext, tag.
    for (const std::size_t index :
         {std::size_t{3}, std::size_t{16}, std::size_t{47}, std::size_t{50}, blob.size() - 1}) {
      auto changed = blob;
      changed[index] ^= 1;
      Require(MessageDecrypt(*key, 0, changed, kPublic, plaintext) == Status::kAuthenticationFailed,
              "a changed message");
    }
  });
}

void ProtectedKeys() {
  for (const KeyType type : {KeyType::kAesGcm, KeyType::kAes128Gcm, KeyType::kBacking}) {
    Case("WrapKey, UnwrapKey", [&] {
      const KeyPtr kek = SecretKey(KeyType::kBacking);
      std::array<std::uint8_t, kAes256KeyBytes + kWrapOverheadBytes> memory;
      const MutableBytes wrapped =
          MutableBytes(memory).first(KeyBytesOf(type) + kWrapOverheadBytes);
      Require(WrapKey(*kek, *SecretKey(type), kPublic, wrapped) == Status::kOk, "WrapKey");
      Unpoison(wrapped);
      ValueOf(UnwrapKey(*kek, wrapped, kPublic, type), "UnwrapKey");
      wrapped[20] ^= 1;
      Require(!UnwrapKey(*kek, wrapped, kPublic, type).ok(), "a changed commitment");
    });
  }
}

void KeyWrap() {
  Case("AES key wrap with padding", [] {
    const KeyPtr kek = SecretKey(KeyType::kAesKwp);
    std::array<std::uint8_t, KwpWrappedSize(32)> wrapped;
    Require(KwpWrap(*kek, *SecretKey(KeyType::kHmac), wrapped) == Status::kOk, "KwpWrap");
    Unpoison(wrapped);
    ValueOf(KwpUnwrap(*kek, wrapped, KeyType::kHmac), "KwpUnwrap");
    Octets32 bytes = kPublic;
    Poison(bytes);
    ValueOf(UnwrapSecret(bytes, WrapPadding::kPadded, wrapped), "UnwrapSecret");
    wrapped[9] ^= 1;
    Require(!KwpUnwrap(*kek, wrapped, KeyType::kHmac).ok(), "a changed wrapped key");
  });
  Case("AES key wrap", [] {
    const KeyPtr kek = SecretKey(KeyType::kAesKw);
    std::array<std::uint8_t, KwWrappedSize(32)> wrapped;
    Require(KwWrap(*kek, *SecretKey(KeyType::kHmac), wrapped) == Status::kOk, "KwWrap");
    Unpoison(wrapped);
    ValueOf(KwUnwrap(*kek, wrapped, KeyType::kHmac), "KwUnwrap");
    wrapped[9] ^= 1;
    Require(!KwUnwrap(*kek, wrapped, KeyType::kHmac).ok(), "a changed wrapped key");
  });
}

void Derivations() {
  Case("DeriveBytes, DeriveKey", [] {
    const KeyPtr key = SecretKey(KeyType::kBacking);
    Octets32 out;
    const Bytes label = AsBytes("test");
    Require(DeriveBytes(*key, label, kPublic, out) == Status::kOk, "DeriveBytes");
    ValueOf(DeriveKey(*key, label, kPublic, KeyType::kAesGcm), "DeriveKey");
  });
  Case("MaterialFingerprint", [] {
    Octets32 out;
    const KeyPtr key = SecretKey(KeyType::kHmac);
    Require(MaterialFingerprint(*key, *SecretKey(KeyType::kBacking), out) == Status::kOk,
            "MaterialFingerprint");
  });
}

#ifdef KEYWRIGHT_VECTOR
// What WebAssembly has in place of instructions for AES and GHASH, here with the vectors of this
// processor. Seven blocks go
// every way through counter mode.
void VectorPermutations() {
  Octets32 key = kPublic;
  Poison(key);
  std::array<std::uint8_t, 7 * 16> blocks{};
  Poison(blocks);
  for (const std::size_t key_bytes : {16, 24, 32}) {
    Case("vector AES", [&] {
      vector::AesSchedule schedule{};
      vector::AesExpandForEncryption(key.data(), key_bytes, schedule);
      vector::AesEncryptBlock(schedule, blocks.data(), blocks.data());
      vector::AesCounterMode(schedule, kPublic.data(), blocks.data(), blocks.data(), 7);
      vector::AesExpandForDecryption(key.data(), key_bytes, schedule);
      vector::AesDecryptBlock(schedule, blocks.data(), blocks.data());
      Require(schedule.rounds == key_bytes / 4 + 6, "AesExpandForDecryption");
    });
  }
  Case("vector GHASH", [&] {
    std::array<std::uint8_t, vector::kGhashProductsBytes> products{};
    std::array<std::uint8_t, 16> hash{};
    Poison(products);
    Poison(hash);
    vector::GhashUpdate(products.data(), hash.data(), blocks.data(), 7);
    vector::GhashMultiply(products.data(), hash.data());
  });
}
#endif

int Run() {
  if (RUNNING_ON_VALGRIND == 0) {
    std::fputs("run by script/test-native constant-time, under valgrind\n", stderr);
    return 2;
  }
  Require(InitializeLibrary(0) == Status::kOk, "InitializeLibrary");
  Controls();
  Comparison();
  Macs();
  Aead(KeyType::kAesGcm);
  Aead(KeyType::kAes128Gcm);
  Messages();
  ProtectedKeys();
  KeyWrap();
  Derivations();
#ifdef KEYWRIGHT_VECTOR
  VectorPermutations();
#endif
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace keywright

int main() { return keywright::Run(); }
