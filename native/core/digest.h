#ifndef KEYWRIGHT_CORE_DIGEST_H_
#define KEYWRIGHT_CORE_DIGEST_H_

#include "core/bytes.h"
#include "core/digest_algorithm.h"
#include "core/status.h"

namespace keywright {

// FIPS 180-4. `out` has DigestSize(algorithm) bytes and does not overlap `data`.
Status Digest(DigestAlgorithm algorithm, Bytes data, MutableBytes out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_DIGEST_H_
