#ifndef KEYWRIGHT_CORE_DIGEST_ALGORITHM_H_
#define KEYWRIGHT_CORE_DIGEST_ALGORITHM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace keywright {

// FIPS 180-4. The numbers are those of src/core/codes.ts.
enum class DigestAlgorithm : std::uint8_t { kSha224 = 1, kSha256 = 2, kSha384 = 3, kSha512 = 4 };

inline constexpr std::array kDigestAlgorithms = {DigestAlgorithm::kSha224, DigestAlgorithm::kSha256,
                                                 DigestAlgorithm::kSha384,
                                                 DigestAlgorithm::kSha512};
inline constexpr std::size_t kDigestAlgorithmCount = kDigestAlgorithms.size();
inline constexpr std::size_t kMaxDigestBytes = 64;

constexpr std::size_t DigestIndex(DigestAlgorithm algorithm) {
  return static_cast<std::size_t>(algorithm) - 1;
}

constexpr std::size_t DigestSize(DigestAlgorithm algorithm) {
  constexpr std::array<std::size_t, kDigestAlgorithmCount> kSizes = {28, 32, 48, 64};
  return kSizes[DigestIndex(algorithm)];
}

constexpr const char* DigestName(DigestAlgorithm algorithm) {
  constexpr std::array kNames = {"SHA2-224", "SHA2-256", "SHA2-384", "SHA2-512"};
  return kNames[DigestIndex(algorithm)];
}

constexpr std::optional<DigestAlgorithm> DigestAlgorithmFromNumber(std::uint32_t number) {
  if (number < 1 || number > kDigestAlgorithmCount) {
    return std::nullopt;
  }
  return static_cast<DigestAlgorithm>(number);
}

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_DIGEST_ALGORITHM_H_
