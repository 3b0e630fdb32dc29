#include "core/cms_envelope.h"

#include <array>
#include <string_view>

#include "core/der.h"
#include "core/digest.h"
#include "core/key_pair_codec.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/public_encryption.h"
#include "core/random.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kIvBytes = 16;

// Object identifiers and AlgorithmIdentifiers, DER.
constexpr auto kEnvelopedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"sv;
constexpr auto kData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"sv;
constexpr auto kAes256Cbc = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"sv;
constexpr auto kRsaesOaep = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"sv;
constexpr auto kMgf1 = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"sv;
constexpr auto kSha256 = "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"sv;
constexpr auto kVersion2 = "\x02\x01\x02"sv;

Result<KeyPtr> RecipientKey(Bytes spki) {
  for (const KeyType type : {KeyType::kRsa2048, KeyType::kRsa3072, KeyType::kRsa4096}) {
    Result<KeyPtr> key = ImportPublicKey(type, spki);
    if (key.ok()) {
      return key;
    }
  }
  return Status::kInvalidKey;
}

// RSAES-OAEP-params of RFC 4055 §4.1: SHA-256, MGF1 with SHA-256, empty label (the default).
DerBytes OaepAlgorithm() {
  const DerBytes hash = DerValue(DerTag::kContext0Constructed, {AsBytes(kSha256)});
  const DerBytes mgf = DerValue(DerTag::kContext1Constructed,
                                {DerValue(DerTag::kSequence, {AsBytes(kMgf1), AsBytes(kSha256)})});
  return DerValue(DerTag::kSequence,
                  {AsBytes(kRsaesOaep), DerValue(DerTag::kSequence, {hash, mgf})});
}

// KeyTransRecipientInfo, version 2: the recipient is named by [0] subjectKeyIdentifier.
Result<DerBytes> RecipientInfo(Bytes spki, Bytes content_key) {
  const Result<KeyPtr> recipient = RecipientKey(spki);
  if (!recipient.ok()) {
    return recipient.status();
  }
  std::array<std::uint8_t, 32> identifier;
  if (const Status status = Digest(DigestAlgorithm::kSha256, spki, identifier);
      status != Status::kOk) {
    return status;
  }
  std::array<std::uint8_t, kMaxPublicCiphertextBytes> encrypted;
  const Result<std::size_t> length = PublicEncrypt(
      *recipient.value(), EncryptionAlgorithm::kRsaesOaepSha256, content_key, encrypted);
  if (!length.ok()) {
    return length.status();
  }
  return DerValue(DerTag::kSequence,
                  {AsBytes(kVersion2), DerValue(DerTag::kContext0, {identifier}), OaepAlgorithm(),
                   DerValue(DerTag::kOctetString, {Bytes(encrypted).first(length.value())})});
}

}  // namespace

Status CbcEncrypt(std::span<const std::uint8_t, 32> key, std::span<const std::uint8_t, 16> iv,
                  Bytes plaintext, MutableBytes out) {
  if (plaintext.size() > kMaxEnvelopedBytes || out.size() != CbcSize(plaintext.size()) ||
      Overlaps(out, plaintext)) {
    return Status::kInvalidArgument;
  }
  const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  int written = 0;
  int last = 0;
  const bool is_done =
      context &&
      EVP_EncryptInit_ex2(context.get(), Library().aes_256_cbc, key.data(), iv.data(), nullptr) ==
          1 &&
      EVP_EncryptUpdate(context.get(), out.data(), &written, plaintext.data(),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out.data() + written, &last) == 1 &&
      static_cast<std::size_t>(written) + static_cast<std::size_t>(last) == out.size();
  return is_done ? Status::kOk : Fail(Status::kLibcryptoFailed);
}

Result<std::vector<std::uint8_t>> CmsEnvelope(Bytes recipient_spki, Bytes plaintext) {
  if (plaintext.size() > kMaxEnvelopedBytes) {
    return Status::kInvalidArgument;
  }
  SecretArray<kAes256KeyBytes> content_key;
  std::array<std::uint8_t, kIvBytes> iv;
  std::vector<std::uint8_t> content(CbcSize(plaintext.size()));
  Status status = RandomSecret(content_key.bytes());
  if (status == Status::kOk) {
    status = RandomPublic(iv);
  }
  if (status == Status::kOk) {
    status = CbcEncrypt(content_key.bytes(), iv, plaintext, content);
  }
  if (status != Status::kOk) {
    return status;
  }
  const Result<DerBytes> recipient = RecipientInfo(recipient_spki, content_key.bytes());
  if (!recipient.ok()) {
    return recipient.status();
  }
  const DerBytes content_info = DerValue(
      DerTag::kSequence,
      {AsBytes(kData),
       DerValue(DerTag::kSequence, {AsBytes(kAes256Cbc), DerValue(DerTag::kOctetString, {iv})}),
       DerValue(DerTag::kContext0, {content})});
  const DerBytes enveloped =
      DerValue(DerTag::kSequence,
               {AsBytes(kVersion2), DerValue(DerTag::kSet, {recipient.value()}), content_info});
  return DerValue(DerTag::kSequence,
                  {AsBytes(kEnvelopedData), DerValue(DerTag::kContext0Constructed, {enveloped})});
}

}  // namespace keywright
