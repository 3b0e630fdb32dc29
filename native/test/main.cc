#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "core/library_context.h"
#include "test/testing.h"

namespace keywright {
namespace {

std::uint64_t seed = 0;

std::uint64_t ChooseSeed() {
  const char* text = std::getenv("KEYWRIGHT_TEST_SEED");
  std::uint64_t chosen = 0;
  if (text == nullptr) {
    return std::random_device()();
  }
  if (std::from_chars(text, text + std::strlen(text), chosen).ec != std::errc()) {
    std::cerr << "KEYWRIGHT_TEST_SEED must be a number\n";
    std::exit(2);
  }
  return chosen;
}

int HexDigit(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }

}  // namespace

std::uint64_t TestSeed() { return seed; }

Generator::Generator() : engine_(seed) {}

std::size_t Generator::Number(std::size_t min, std::size_t max) {
  return std::uniform_int_distribution<std::size_t>(min, max)(engine_);
}

Vector Generator::Octets(std::size_t length) {
  Vector bytes(length);
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(Number(0, 255));
  }
  return bytes;
}

Vector FromHex(std::string_view hex) {
  Vector bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(HexDigit(hex[2 * i]) << 4 | HexDigit(hex[2 * i + 1]));
  }
  return bytes;
}

Vector Concat(std::initializer_list<Bytes> parts) {
  Vector all;
  for (const Bytes part : parts) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

KeyPtr MakeKey(KeyType type, Bytes bytes) { return Key::Import(type, bytes).value(); }

KeyPtr FreshKey(KeyType type, std::size_t length) { return Key::Generate(type, length).value(); }

namespace {

int Run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  seed = ChooseSeed();
  std::cerr << "Seed (repeat with KEYWRIGHT_TEST_SEED): " << seed << "\n";
  if (InitializeLibrary(0) != Status::kOk) {
    std::cerr << "the library did not start\n";
    return 2;
  }
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace keywright

int main(int argc, char** argv) { return keywright::Run(argc, argv); }
