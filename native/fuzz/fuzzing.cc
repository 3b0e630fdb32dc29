#include "fuzz/fuzzing.h"

#include <sanitizer/lsan_interface.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "core/asymmetric_type.h"
#include "core/der.h"
#include "core/key_pair_codec.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/random.h"

namespace keywright::fuzz {
namespace {

// PrivateKeyInfo of an RSA-2048 key that was made for this file.
constexpr std::string_view kRsaKey =
#include "fuzz/fixed_rsa_key.inc"
    ;

Vector FromHex(std::string_view hex) {
  Vector bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(
        std::strtoul(std::string(hex.substr(i, 2)).c_str(), nullptr, 16)));
  }
  return bytes;
}

// A PrivateKeyInfo of a curve: the scalar is below every order, and libcrypto adds the point.
Vector CurveKey(const AsymmetricType& type) {
  Vector scalar(type.public_bytes / 2, 0x5a);
  scalar[0] = 0x00;
  const std::uint8_t zero = 0;
  const std::uint8_t one = 1;
  const DerBytes key = DerValue(DerTag::kSequence, {DerValue(DerTag::kInteger, {{&one, 1}}),
                                                    DerValue(DerTag::kOctetString, {scalar})});
  return DerValue(DerTag::kSequence,
                  {DerValue(DerTag::kInteger, {{&zero, 1}}), AsBytes(type.algorithm),
                   DerValue(DerTag::kOctetString, {key})});
}

KeyPtr MakePair(KeyType type) {
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  Vector encoded;
  if (traits.family == Family::kRsa) {
    type = KeyType::kRsa2048;
    encoded = FromHex(kRsaKey);
  } else if (traits.group != nullptr) {
    encoded = CurveKey(traits);
  } else {
    encoded = Vector(traits.seed_bytes, 0xc3);
  }
  Result<KeyPtr> pair = ImportPrivateKey(type, encoded);
  Check(pair.ok(), "the fixed key pairs can be read");
  return std::move(pair).value();
}

void WriteSeeds(const char* folder) {
  int number = 100;
  for (const Vector& seed : Seeds()) {
    std::ofstream file(std::string(folder) + "/" + std::to_string(++number).substr(1),
                       std::ios::binary);
    file.write(reinterpret_cast<const char*>(seed.data()),
               static_cast<std::streamsize>(seed.size()));
    Check(file.good(), "the seeds can be written");
  }
}

}  // namespace

std::uint8_t Input::Byte() {
  if (rest_.empty()) {
    return 0;
  }
  const std::uint8_t byte = rest_.front();
  rest_ = rest_.subspan(1);
  return byte;
}

std::uint16_t Input::Number16() {
  const unsigned high = Byte();
  return static_cast<std::uint16_t>(high << 8 | Byte());
}

std::uint32_t Input::Number32() {
  const std::uint32_t high = Number16();
  return high << 16 | Number16();
}

Vector Input::Take(std::size_t length) {
  const Bytes taken = rest_.first(std::min(length, rest_.size()));
  rest_ = rest_.subspan(taken.size());
  // Not a longer vector cut: its capacity would hide reads behind the end.
  return Copy(taken);
}

Input Input::Part(std::size_t length) {
  const Bytes part = rest_.first(std::min(length, rest_.size()));
  rest_ = rest_.subspan(part.size());
  return Input(part);
}

bool Input::Edit(Vector& bytes) {
  const Vector before = bytes;
  const std::uint8_t count = Byte() % 4;
  for (std::uint8_t i = 0; i < count; ++i) {
    const std::uint8_t kind = Byte() % 4;
    const std::size_t at = bytes.empty() ? 0 : Number16() % bytes.size();
    const auto position = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    if (kind == 0 || bytes.empty()) {
      bytes.insert(position, Byte());
    } else if (kind == 1) {
      bytes.erase(position);
    } else if (kind == 2) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ Byte());
    }
  }
  const bool is_changed = bytes != before;
  bytes.shrink_to_fit();
  return is_changed;
}

Output& Output::Byte(std::size_t value) {
  bytes_.push_back(static_cast<std::uint8_t>(value));
  return *this;
}

Output& Output::Number16(std::size_t value) { return Byte(value >> 8).Byte(value); }

Output& Output::Number32(std::size_t value) { return Number16(value >> 16).Number16(value); }

Output& Output::Append(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Vector Concat(std::initializer_list<Bytes> parts) {
  Output all;
  for (const Bytes part : parts) {
    all.Append(part);
  }
  return all.Done();
}

void Check(bool holds, const char* invariant) {
  if (!holds) {
    std::cerr << "BROKEN INVARIANT: " << invariant << "\n";
    std::abort();
  }
}

void CheckStatus(Status status, std::initializer_list<Status> documented, const char* function) {
  if (std::find(documented.begin(), documented.end(), status) == documented.end()) {
    std::cerr << "BROKEN INVARIANT: " << function << " gave the undocumented status "
              << static_cast<int>(status) << "\n";
    std::abort();
  }
}

bool AreEqual(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool IsZero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

Vector FixedBytes(KeyType type) {
  Vector bytes(KeyBytesOf(type), static_cast<std::uint8_t>(0xa0 + static_cast<unsigned>(type)));
  return bytes;
}

const Key& FixedKey(KeyType type) {
  static std::array<KeyPtr, 16> keys;
  KeyPtr& key = keys.at(static_cast<std::size_t>(type));
  if (!key) {
    key = Key::Import(type, FixedBytes(type)).value();
  }
  return *key;
}

const Key& FixedPair(KeyType type) {
  static std::array<KeyPtr, 32> pairs;
  KeyPtr& pair = pairs.at(static_cast<std::size_t>(type));
  if (!pair) {
    pair = MakePair(type);
  }
  return *pair;
}

KeyPtr PublicPartOf(const Key& pair) {
  return ImportPublicKey(pair.type(), ExportedPublicKey(pair)).value();
}

Vector ExportedPublicKey(const Key& key) {
  Vector spki(kMaxSpkiBytes);
  const Result<std::size_t> length = ExportPublicKey(key, spki);
  CheckStatus(length.status(), {Status::kOk}, "ExportPublicKey");
  return Copy(Bytes(spki).first(length.value()));
}

KeyType PairTypeFrom(std::uint8_t number) { return kPairTypes[number % std::size(kPairTypes)]; }

KeyType TypeFrom(std::uint8_t number) {
  const std::size_t index = number % (std::size(kPairTypes) + std::size(kSymmetricTypes));
  return index < std::size(kPairTypes) ? kPairTypes[index]
                                       : kSymmetricTypes[index - std::size(kPairTypes)];
}

// By libcrypto's own key wrap, which the core does not use.
Vector WrapBytes(Bytes kek, Bytes secret, bool is_padded) {
  const EvpCipherPtr cipher(EVP_CIPHER_fetch(
      Library().context, is_padded ? "AES-256-WRAP-PAD" : "AES-256-WRAP", nullptr));
  const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Vector wrapped(secret.size() + 16);
  int written = 0;
  if (EVP_EncryptInit_ex2(context.get(), cipher.get(), kek.data(), nullptr, nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), wrapped.data(), &written, secret.data(),
                        static_cast<int>(secret.size())) != 1) {
    static_cast<void>(Fail(Status::kLibcryptoFailed));
    written = 0;
  }
  return Copy(Bytes(wrapped).first(static_cast<std::size_t>(written)));
}

}  // namespace keywright::fuzz

using keywright::fuzz::Check;
using keywright::fuzz::Input;

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  // What is made here lives as long as the process, and hangs on pointers in the secure heap, where
  // LeakSanitizer does not look.
  __lsan_disable();
  Check(keywright::InitializeLibrary(0) == keywright::Status::kOk, "the library starts");
  std::array<std::uint8_t, 16> drawn{};
  Check(keywright::RandomPublic(drawn) == keywright::Status::kOk &&
            keywright::RandomSecret(drawn) == keywright::Status::kOk &&
            keywright::RandomNonce(drawn) == keywright::Status::kOk,
        "random generators start");
  for (const keywright::KeyType type : keywright::fuzz::kPairTypes) {
    static_cast<void>(keywright::fuzz::FixedPair(type));
  }
  if (const char* folder = std::getenv("KEYWRIGHT_FUZZ_SEEDS")) {
    keywright::fuzz::WriteSeeds(folder);
    std::_Exit(0);
  }
  __lsan_enable();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  keywright::fuzz::Run(Input({data, size}));
  return 0;
}
