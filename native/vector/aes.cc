#include "vector/aes.h"

#include <algorithm>

#include "vector/aes_tables.h"

namespace keywright::vector {
namespace {

// Blocks that are encrypted side by side, because they do not wait for each other: twice as fast as
// one by one. More gain nothing.
constexpr std::size_t kInterleaved = 4;

template <std::size_t kCount>
using Blocks = std::array<Vector, kCount>;

// The S-box of encryption and what MixColumns makes of it, from the tower and to the tower.
constexpr Map kSubstitute = Compose(kAffine, kFromTower);
constexpr TablePair kEncryptOnce = InverseThen(Compose(kToTower, kSubstitute));
constexpr TablePair kEncryptTwice = InverseThen(Compose(kToTower, Compose(Times(2), kSubstitute)));
constexpr TablePair kEncryptLast = InverseThen(kSubstitute);
constexpr TablePair kEncryptFirst = TablesOfHalves(kToTower);

// Decryption keeps the state as it goes into the inversion, behind the affine map.
constexpr Map kToInversion = Compose(kToTower, kFromAffine);
constexpr TablePair kDecryptFirst = TablesOfHalves(kToInversion);
constexpr TablePair kDecryptLast = InverseThen(kFromTower);

// A column of InvMixColumns, by rows: the factor of the byte `row` rows below.
constexpr std::array<Byte, 4> kUnmixFactors = {0x0e, 0x0b, 0x0d, 0x09};

constexpr std::array<TablePair, 4> MakeDecryptTables() {
  std::array<TablePair, 4> tables{};
  for (std::size_t row = 0; row < tables.size(); ++row) {
    tables[row] =
        InverseThen(Compose(kToInversion, Compose(Times(kUnmixFactors[row]), kFromTower)));
  }
  return tables;
}
constexpr std::array<TablePair, 4> kDecrypt = MakeDecryptTables();

constexpr std::array<TablePair, 4> MakeUnmixTables() {
  std::array<TablePair, 4> tables{};
  for (std::size_t row = 0; row < tables.size(); ++row) {
    tables[row] = TablesOfHalves(Compose(kToInversion, Times(kUnmixFactors[row])));
  }
  return tables;
}
constexpr std::array<TablePair, 4> kUnmix = MakeUnmixTables();

constexpr VectorBytes kInverses = Quotients(1);
constexpr VectorBytes kTowerInverses = Quotients(SmallInverse(kTowerConstant));

// Takes each byte from `row` rows below, and row r from `columns` * r columns to the right, modulo
// 4. Bytes are in columns of four.
constexpr VectorBytes Permutation(std::size_t row, std::size_t columns) {
  VectorBytes from{};
  for (std::size_t to = 0; to < from.size(); ++to) {
    const std::size_t from_row = (to + row) % 4;
    from[to] = static_cast<Byte>((to / 4 + columns * from_row) % 4 * 4 + from_row);
  }
  return from;
}

// By rows below.
constexpr std::array<VectorBytes, 4> Permutations(std::size_t columns) {
  return {Permutation(0, columns), Permutation(1, columns), Permutation(2, columns),
          Permutation(3, columns)};
}
constexpr std::array<VectorBytes, 4> kRotated = Permutations(0);
// With ShiftRows, and with its inverse.
constexpr std::array<VectorBytes, 4> kShifted = Permutations(1);
constexpr std::array<VectorBytes, 4> kUnshifted = Permutations(3);

inline Vector Permute(Vector vector, const VectorBytes& from) {
  return LookUp(vector, Load(from.data()));
}

// u and v of aes_tables.h for elements of the tower.
inline Pair Invert(Vector elements) {
  const Vector inverses = Load(kInverses.data());
  const Vector i = LowHalves(elements);
  const Vector k = HighHalves(elements);
  const Vector j = i ^ k;
  const Vector from_k = LookUp(Load(kTowerInverses.data()), k);
  const Vector u = LookUp(inverses, LookUp(inverses, i) ^ from_k) ^ j;
  const Vector v = LookUp(inverses, LookUp(inverses, j) ^ from_k) ^ i;
  return {u, v};
}

inline Vector RoundKey(const AesSchedule& schedule, std::size_t round) {
  return Load(schedule.round_keys.data() + round * kVectorBytes);
}

inline void SetRoundKey(AesSchedule& schedule, std::size_t round, Vector round_key) {
  Store(round_key, schedule.round_keys.data() + round * kVectorBytes);
}

template <std::size_t kCount>
inline void Encrypt(const AesSchedule& schedule, Blocks<kCount>& blocks) {
  for (Vector& block : blocks) {
    block = Apply(kEncryptFirst, HalvesOf(block ^ RoundKey(schedule, 0)));
  }
  for (std::size_t round = 1; round < schedule.rounds; ++round) {
    const Vector key = RoundKey(schedule, round);
    for (Vector& block : blocks) {
      const Pair inverse = Invert(block);
      const Vector once = Apply(kEncryptOnce, inverse);
      const Vector twice = Apply(kEncryptTwice, inverse);
      block = Permute(twice, kShifted[0]) ^ Permute(once ^ twice, kShifted[1]) ^
              Permute(once, kShifted[2]) ^ Permute(once, kShifted[3]) ^ key;
    }
  }
  for (Vector& block : blocks) {
    block = Permute(Apply(kEncryptLast, Invert(block)), kShifted[0]) ^
            RoundKey(schedule, schedule.rounds);
  }
}

inline void Decrypt(const AesSchedule& schedule, Vector& block) {
  block = Apply(kDecryptFirst, HalvesOf(block ^ RoundKey(schedule, 0)));
  for (std::size_t round = 1; round < schedule.rounds; ++round) {
    const Pair inverse = Invert(block);
    block = RoundKey(schedule, round);
    for (std::size_t row = 0; row < kDecrypt.size(); ++row) {
      block ^= Permute(Apply(kDecrypt[row], inverse), kUnshifted[row]);
    }
  }
  block = Permute(Apply(kDecryptLast, Invert(block)), kUnshifted[0]) ^
          RoundKey(schedule, schedule.rounds);
}

using Word = std::array<Byte, 4>;

// The S-box on each byte.
inline Word Substitute(const Word& word) {
  VectorBytes bytes{};
  std::copy(word.begin(), word.end(), bytes.begin());
  const Vector elements = Apply(kEncryptFirst, HalvesOf(Load(bytes.data())));
  Store(Apply(kEncryptLast, Invert(elements)) ^ Splat(kAffineConstant), bytes.data());
  return {bytes[0], bytes[1], bytes[2], bytes[3]};
}

// KeyExpansion of FIPS 197, whose words are the columns of the round keys.
void ExpandKey(const std::uint8_t* key, std::size_t key_bytes, AesSchedule& schedule) {
  const std::size_t key_words = key_bytes / 4;
  schedule.rounds = static_cast<std::uint32_t>(key_words + 6);
  std::uint8_t* to = std::copy_n(key, key_bytes, schedule.round_keys.data());
  const std::uint8_t* end = schedule.round_keys.data() + (schedule.rounds + 1) * kVectorBytes;
  Byte constant = 1;
  // `n` is the number of the word modulo those of the key.
  for (std::size_t n = 0; to != end; to += 4, n = n + 1 == key_words ? 0 : n + 1) {
    Word word = {to[-4], to[-3], to[-2], to[-1]};
    if (n == 0) {
      word = Substitute({word[1], word[2], word[3], word[0]});
      word[0] ^= constant;
      constant = AesMultiply(constant, 2);
    } else if (key_words == 8 && n == 4) {
      word = Substitute(word);
    }
    for (std::size_t row = 0; row < 4; ++row) {
      to[row] = *(to + row - key_bytes) ^ word[row];
    }
  }
}

Vector Unmixed(Vector round_key) {
  const Pair halves = HalvesOf(round_key);
  Vector unmixed = Splat(0);
  for (std::size_t row = 0; row < kUnmix.size(); ++row) {
    unmixed ^= Permute(Apply(kUnmix[row], halves), kRotated[row]);
  }
  return unmixed;
}

}  // namespace

void AesExpandForEncryption(const std::uint8_t* key, std::size_t key_bytes, AesSchedule& schedule) {
  ExpandKey(key, key_bytes, schedule);
  const Vector constant = Splat(kAffineConstant);
  for (std::size_t round = 1; round <= schedule.rounds; ++round) {
    Vector round_key = RoundKey(schedule, round) ^ constant;
    if (round < schedule.rounds) {
      round_key = Apply(kEncryptFirst, HalvesOf(round_key));
    }
    SetRoundKey(schedule, round, round_key);
  }
}

void AesExpandForDecryption(const std::uint8_t* key, std::size_t key_bytes, AesSchedule& schedule) {
  ExpandKey(key, key_bytes, schedule);
  const std::size_t rounds = schedule.rounds;
  for (std::size_t first = 0, last = rounds; first < last; ++first, --last) {
    const Vector round_key = RoundKey(schedule, first);
    SetRoundKey(schedule, first, RoundKey(schedule, last));
    SetRoundKey(schedule, last, round_key);
  }
  const Vector constant = Splat(kAffineConstant);
  SetRoundKey(schedule, 0, RoundKey(schedule, 0) ^ constant);
  const Vector mapped_constant = Apply(kDecryptFirst, HalvesOf(constant));
  for (std::size_t round = 1; round < rounds; ++round) {
    SetRoundKey(schedule, round, Unmixed(RoundKey(schedule, round)) ^ mapped_constant);
  }
}

void AesEncryptBlock(const AesSchedule& schedule, const std::uint8_t* in, std::uint8_t* out) {
  Blocks<1> block = {Load(in)};
  Encrypt(schedule, block);
  Store(block[0], out);
}

void AesDecryptBlock(const AesSchedule& schedule, const std::uint8_t* in, std::uint8_t* out) {
  Vector block = Load(in);
  Decrypt(schedule, block);
  Store(block, out);
}

void AesCounterMode(const AesSchedule& schedule, const std::uint8_t* counter_block,
                    const std::uint8_t* in, std::uint8_t* out, std::size_t blocks) {
  using Words __attribute__((vector_size(16))) = std::uint32_t;
  const auto first = reinterpret_cast<Words>(Load(counter_block));
  std::uint32_t counter = __builtin_bswap32(first[3]);
  const auto next = [&] {
    Words words = first;
    words[3] = __builtin_bswap32(counter++);
    return reinterpret_cast<Vector>(words);
  };
  const auto process = [&]<std::size_t kCount>(Blocks<kCount> stream) {
    for (Vector& block : stream) {
      block = next();
    }
    Encrypt(schedule, stream);
    for (const Vector& block : stream) {
      Store(block ^ Load(in), out);
      in += kVectorBytes;
      out += kVectorBytes;
    }
  };
  for (; blocks >= kInterleaved; blocks -= kInterleaved) {
    process(Blocks<kInterleaved>());
  }
  for (; blocks >= 2; blocks -= 2) {
    process(Blocks<2>());
  }
  if (blocks > 0) {
    process(Blocks<1>());
  }
}

}  // namespace keywright::vector
