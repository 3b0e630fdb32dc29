#include "core/public_encryption.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "core/asymmetric_type.h"
#include "core/key_access.h"
#include "core/library_context.h"

namespace keywright {
namespace {

// Room for the longest PrivateKeyInfo that comes in, of RSA-4096, and the 110 bytes around it.
constexpr std::size_t kMaxSm2CiphertextBytes = 2560;

Family FamilyOf(EncryptionAlgorithm algorithm) {
  return algorithm == EncryptionAlgorithm::kSm2Pke ? Family::kSm2 : Family::kRsa;
}

bool IsOfKey(const Key& key, EncryptionAlgorithm algorithm) {
  return IsAsymmetric(key.type()) && AsymmetricTypeOf(key.type()).family == FamilyOf(algorithm);
}

std::size_t ModulusBytes(const Key& key) { return AsymmetricTypeOf(key.type()).bits / 8; }

bool Prepare(EVP_PKEY_CTX* context, EncryptionAlgorithm algorithm, bool is_encrypting) {
  const auto text = [](const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
  };
  const char* hash = algorithm == EncryptionAlgorithm::kRsaesOaepSha1 ? "SHA1" : "SHA2-256";
  const OSSL_PARAM oaep[] = {
      text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_OAEP),
      text(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, hash),
      text(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, hash),
      OSSL_PARAM_construct_end(),
  };
  const OSSL_PARAM pkcs1[] = {
      text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PKCSV15),
      OSSL_PARAM_construct_end(),
  };
  const OSSL_PARAM sm2[] = {
      text(OSSL_ASYM_CIPHER_PARAM_DIGEST, "SM3"),
      OSSL_PARAM_construct_end(),
  };
  const OSSL_PARAM* parameters = oaep;
  if (algorithm == EncryptionAlgorithm::kSm2Pke) {
    parameters = sm2;
  } else if (algorithm == EncryptionAlgorithm::kRsaesPkcs1) {
    parameters = pkcs1;
  }
  return (is_encrypting ? EVP_PKEY_encrypt_init_ex(context, parameters)
                        : EVP_PKEY_decrypt_init_ex(context, parameters)) == 1;
}

KeyPair::Loan Prepared(const Key& key, EncryptionAlgorithm algorithm, PairOperation operation) {
  const PairUse use{.operation = operation, .algorithm = static_cast<std::uint8_t>(algorithm)};
  return KeyAccess::PairOf(key).Borrow(use, [&](EVP_PKEY_CTX* context) {
    return Prepare(context, algorithm, operation == PairOperation::kEncrypt);
  });
}

bool IsPlaintextLength(const Key& key, EncryptionAlgorithm algorithm, std::size_t length) {
  constexpr std::size_t kSha1Bytes = 20;
  constexpr std::size_t kSha256Bytes = 32;
  switch (algorithm) {
    case EncryptionAlgorithm::kRsaesOaepSha1:
      return length <= ModulusBytes(key) - 2 * kSha1Bytes - 2;
    case EncryptionAlgorithm::kRsaesOaepSha256:
      return length <= ModulusBytes(key) - 2 * kSha256Bytes - 2;
    case EncryptionAlgorithm::kSm2Pke:
      return length >= 1 && length <= kMaxSm2PlaintextBytes;
    case EncryptionAlgorithm::kRsaesPkcs1:
      return false;
  }
  return false;
}

bool IsCiphertextLength(const Key& key, EncryptionAlgorithm algorithm, std::size_t length) {
  return algorithm == EncryptionAlgorithm::kSm2Pke ? length >= 1 && length <= kMaxSm2CiphertextBytes
                                                   : length == ModulusBytes(key);
}

}  // namespace

std::optional<EncryptionAlgorithm> EncryptionAlgorithmFromNumber(std::uint32_t number) {
  if (number < 1 || number > 4) {
    return std::nullopt;
  }
  return static_cast<EncryptionAlgorithm>(number);
}

std::size_t PublicCiphertextRoom(const Key& key) {
  if (!IsAsymmetric(key.type())) {
    return 0;
  }
  switch (AsymmetricTypeOf(key.type()).family) {
    case Family::kRsa:
      return ModulusBytes(key);
    case Family::kSm2:
      return kMaxPublicCiphertextBytes;
    default:
      return 0;
  }
}

Result<std::size_t> PublicEncrypt(const Key& key, EncryptionAlgorithm algorithm, Bytes plaintext,
                                  MutableBytes out) {
  if (!IsOfKey(key, algorithm)) {
    return Status::kWrongKeyType;
  }
  if (!IsPlaintextLength(key, algorithm, plaintext.size()) || Overlaps(out, plaintext)) {
    return Status::kInvalidArgument;
  }
  if (out.size() < PublicCiphertextRoom(key)) {
    return Status::kBufferTooSmall;
  }
  KeyPair::Loan context = Prepared(key, algorithm, PairOperation::kEncrypt);
  std::size_t written = out.size();
  // Not a null pointer, which would ask for the length only.
  const std::uint8_t nothing = 0;
  const std::uint8_t* from = plaintext.empty() ? &nothing : plaintext.data();
  if (!context ||
      EVP_PKEY_encrypt(context.get(), out.data(), &written, from, plaintext.size()) != 1) {
    return Fail(Status::kLibcryptoFailed);
  }
  context.GiveBack();
  return written;
}

Result<SecureBuffer> PrivateDecrypt(const Key& key, EncryptionAlgorithm algorithm,
                                    Bytes ciphertext) {
  if (!IsOfKey(key, algorithm) || key.is_public()) {
    return Status::kWrongKeyType;
  }
  if (!IsCiphertextLength(key, algorithm, ciphertext.size())) {
    return Status::kAuthenticationFailed;
  }
  Result<SecureBuffer> plaintext = SecureBuffer::Allocate(ciphertext.size());
  if (!plaintext.ok()) {
    return plaintext;
  }
  KeyPair::Loan context = Prepared(key, algorithm, PairOperation::kDecrypt);
  if (!context) {
    return Fail(Status::kLibcryptoFailed);
  }
  std::size_t written = plaintext.value().size();
  if (EVP_PKEY_decrypt(context.get(), plaintext.value().bytes().data(), &written, ciphertext.data(),
                       ciphertext.size()) != 1) {
    return Fail(Status::kAuthenticationFailed);
  }
  context.GiveBack();
  plaintext.value().Truncate(written);
  return plaintext;
}

}  // namespace keywright
