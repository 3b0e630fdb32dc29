// How fast libcrypto itself is on this machine: the constructions of the core in a plain loop, with
// no key table, no argument checks, no wiping and no binding. What the core loses against these
// figures is its own cost.
//
//   limit OPERATION SIZE ITEMS THREADS MINIMUM_MS SAMPLES
//
// OPERATION: encrypt decrypt encryptMessage decryptMessage generateDataKey. SIZE: bytes of one
// plaintext. ITEMS: messages laid end to end in one buffer, one pass over which is one round of the
// loop; every one of THREADS has buffers of its own. Prints SAMPLES lines:
// nanoseconds per message of all threads together, and of processor time, each over at least
// MINIMUM_MS milliseconds.
// `limit version` prints the version of libcrypto.

#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_Transform: EVP cannot start from a saved state

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "loop.h"

namespace {

constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kDerivationNonceBytes = 16;
constexpr std::size_t kCommitmentBytes = 32;
constexpr std::size_t kHeaderBytes = 50;  // of the ciphertext format
constexpr std::size_t kAadBytes = 32;
constexpr std::size_t kBlockBytes = 64;  // of SHA-256
constexpr std::string_view kLabel = "keywright/message/v1";

using Byte = std::uint8_t;

void Require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "limit: %s\n", what);
    std::exit(1);
  }
}

// Random bytes out of a block of 4096, which one call of libcrypto fills.
void DrawNonce(Byte* out, std::size_t size) {
  thread_local std::array<Byte, 4096> block;
  thread_local std::size_t available = 0;
  if (available < size) {
    Require(RAND_bytes(block.data(), static_cast<int>(block.size())) == 1, "RAND_bytes failed");
    available = block.size();
  }
  std::memcpy(out, block.data() + block.size() - available, size);
  available -= size;
}

// AES-256-GCM on one context. A null key keeps the schedule of the last one.
class Gcm {
 public:
  explicit Gcm(bool encrypts) : encrypts_(encrypts) {
    EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    Require(
        cipher && EVP_CipherInit_ex2(context_, cipher, nullptr, nullptr, encrypts_, nullptr) == 1,
        "no AES-256-GCM");
    EVP_CIPHER_free(cipher);
  }
  ~Gcm() { EVP_CIPHER_CTX_free(context_); }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  void Start(const Byte* key, const Byte* nonce) {
    Require(EVP_CipherInit_ex2(context_, nullptr, key, nonce, encrypts_, nullptr) == 1, "start");
  }
  void Authenticate(const Byte* aad, std::size_t size) { Update(nullptr, aad, size); }
  void Update(Byte* out, const Byte* in, std::size_t size) {
    int written = 0;
    Require(EVP_CipherUpdate(context_, out, &written, in, static_cast<int>(size)) == 1, "update");
  }
  void FinishEncrypt(Byte* tag) {
    OSSL_PARAM parameters[] = {Tag(tag), OSSL_PARAM_construct_end()};
    Finish();
    Require(EVP_CIPHER_CTX_get_params(context_, parameters) == 1, "tag");
  }
  void FinishDecrypt(const Byte* tag) {
    const OSSL_PARAM parameters[] = {Tag(const_cast<Byte*>(tag)), OSSL_PARAM_construct_end()};
    Require(EVP_CIPHER_CTX_set_params(context_, parameters) == 1, "tag");
    Finish();
  }

 private:
  static OSSL_PARAM Tag(Byte* tag) {
    return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kTagBytes);
  }
  void Finish() {
    int written = 0;
    Byte nothing = 0;
    Require(EVP_CipherFinal_ex(context_, &nothing, &written) == 1, "authentication failed");
  }

  EVP_CIPHER_CTX* context_ = EVP_CIPHER_CTX_new();
  bool encrypts_;
};

void StoreBigEndian32(std::uint32_t value, Byte* out) {
  value = __builtin_bswap32(value);
  std::memcpy(out, &value, sizeof(value));
}

// SP 800-108 in counter mode with HMAC-SHA-256 whose pads are hashed beforehand: 64 bytes for four
// compressions.
class Derivation {
 public:
  explicit Derivation(const Byte* key) {
    HashPad(key, 0x36, inner_);
    HashPad(key, 0x5c, outer_);
  }

  void Derive(const Byte* nonce, std::array<Byte, 64>& out) const {
    constexpr std::size_t kLength = 4 + kLabel.size() + 1 + kDerivationNonceBytes + 4;
    std::array<Byte, kBlockBytes> block{};
    std::memcpy(&block[4], kLabel.data(), kLabel.size());
    std::memcpy(&block[5 + kLabel.size()], nonce, kDerivationNonceBytes);
    StoreBigEndian32(static_cast<std::uint32_t>(out.size() * 8), &block[kLength - 4]);
    block[kLength] = 0x80;
    StoreBigEndian32((kBlockBytes + kLength) * 8, &block[kBlockBytes - 4]);
    for (std::uint32_t i = 0; i < 2; ++i) {
      StoreBigEndian32(i + 1, block.data());
      std::array<Byte, kBlockBytes> digest{};
      Compress(inner_, block, digest.data());
      digest[32] = 0x80;
      StoreBigEndian32((kBlockBytes + 32) * 8, &digest[kBlockBytes - 4]);
      Compress(outer_, digest, &out[32 * i]);
    }
  }

 private:
  static void HashPad(const Byte* key, Byte pad, SHA256_CTX& context) {
    std::array<Byte, kBlockBytes> block;
    block.fill(pad);
    for (std::size_t i = 0; i < kKeyBytes; ++i) {
      block[i] ^= key[i];
    }
    SHA256_Init(&context);
    SHA256_Transform(&context, block.data());
  }
  static void Compress(const SHA256_CTX& from, const std::array<Byte, kBlockBytes>& block,
                       Byte* out) {
    SHA256_CTX context;
    std::memcpy(context.h, from.h, sizeof(context.h));
    SHA256_Transform(&context, block.data());
    for (std::size_t i = 0; i < 8; ++i) {
      StoreBigEndian32(context.h[i], out + 4 * i);
    }
  }

  SHA256_CTX inner_{};
  SHA256_CTX outer_{};
};

struct Bench {
  std::size_t size;
  std::size_t items;
  std::array<Byte, kKeyBytes> key{};
  std::array<Byte, kHeaderBytes> header{};
  std::array<Byte, kAadBytes> aad{};
  Gcm encryption{true};
  Gcm decryption{false};
  Derivation derivation{key.data()};
  std::vector<Byte> plaintext = std::vector<Byte>(size * items, 7);
  std::vector<Byte> sealed = std::vector<Byte>(
      (size + kHeaderBytes + kDerivationNonceBytes + kCommitmentBytes + kTagBytes) * items, 0);

  Bench(std::size_t size_bytes, std::size_t item_count) : size(size_bytes), items(item_count) {
    std::array<Byte, kNonceBytes> nonce{};
    encryption.Start(key.data(), nonce.data());
    decryption.Start(key.data(), nonce.data());
  }

  void Encrypt() {
    Byte* out = sealed.data();
    for (std::size_t i = 0; i < items; ++i, out += kNonceBytes + size + kTagBytes) {
      DrawNonce(out, kNonceBytes);
      encryption.Start(nullptr, out);
      encryption.Authenticate(aad.data(), aad.size());
      encryption.Update(out + kNonceBytes, &plaintext[i * size], size);
      encryption.FinishEncrypt(out + kNonceBytes + size);
    }
  }
  void Decrypt() {
    const Byte* in = sealed.data();
    for (std::size_t i = 0; i < items; ++i, in += kNonceBytes + size + kTagBytes) {
      decryption.Start(nullptr, in);
      decryption.Authenticate(aad.data(), aad.size());
      decryption.Update(&plaintext[i * size], in + kNonceBytes, size);
      decryption.FinishDecrypt(in + kNonceBytes + size);
    }
  }

  // A pass over the messages: header ‖ KDF nonce ‖ commitment ‖ ciphertext ‖ tag.
  void EncryptMessage() {
    Byte* blob = sealed.data();
    for (std::size_t i = 0; i < items; ++i) {
      std::memcpy(blob, header.data(), header.size());
      Byte* nonce = blob + kHeaderBytes;
      DrawNonce(nonce, kDerivationNonceBytes);
      Byte* commitment = nonce + kDerivationNonceBytes;
      StartMessage(encryption, nonce, blob);
      std::memcpy(commitment, &derived_[kKeyBytes], kCommitmentBytes);
      encryption.Update(commitment + kCommitmentBytes, &plaintext[i * size], size);
      encryption.FinishEncrypt(commitment + kCommitmentBytes + size);
      blob = commitment + kCommitmentBytes + size + kTagBytes;
    }
  }
  void DecryptMessage() {
    const Byte* blob = sealed.data();
    for (std::size_t i = 0; i < items; ++i) {
      const Byte* nonce = blob + kHeaderBytes;
      const Byte* commitment = nonce + kDerivationNonceBytes;
      StartMessage(decryption, nonce, blob);
      Require(CRYPTO_memcmp(commitment, &derived_[kKeyBytes], kCommitmentBytes) == 0, "commitment");
      decryption.Update(&plaintext[i * size], commitment + kCommitmentBytes, size);
      decryption.FinishDecrypt(commitment + kCommitmentBytes + size);
      blob = commitment + kCommitmentBytes + size + kTagBytes;
    }
  }
  void GenerateDataKeys() {
    Require(RAND_priv_bytes(plaintext.data(), static_cast<int>(plaintext.size())) == 1,
            "RAND_priv_bytes failed");
    EncryptMessage();
  }

 private:
  void StartMessage(Gcm& gcm, const Byte* nonce, const Byte* blob) {
    static constexpr std::array<Byte, kNonceBytes> kZeroNonce{};
    derivation.Derive(nonce, derived_);
    gcm.Start(derived_.data(), kZeroNonce.data());
    gcm.Authenticate(blob, kHeaderBytes);
    gcm.Authenticate(aad.data(), aad.size());
  }

  std::array<Byte, kKeyBytes + kCommitmentBytes> derived_{};
};

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "version") {
    std::printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    return 0;
  }
  Require(count == 7, "usage: limit OPERATION SIZE ITEMS THREADS MINIMUM_MS SAMPLES");
  const std::size_t size = std::strtoul(arguments[2], nullptr, 10);
  const std::size_t items = std::strtoul(arguments[3], nullptr, 10);
  struct Pass {
    void (Bench::*prepare)();  // what is to be decrypted has to be there
    void (Bench::*run)();
  };
  const std::map<std::string, Pass> passes = {
      {"encrypt", {nullptr, &Bench::Encrypt}},
      {"decrypt", {&Bench::Encrypt, &Bench::Decrypt}},
      {"encryptMessage", {nullptr, &Bench::EncryptMessage}},
      {"decryptMessage", {&Bench::EncryptMessage, &Bench::DecryptMessage}},
      {"generateDataKey", {nullptr, &Bench::GenerateDataKeys}},
  };
  Require(passes.contains(arguments[1]), "unknown operation");
  const Pass pass = passes.at(arguments[1]);
  const auto make = [&]() -> bench::Operation {
    const auto state = std::make_shared<Bench>(size, items);
    if (pass.prepare != nullptr) {
      ((*state).*pass.prepare)();
    }
    return [state, run = pass.run] { ((*state).*run)(); };
  };
  bench::Measure(make, std::strtoul(arguments[4], nullptr, 10), items,
                 std::strtod(arguments[5], nullptr) * 1e6, std::atoi(arguments[6]));
  return 0;
}
