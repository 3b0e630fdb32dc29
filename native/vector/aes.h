#ifndef KEYWRIGHT_VECTOR_AES_H_
#define KEYWRIGHT_VECTOR_AES_H_

// AES by vector permutations: no address and no branch depends on key or data (aes_tables.h tells
// how). For WebAssembly, which has no instruction for AES.

#include <array>
#include <cstddef>
#include <cstdint>

namespace keywright::vector {

constexpr std::size_t kAesMaxRounds = 14;

// The round keys in the order of their use, 16 bytes each, all but the outer two mapped to the
// tower.
struct AesSchedule {
  std::array<std::uint8_t, 16 * (kAesMaxRounds + 1)> round_keys;
  std::uint32_t rounds;
};

// `key` has `key_bytes` bytes: 16, 24 or 32.
void AesExpandForEncryption(const std::uint8_t* key, std::size_t key_bytes, AesSchedule& schedule);
void AesExpandForDecryption(const std::uint8_t* key, std::size_t key_bytes, AesSchedule& schedule);

// One block each; `in` and `out` may be the same.
void AesEncryptBlock(const AesSchedule& schedule, const std::uint8_t* in, std::uint8_t* out);
void AesDecryptBlock(const AesSchedule& schedule, const std::uint8_t* in, std::uint8_t* out);

// CTR over whole blocks: `counter_block` is the first one, of which the last 32 bits count, big
// endian and modulo 2^32. `in` and `out` may be the same.
void AesCounterMode(const AesSchedule& schedule, const std::uint8_t* counter_block,
                    const std::uint8_t* in, std::uint8_t* out, std::size_t blocks);

}  // namespace keywright::vector

#endif  // KEYWRIGHT_VECTOR_AES_H_
