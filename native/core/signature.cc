#include "core/signature.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

#include "core/asymmetric_type.h"
#include "core/digest.h"
#include "core/key_access.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

constexpr std::size_t kSm3Bytes = 32;
constexpr std::size_t kMuBytes = 64;
constexpr std::size_t kMaxMessageBytes = kMaxDataBytes;

struct AlgorithmTraits {
  Family family;
  KeyType curve;                        // of ECDSA, whose hash follows from the curve; else unused
  std::optional<DigestAlgorithm> hash;  // taken before the key is; nothing when the scheme does it
  const char* padding;                  // of RSA
};

constexpr auto kPss = OSSL_PKEY_RSA_PAD_MODE_PSS;
constexpr auto kPkcs1 = OSSL_PKEY_RSA_PAD_MODE_PKCSV15;

constexpr AlgorithmTraits kAlgorithms[] = {
    {Family::kRsa, {}, DigestAlgorithm::kSha256, kPss},
    {Family::kRsa, {}, DigestAlgorithm::kSha384, kPss},
    {Family::kRsa, {}, DigestAlgorithm::kSha512, kPss},
    {Family::kRsa, {}, DigestAlgorithm::kSha256, kPkcs1},
    {Family::kRsa, {}, DigestAlgorithm::kSha384, kPkcs1},
    {Family::kRsa, {}, DigestAlgorithm::kSha512, kPkcs1},
    {Family::kEc, KeyType::kP256, DigestAlgorithm::kSha256, nullptr},
    {Family::kEc, KeyType::kP384, DigestAlgorithm::kSha384, nullptr},
    {Family::kEc, KeyType::kP521, DigestAlgorithm::kSha512, nullptr},
    {Family::kEd25519, {}, std::nullopt, nullptr},
    {Family::kEd25519, {}, std::nullopt, nullptr},
    {Family::kMlDsa, {}, std::nullopt, nullptr},
    {Family::kSm2, {}, std::nullopt, nullptr},
};

const AlgorithmTraits& TraitsOf(SignatureAlgorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm) - 1];
}

bool IsOfKey(const Key& key, SignatureAlgorithm algorithm) {
  if (!IsAsymmetric(key.type())) {
    return false;
  }
  const AlgorithmTraits& traits = TraitsOf(algorithm);
  if (AsymmetricTypeOf(key.type()).family != traits.family) {
    return false;
  }
  return traits.family != Family::kEc || key.type() == traits.curve ||
         (key.type() == KeyType::kSecp256k1 && algorithm == SignatureAlgorithm::kEcdsaSha256);
}

bool TakesMessages(SignatureAlgorithm algorithm, MessageType message_type) {
  switch (algorithm) {
    case SignatureAlgorithm::kEd25519Sha512:
      return message_type == MessageType::kRaw;
    case SignatureAlgorithm::kEd25519PhSha512:
      return message_type == MessageType::kDigest;
    case SignatureAlgorithm::kMlDsaShake256:
      return message_type == MessageType::kRaw || message_type == MessageType::kExternalMu;
    default:
      return message_type == MessageType::kRaw || message_type == MessageType::kDigest;
  }
}

bool HasLength(SignatureAlgorithm algorithm, MessageType message_type, std::size_t length) {
  switch (message_type) {
    case MessageType::kRaw:
      return true;
    case MessageType::kExternalMu:
      return length == kMuBytes;
    case MessageType::kDigest:
      break;
  }
  switch (algorithm) {
    case SignatureAlgorithm::kEd25519PhSha512:
      return length == DigestSize(DigestAlgorithm::kSha512);
    case SignatureAlgorithm::kSm2Dsa:
      return length == kSm3Bytes;
    default: {
      const std::optional<DigestAlgorithm> hash = TraitsOf(algorithm).hash;
      return hash && length == DigestSize(*hash);
    }
  }
}

Status CheckCall(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                 Bytes message) {
  if (!IsOfKey(key, algorithm)) {
    return Status::kWrongKeyType;
  }
  if (!TakesMessages(algorithm, message_type) || message.size() > kMaxMessageBytes) {
    return Status::kInvalidArgument;
  }
  return HasLength(algorithm, message_type, message.size()) ? Status::kOk : Status::kInvalidLength;
}

// RFC 8017 §8.1.2 and §8.2.2, step 1. libcrypto leaves it out for PSS and takes a signature without
// its leading zeros too.
bool HasSignatureLength(const Key& key, Bytes signature) {
  const AsymmetricType& type = AsymmetricTypeOf(key.type());
  return type.family != Family::kRsa || signature.size() == type.bits / 8;
}

// The schemes that libcrypto knows by a name of their own, because they hash for themselves.
EVP_SIGNATURE* SchemeOf(KeyType type, SignatureAlgorithm algorithm) {
  static const std::array<EVP_SIGNATURE*, 5> schemes = [] {
    std::array<EVP_SIGNATURE*, 5> fetched{};
    constexpr std::array kNames = {"ED25519", "ED25519ph", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      fetched[i] = EVP_SIGNATURE_fetch(Library().context, kNames[i], nullptr);
    }
    return fetched;  // never freed, like LibraryContext
  }();
  switch (algorithm) {
    case SignatureAlgorithm::kEd25519Sha512:
      return schemes[0];
    case SignatureAlgorithm::kEd25519PhSha512:
      return schemes[1];
    default:
      return schemes[2 + static_cast<std::size_t>(type) -
                     static_cast<std::size_t>(KeyType::kMlDsa44)];
  }
}

bool PrepareRsa(EVP_PKEY_CTX* context, const AlgorithmTraits& traits, bool is_signing) {
  char* hash = const_cast<char*>(DigestName(*traits.hash));
  const bool is_pss = traits.padding == kPss;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, hash, 0),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE,
                                       const_cast<char*>(traits.padding), 0),
      is_pss ? OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, hash, 0)
             : OSSL_PARAM_construct_end(),
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN,
                                       const_cast<char*>(OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST), 0),
      OSSL_PARAM_construct_end(),
  };
  return (is_signing ? EVP_PKEY_sign_init_ex(context, parameters)
                     : EVP_PKEY_verify_init_ex(context, parameters)) == 1;
}

bool PrepareScheme(EVP_PKEY_CTX* context, EVP_SIGNATURE* scheme, MessageType message_type,
                   bool is_signing) {
  int one = 1;
  const OSSL_PARAM parameters[] = {
      message_type == MessageType::kExternalMu
          ? OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_MU, &one)
          : OSSL_PARAM_construct_end(),
      OSSL_PARAM_construct_end(),
  };
  return (is_signing ? EVP_PKEY_sign_message_init(context, scheme, parameters)
                     : EVP_PKEY_verify_message_init(context, scheme, parameters)) == 1;
}

KeyPair::Loan Prepared(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                       PairOperation operation) {
  const bool is_mu = message_type == MessageType::kExternalMu;
  const PairUse use{.operation = operation,
                    .algorithm = static_cast<std::uint8_t>(algorithm),
                    .variant = static_cast<std::uint8_t>(is_mu ? 1 : 0)};
  return KeyAccess::PairOf(key).Borrow(use, [&](EVP_PKEY_CTX* context) {
    const bool is_signing = operation == PairOperation::kSign;
    const AlgorithmTraits& traits = TraitsOf(algorithm);
    if (traits.family == Family::kRsa) {
      return PrepareRsa(context, traits, is_signing);
    }
    if (traits.family == Family::kEc || traits.family == Family::kSm2) {
      return (is_signing ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) == 1;
    }
    return PrepareScheme(context, SchemeOf(key.type(), algorithm), message_type, is_signing);
  });
}

// SM3(Z ‖ message), where Z hashes the identity, the curve and the public key (GB/T 32918.2 §5.5).
Status Sm2Digest(const Key& key, Bytes message, MutableBytes digest) {
  constexpr std::size_t kFieldBytes = 32;
  constexpr std::size_t kPointBytes = 2 * kFieldBytes;
  // ENTL (bits of the identity), the identity, and a, b, xG, yG of the curve (GB/T 32918.5).
  static constexpr std::uint8_t kPrefix[] = {
      0x00, 0x80, '1', '2', '3', '4', '5', '6', '7', '8', '1', '2', '3', '4', '5', '6', '7', '8',
      // a
      0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xfc,
      // b
      0x28, 0xe9, 0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09,
      0xa7, 0xf3, 0x97, 0x89, 0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94,
      0x0e, 0x93,
      // xG
      0x32, 0xc4, 0xae, 0x2c, 0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9,
      0x94, 0x8f, 0xe3, 0x0b, 0xbf, 0xf2, 0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c,
      0x74, 0xc7,
      // yG
      0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6, 0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21,
      0x53, 0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47, 0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39,
      0xf0, 0xa0};
  std::array<std::uint8_t, 1 + kPointBytes> point;
  std::size_t written = 0;
  if (EVP_PKEY_get_octet_string_param(KeyAccess::PairOf(key).pkey(),
                                      OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(),
                                      point.size(), &written) != 1 ||
      written != point.size()) {
    return Fail(Status::kLibcryptoFailed);
  }
  const EvpMdPtr sm3(EVP_MD_fetch(Library().context, "SM3", nullptr));
  const EvpMdCtxPtr hash(EVP_MD_CTX_new());
  std::array<std::uint8_t, kSm3Bytes> z;
  const bool is_done = sm3 && hash && EVP_DigestInit_ex2(hash.get(), sm3.get(), nullptr) == 1 &&
                       EVP_DigestUpdate(hash.get(), kPrefix, sizeof(kPrefix)) == 1 &&
                       EVP_DigestUpdate(hash.get(), &point[1], kPointBytes) == 1 &&
                       EVP_DigestFinal_ex(hash.get(), z.data(), nullptr) == 1 &&
                       EVP_DigestInit_ex2(hash.get(), sm3.get(), nullptr) == 1 &&
                       EVP_DigestUpdate(hash.get(), z.data(), z.size()) == 1 &&
                       EVP_DigestUpdate(hash.get(), message.data(), message.size()) == 1 &&
                       EVP_DigestFinal_ex(hash.get(), digest.data(), nullptr) == 1;
  return is_done ? Status::kOk : Fail(Status::kLibcryptoFailed);
}

// What goes into the operation of the key: the digest, in `block`, where one is taken beforehand.
Result<Bytes> InputOf(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                      Bytes message, std::span<std::uint8_t, kMaxDigestBytes> block) {
  const AlgorithmTraits& traits = TraitsOf(algorithm);
  const bool is_hashed_here = traits.hash || traits.family == Family::kSm2;
  if (!is_hashed_here || message_type != MessageType::kRaw) {
    return message;
  }
  const MutableBytes digest = block.first(traits.hash ? DigestSize(*traits.hash) : kSm3Bytes);
  const Status status =
      traits.hash ? Digest(*traits.hash, message, digest) : Sm2Digest(key, message, digest);
  return status == Status::kOk ? Result<Bytes>(digest) : status;
}

}  // namespace

std::optional<SignatureAlgorithm> SignatureAlgorithmFromNumber(std::uint32_t number) {
  if (number < 1 || number > std::size(kAlgorithms)) {
    return std::nullopt;
  }
  return static_cast<SignatureAlgorithm>(number);
}

std::optional<MessageType> MessageTypeFromNumber(std::uint32_t number) {
  if (number < 1 || number > 3) {
    return std::nullopt;
  }
  return static_cast<MessageType>(number);
}

std::size_t SignatureRoom(const Key& key) {
  return IsAsymmetric(key.type())
             ? static_cast<std::size_t>(EVP_PKEY_get_size(KeyAccess::PairOf(key).pkey()))
             : 0;
}

Result<std::size_t> Sign(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                         Bytes message, MutableBytes out) {
  if (const Status status = CheckCall(key, algorithm, message_type, message);
      status != Status::kOk) {
    return status;
  }
  if (key.is_public()) {
    return Status::kWrongKeyType;
  }
  if (out.size() < SignatureRoom(key)) {
    return Status::kBufferTooSmall;
  }
  SecretArray<kMaxDigestBytes> block;
  const Result<Bytes> input = InputOf(key, algorithm, message_type, message, block.bytes());
  if (!input.ok()) {
    return input.status();
  }
  KeyPair::Loan context = Prepared(key, algorithm, message_type, PairOperation::kSign);
  std::size_t written = out.size();
  if (!context || EVP_PKEY_sign(context.get(), out.data(), &written, input.value().data(),
                                input.value().size()) != 1) {
    return Fail(Status::kLibcryptoFailed);
  }
  context.GiveBack();
  return written;
}

Result<bool> Verify(const Key& key, SignatureAlgorithm algorithm, MessageType message_type,
                    Bytes message, Bytes signature) {
  if (const Status status = CheckCall(key, algorithm, message_type, message);
      status != Status::kOk) {
    return status;
  }
  if (!HasSignatureLength(key, signature)) {
    return false;
  }
  SecretArray<kMaxDigestBytes> block;
  const Result<Bytes> input = InputOf(key, algorithm, message_type, message, block.bytes());
  if (!input.ok()) {
    return input.status();
  }
  KeyPair::Loan context = Prepared(key, algorithm, message_type, PairOperation::kVerify);
  if (!context) {
    return Fail(Status::kLibcryptoFailed);
  }
  const bool is_valid = EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                        input.value().data(), input.value().size()) == 1;
  if (!is_valid) {
    // A context that has refused something is not used again.
    return Fail(Status::kAuthenticationFailed) == Status::kOk;
  }
  context.GiveBack();
  return true;
}

}  // namespace keywright
