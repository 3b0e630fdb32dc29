#ifndef KEYWRIGHT_CORE_CMS_ENVELOPE_H_
#define KEYWRIGHT_CORE_CMS_ENVELOPE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace keywright {

inline constexpr std::size_t kMaxEnvelopedBytes = 65536;

// CMS EnvelopedData (RFC 5652 §6) for one recipient, as the ContentInfo that AWS KMS gives to Nitro
// enclaves: AES-256-CBC under a fresh key, which RSAES-OAEP with SHA-256 and MGF1 with SHA-256
// (RFC 8017, RFC 4055 §4.1) carries to the RSA key of `recipient_spki` (2048, 3072 or 4096 bits).
// The recipient is named by the SHA-256 of its SubjectPublicKeyInfo. Like every EnvelopedData it is
// not authenticated. kInvalidKey when the recipient is no such key, kInvalidArgument for more than
// kMaxEnvelopedBytes of plaintext.
Result<std::vector<std::uint8_t>> CmsEnvelope(Bytes recipient_spki, Bytes plaintext);

// AES-256-CBC with PKCS#7 padding (the content of an envelope); exposed for its tests. `out` has
// CbcSize(plaintext.size()) bytes.
constexpr std::size_t CbcSize(std::size_t plaintext_size) { return (plaintext_size / 16 + 1) * 16; }
Status CbcEncrypt(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 16> iv,
                  Bytes plaintext, MutableBytes out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_CMS_ENVELOPE_H_
