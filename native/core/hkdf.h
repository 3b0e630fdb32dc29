#ifndef KEYWRIGHT_CORE_HKDF_H_
#define KEYWRIGHT_CORE_HKDF_H_

#include "core/bytes.h"
#include "core/digest_algorithm.h"
#include "core/status.h"

namespace keywright {

// HKDF (RFC 5869), extract and expand. `out` has 1 to 255 × digest bytes and overlaps no input;
// each input has at most kMaxHkdfInputBytes.
inline constexpr std::size_t kMaxHkdfInputBytes = 1 << 20;
Status Hkdf(DigestAlgorithm algorithm, Bytes key_material, Bytes salt, Bytes info,
            MutableBytes out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_HKDF_H_
