#include "core/committing_aead.h"

#include <array>

#include "core/kdf.h"
#include "core/library_context.h"
#include "core/random.h"
#include "core/secure_buffer.h"
#include "core/thread_contexts.h"

namespace keywright {
namespace {

// Every derivation stays within one SHA-256 block.
static_assert(kMessageLabel.size() + kDerivationNonceBytes <= kMaxShortInputBytes);
static_assert(kWrapLabel.size() + kDerivationNonceBytes <= kMaxShortInputBytes);

constexpr std::array<std::uint8_t, kGcmNonceBytes> kZeroNonce{};

class MessageSecrets {
 public:
  MessageSecrets(const Key& key, std::string_view label, Bytes nonce) {
    DeriveShort(key, label, nonce, block_.bytes());
  }

  std::span<const std::uint8_t, kAes256KeyBytes> key() const {
    return block_.bytes().first<kAes256KeyBytes>();
  }
  Bytes commitment() const { return block_.bytes().last<kCommitmentBytes>(); }

 private:
  SecretArray<kAes256KeyBytes + kCommitmentBytes> block_;
};

}  // namespace

Status CommittingEncrypt(const Key& key, const Binding& binding, Bytes plaintext,
                         MutableBytes out) {
  const MutableBytes nonce = out.first(kDerivationNonceBytes);
  if (const Status status = RandomNonce(nonce); status != Status::kOk) {
    return status;
  }
  const MessageSecrets secrets(key, binding.label, nonce);
  CopyBytes(secrets.commitment(), out.subspan(kDerivationNonceBytes, kCommitmentBytes));
  GcmContext& gcm = ThreadContexts::Current().message_encrypt;
  const bool is_done =
      gcm.Start(secrets.key(), kZeroNonce) && gcm.Authenticate(binding.aad_prefix) &&
      gcm.Authenticate(binding.aad) &&
      gcm.Process(plaintext, out.data() + kDerivationNonceBytes + kCommitmentBytes) &&
      gcm.FinishEncrypt(out.last<kGcmTagBytes>());
  return is_done ? Status::kOk : Fail(Status::kLibcryptoFailed);
}

Status CommittingDecrypt(const Key& key, const Binding& binding, Bytes sealed, MutableBytes out) {
  if (sealed.size() < kCommittingOverheadBytes) {
    return Status::kAuthenticationFailed;
  }
  const MessageSecrets secrets(key, binding.label, sealed.first(kDerivationNonceBytes));
  if (!ConstantTimeEqual(secrets.commitment(),
                         sealed.subspan(kDerivationNonceBytes, kCommitmentBytes))) {
    Cleanse(out);
    return Status::kAuthenticationFailed;
  }
  const Bytes ciphertext = sealed.subspan(kDerivationNonceBytes + kCommitmentBytes, out.size());
  GcmContext& gcm = ThreadContexts::Current().message_decrypt;
  if (gcm.Start(secrets.key(), kZeroNonce) && gcm.Authenticate(binding.aad_prefix) &&
      gcm.Authenticate(binding.aad) && gcm.Process(ciphertext, out.data()) &&
      gcm.FinishDecrypt(sealed.last<kGcmTagBytes>())) {
    return Status::kOk;
  }
  Cleanse(out);
  return Fail(Status::kAuthenticationFailed);
}

}  // namespace keywright
