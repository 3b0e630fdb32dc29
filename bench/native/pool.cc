// How fast libcrypto itself is with several threads: operations of one key in plain loops, each
// thread with a context of its own that is prepared once, with no queue, no copies and no binding.
//
//   pool TYPE OPERATION THREADS MINIMUM_MS SAMPLES <PRIVATE_KEY_INFO
//
// TYPE: a key type of the core, such as rsa2048, p256, mlKem768, hmac. OPERATION: signPss signPkcs1
// verifyPss verifyPkcs1 encrypt decrypt (RSA), sign verify derive (curves, ML-DSA), encapsulate
// decapsulate (ML-KEM), generate (any key pair), mac (hmac). The key is read from standard input
// (PKCS#8, DER), or made when that is empty. Prints SAMPLES lines: nanoseconds per operation over
// all threads, and of processor time, each over at least MINIMUM_MS milliseconds.

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "loop.h"

namespace {

using Byte = std::uint8_t;
using Buffer = std::vector<Byte>;
using bench::Operation;

constexpr std::size_t kMessageBytes = 32;
constexpr std::size_t kMaxResultBytes = 8192;

void Require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "pool: %s\n", what);
    std::exit(1);
  }
}

struct Type {
  const char* name;      // of libcrypto
  const char* group;     // of a curve
  std::size_t rsa_bits;  // of RSA
  std::size_t digest_bytes;
};

const std::map<std::string, Type> kTypes = {
    {"rsa2048", {"RSA", nullptr, 2048, 32}},     {"rsa3072", {"RSA", nullptr, 3072, 32}},
    {"rsa4096", {"RSA", nullptr, 4096, 32}},     {"p256", {"EC", "prime256v1", 0, 32}},
    {"p384", {"EC", "secp384r1", 0, 48}},        {"p521", {"EC", "secp521r1", 0, 64}},
    {"secp256k1", {"EC", "secp256k1", 0, 32}},   {"ed25519", {"ED25519", nullptr, 0, 0}},
    {"mlDsa44", {"ML-DSA-44", nullptr, 0, 0}},   {"mlDsa65", {"ML-DSA-65", nullptr, 0, 0}},
    {"mlDsa87", {"ML-DSA-87", nullptr, 0, 0}},   {"mlKem512", {"ML-KEM-512", nullptr, 0, 0}},
    {"mlKem768", {"ML-KEM-768", nullptr, 0, 0}}, {"mlKem1024", {"ML-KEM-1024", nullptr, 0, 0}},
    {"hmac", {nullptr, nullptr, 0, 0}},
};

OSSL_PARAM Text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

EVP_PKEY_CTX* GenerationOf(const Type& type) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, type.name, nullptr);
  Require(context != nullptr && EVP_PKEY_keygen_init(context) == 1, "no such key type");
  std::size_t bits = type.rsa_bits;
  const OSSL_PARAM parameters[] = {
      type.group != nullptr ? Text(OSSL_PKEY_PARAM_GROUP_NAME, type.group)
      : bits != 0           ? OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits)
                            : OSSL_PARAM_construct_end(),
      OSSL_PARAM_construct_end()};
  Require(EVP_PKEY_CTX_set_params(context, parameters) == 1, "no such parameters");
  return context;
}

EVP_PKEY* MakeKey(const Type& type) {
  Buffer encoded(4096);
  encoded.resize(std::fread(encoded.data(), 1, encoded.size(), stdin));
  const Byte* next = encoded.data();
  EVP_PKEY* key = nullptr;
  if (encoded.empty()) {
    EVP_PKEY_CTX* generation = GenerationOf(type);
    Require(EVP_PKEY_generate(generation, &key) == 1, "no key");
    EVP_PKEY_CTX_free(generation);
  } else {
    key = d2i_AutoPrivateKey(nullptr, &next, static_cast<long>(encoded.size()));
  }
  Require(key != nullptr, "the key cannot be read");
  return key;
}

EVP_PKEY_CTX* ContextOf(EVP_PKEY* key) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  Require(context != nullptr, "no context");
  return context;
}

// Contexts live as long as the process: it ends when it has measured.
class Key {
 public:
  Key(const Type& type, EVP_PKEY* key) : type_(type), key_(key) {}

  EVP_PKEY_CTX* Signing(const std::string& padding, bool signs) const {
    EVP_PKEY_CTX* context = ContextOf(key_);
    if (type_.digest_bytes == 0) {  // a scheme that hashes for itself
      EVP_SIGNATURE* scheme = EVP_SIGNATURE_fetch(nullptr, type_.name, nullptr);
      Require((signs ? EVP_PKEY_sign_message_init(context, scheme, nullptr)
                     : EVP_PKEY_verify_message_init(context, scheme, nullptr)) == 1,
              "init");
      return context;
    }
    const bool is_pss = padding == OSSL_PKEY_RSA_PAD_MODE_PSS;
    const OSSL_PARAM rsa[] = {
        Text(OSSL_SIGNATURE_PARAM_DIGEST, "SHA2-256"),
        Text(OSSL_SIGNATURE_PARAM_PAD_MODE, padding.c_str()),
        is_pss ? Text(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST)
               : OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end()};
    const OSSL_PARAM* parameters = type_.rsa_bits == 0 ? nullptr : rsa;
    Require((signs ? EVP_PKEY_sign_init_ex(context, parameters)
                   : EVP_PKEY_verify_init_ex(context, parameters)) == 1,
            "init");
    return context;
  }

  Buffer Input() const {
    return Buffer(type_.digest_bytes == 0 ? kMessageBytes : type_.digest_bytes, 7);
  }

  Operation Sign(const std::string& padding) const {
    return
        [context = Signing(padding, true), in = Input(), out = Buffer(kMaxResultBytes)]() mutable {
          std::size_t size = out.size();
          Require(EVP_PKEY_sign(context, out.data(), &size, in.data(), in.size()) == 1, "sign");
        };
  }
  Operation Verify(const std::string& padding) const {
    Buffer signature(kMaxResultBytes);
    std::size_t size = signature.size();
    const Buffer in = Input();
    Require(
        EVP_PKEY_sign(Signing(padding, true), signature.data(), &size, in.data(), in.size()) == 1,
        "sign");
    signature.resize(size);
    return [context = Signing(padding, false), in, signature] {
      Require(
          EVP_PKEY_verify(context, signature.data(), signature.size(), in.data(), in.size()) == 1,
          "verify");
    };
  }

  EVP_PKEY_CTX* Encrypting(bool encrypts) const {
    const OSSL_PARAM parameters[] = {
        Text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_OAEP),
        Text(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, "SHA2-256"), OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX* context = ContextOf(key_);
    Require((encrypts ? EVP_PKEY_encrypt_init_ex(context, parameters)
                      : EVP_PKEY_decrypt_init_ex(context, parameters)) == 1,
            "init");
    return context;
  }
  Operation Encrypt() const {
    return [context = Encrypting(true), in = Buffer(kMessageBytes),
            out = Buffer(kMaxResultBytes)]() mutable {
      std::size_t size = out.size();
      Require(EVP_PKEY_encrypt(context, out.data(), &size, in.data(), in.size()) == 1, "encrypt");
    };
  }
  Operation Decrypt() const {
    const Buffer plaintext(kMessageBytes);
    Buffer in(kMaxResultBytes);
    std::size_t length = in.size();
    Require(EVP_PKEY_encrypt(Encrypting(true), in.data(), &length, plaintext.data(),
                             plaintext.size()) == 1,
            "encrypt");
    in.resize(length);
    return [context = Encrypting(false), in, out = Buffer(kMaxResultBytes)]() mutable {
      std::size_t size = out.size();
      Require(EVP_PKEY_decrypt(context, out.data(), &size, in.data(), in.size()) == 1, "decrypt");
    };
  }

  // With another public key, which is read anew every time: that of the other side changes.
  Operation Derive() const {
    EVP_PKEY_CTX* generation = GenerationOf(type_);
    EVP_PKEY* peer = nullptr;
    Require(EVP_PKEY_generate(generation, &peer) == 1, "no peer");
    Buffer point(133);
    std::size_t size = 0;
    Require(EVP_PKEY_get_octet_string_param(peer, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(),
                                            point.size(), &size) == 1,
            "no point");
    point.resize(size);
    EVP_PKEY_CTX* reading = EVP_PKEY_CTX_new_from_name(nullptr, type_.name, nullptr);
    EVP_PKEY_CTX* context = ContextOf(key_);
    Require(EVP_PKEY_fromdata_init(reading) == 1 && EVP_PKEY_derive_init(context) == 1, "init");
    return [reading, context, point, group = type_.group, out = Buffer(kMaxResultBytes)]() mutable {
      OSSL_PARAM parameters[] = {
          Text(OSSL_PKEY_PARAM_GROUP_NAME, group),
          OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
          OSSL_PARAM_construct_end()};
      EVP_PKEY* other = nullptr;
      std::size_t length = out.size();
      Require(EVP_PKEY_fromdata(reading, &other, EVP_PKEY_PUBLIC_KEY, parameters) == 1 &&
                  EVP_PKEY_derive_set_peer_ex(context, other, 0) == 1 &&
                  EVP_PKEY_derive(context, out.data(), &length) == 1,
              "derive");
      EVP_PKEY_free(other);
    };
  }

  Operation Encapsulate() const {
    EVP_PKEY_CTX* context = ContextOf(key_);
    Require(EVP_PKEY_encapsulate_init(context, nullptr) == 1, "init");
    return [context, out = Buffer(kMaxResultBytes), secret = Buffer(kMessageBytes)]() mutable {
      std::size_t size = out.size();
      std::size_t length = secret.size();
      Require(EVP_PKEY_encapsulate(context, out.data(), &size, secret.data(), &length) == 1,
              "encapsulate");
    };
  }
  Operation Decapsulate() const {
    EVP_PKEY_CTX* sending = ContextOf(key_);
    EVP_PKEY_CTX* context = ContextOf(key_);
    Buffer in(kMaxResultBytes);
    Buffer secret(kMessageBytes);
    std::size_t size = in.size();
    std::size_t length = secret.size();
    Require(EVP_PKEY_encapsulate_init(sending, nullptr) == 1 &&
                EVP_PKEY_encapsulate(sending, in.data(), &size, secret.data(), &length) == 1 &&
                EVP_PKEY_decapsulate_init(context, nullptr) == 1,
            "init");
    in.resize(size);
    return [context, in, secret]() mutable {
      std::size_t written = secret.size();
      Require(EVP_PKEY_decapsulate(context, secret.data(), &written, in.data(), in.size()) == 1,
              "decapsulate");
    };
  }

  Operation Generate() const {
    return [context = GenerationOf(type_)] {
      EVP_PKEY* made = nullptr;
      Require(EVP_PKEY_generate(context, &made) == 1, "generate");
      EVP_PKEY_free(made);
    };
  }

 private:
  Type type_;
  EVP_PKEY* key_;
};

Operation Mac() {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(hmac);
  const OSSL_PARAM parameters[] = {Text(OSSL_MAC_PARAM_DIGEST, "SHA2-256"),
                                   OSSL_PARAM_construct_end()};
  const Buffer key(32, 7);
  Require(EVP_MAC_init(context, key.data(), key.size(), parameters) == 1, "init");
  return [context, in = Buffer(kMessageBytes), out = std::array<Byte, 32>()]() mutable {
    std::size_t size = 0;
    Require(EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
                EVP_MAC_update(context, in.data(), in.size()) == 1 &&
                EVP_MAC_final(context, out.data(), &size, out.size()) == 1,
            "mac");
  };
}

Operation Make(const std::string& name, const Key& key) {
  const std::map<std::string, std::function<Operation()>> makers = {
      {"signPss", [&] { return key.Sign(OSSL_PKEY_RSA_PAD_MODE_PSS); }},
      {"signPkcs1", [&] { return key.Sign(OSSL_PKEY_RSA_PAD_MODE_PKCSV15); }},
      {"verifyPss", [&] { return key.Verify(OSSL_PKEY_RSA_PAD_MODE_PSS); }},
      {"verifyPkcs1", [&] { return key.Verify(OSSL_PKEY_RSA_PAD_MODE_PKCSV15); }},
      {"encrypt", [&] { return key.Encrypt(); }},
      {"decrypt", [&] { return key.Decrypt(); }},
      {"sign", [&] { return key.Sign(""); }},
      {"verify", [&] { return key.Verify(""); }},
      {"derive", [&] { return key.Derive(); }},
      {"encapsulate", [&] { return key.Encapsulate(); }},
      {"decapsulate", [&] { return key.Decapsulate(); }},
      {"generate", [&] { return key.Generate(); }},
      {"mac", Mac},
  };
  Require(makers.contains(name), "unknown operation");
  return makers.at(name)();
}

}  // namespace

int main(int count, char** arguments) {
  Require(count == 6, "usage: pool TYPE OPERATION THREADS MINIMUM_MS SAMPLES");
  const std::string type_name = arguments[1];
  const std::string operation_name = arguments[2];
  const std::size_t threads = std::strtoul(arguments[3], nullptr, 10);
  const double minimum_ns = std::strtod(arguments[4], nullptr) * 1e6;
  const int samples = std::atoi(arguments[5]);
  Require(kTypes.contains(type_name), "unknown type");
  const Type& type = kTypes.at(type_name);
  const bool has_key = operation_name != "mac" && operation_name != "generate";
  const Key key(type, has_key ? MakeKey(type) : nullptr);
  bench::Measure([&] { return Make(operation_name, key); }, threads, 1, minimum_ns, samples);
  return 0;
}
