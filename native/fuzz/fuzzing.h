#ifndef KEYWRIGHT_FUZZ_FUZZING_H_
#define KEYWRIGHT_FUZZ_FUZZING_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "core/bytes.h"
#include "core/key.h"
#include "core/result.h"

// What the fuzz targets of this folder share. A target is a file with the two functions at the end
// of this header; fuzzing.cc is its connection to libFuzzer.

namespace keywright::fuzz {

using Vector = std::vector<std::uint8_t>;

inline Vector Copy(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
Vector Concat(std::initializer_list<Bytes> parts);

// The bytes of one execution, taken from the front: zeros, and nothing, when they are used up.
class Input {
 public:
  explicit Input(Bytes bytes) : rest_(bytes) {}

  std::uint8_t Byte();
  std::uint16_t Number16();  // big-endian
  std::uint32_t Number32();
  // `length` bytes or what is left, in memory of their own, so that AddressSanitizer sees its ends.
  Vector Take(std::size_t length);
  // The same as an input of its own, for what decides about bytes that come later.
  Input Part(std::size_t length);
  Vector Rest() { return Take(rest_.size()); }

  // Changes `bytes` in a way that the input describes; false when they stayed the same.
  bool Edit(Vector& bytes);

 private:
  Bytes rest_;
};

// The other direction, for seeds.
class Output {
 public:
  Output& Byte(std::size_t value);
  Output& Number16(std::size_t value);
  Output& Number32(std::size_t value);
  Output& Append(Bytes bytes);
  Vector Done() { return std::move(bytes_); }

 private:
  Vector bytes_;
};

// Ends the process, which libFuzzer takes for a crash, when an invariant does not hold.
void Check(bool holds, const char* invariant);
void CheckStatus(Status status, std::initializer_list<Status> documented, const char* function);
bool AreEqual(Bytes a, Bytes b);
bool IsZero(Bytes bytes);

// Keys that are the same in every process, so that seeds stay valid. Nothing else uses them.
const Key& FixedKey(KeyType type);   // symmetric; 32 bytes, or 16 of kAes128Gcm
const Key& FixedPair(KeyType type);  // RSA-2048 for every size of RSA
KeyPtr PublicPartOf(const Key& pair);
Vector FixedBytes(KeyType type);  // those of FixedKey

inline constexpr KeyType kSymmetricTypes[] = {KeyType::kAesGcm,  KeyType::kAesKwp,
                                              KeyType::kBacking, KeyType::kHmac,
                                              KeyType::kAesKw,   KeyType::kAes128Gcm};
inline constexpr KeyType kPairTypes[] = {
    KeyType::kRsa2048,  KeyType::kRsa3072,  KeyType::kRsa4096,   KeyType::kP256,
    KeyType::kP384,     KeyType::kP521,     KeyType::kSecp256k1, KeyType::kEd25519,
    KeyType::kSm2,      KeyType::kMlDsa44,  KeyType::kMlDsa65,   KeyType::kMlDsa87,
    KeyType::kMlKem512, KeyType::kMlKem768, KeyType::kMlKem1024};

KeyType PairTypeFrom(std::uint8_t number);
// Of any kind.
KeyType TypeFrom(std::uint8_t number);

// RFC 3394 or, padded, RFC 5649 of bytes that need not be a key. Empty when they are too few.
Vector WrapBytes(Bytes kek, Bytes secret, bool is_padded);

Vector ExportedPublicKey(const Key& key);

// To be defined by each target.

// One execution.
void Run(Input input);
// Inputs to start from, for native/fuzz/corpus.
std::vector<Vector> Seeds();

}  // namespace keywright::fuzz

#endif  // KEYWRIGHT_FUZZ_FUZZING_H_
