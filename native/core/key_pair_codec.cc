#include "core/key_pair_codec.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "core/asymmetric_type.h"
#include "core/der.h"
#include "core/key_access.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/thread_contexts.h"

namespace keywright {
namespace {

Result<KeyPtr> Adopt(KeyType type, EvpPkeyPtr pkey, bool is_public) {
  if (!pkey) {
    return Fail(Status::kInvalidKey);
  }
  return Key::AdoptPair(type, std::make_unique<const KeyPair>(std::move(pkey), is_public));
}

OSSL_PARAM Octets(const char* name, Bytes value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(value.data()),
                                           value.size());
}

EvpPkeyPtr FromParameters(const AsymmetricType& type, int selection, OSSL_PARAM* parameters) {
  EvpPkeyCtxPtr& context = ThreadContexts::Current().pair_reading[AsymmetricIndex(type)];
  if (!context) {
    context.reset(EVP_PKEY_CTX_new_from_name(Library().context, type.name, nullptr));
  }
  EVP_PKEY* pkey = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &pkey, selection, parameters) != 1) {
    return nullptr;
  }
  return EvpPkeyPtr(pkey);
}

EvpPkeyPtr PublicFromRaw(const AsymmetricType& type, Bytes raw) {
  OSSL_PARAM with_group[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(type.group),
                                       0),
      Octets(OSSL_PKEY_PARAM_PUB_KEY, raw),
      OSSL_PARAM_construct_end(),
  };
  return FromParameters(type, EVP_PKEY_PUBLIC_KEY,
                        type.group == nullptr ? &with_group[1] : with_group);
}

// From a seed or, of FIPS 203/204, an expanded key.
EvpPkeyPtr PrivateFromRaw(const AsymmetricType& type, Bytes raw) {
  if (type.family == Family::kEd25519) {
    return EvpPkeyPtr(EVP_PKEY_new_raw_private_key_ex(Library().context, type.name, nullptr,
                                                      raw.data(), raw.size()));
  }
  const char* name =
      raw.size() == type.seed_bytes ? OSSL_PKEY_PARAM_ML_KEM_SEED : OSSL_PKEY_PARAM_PRIV_KEY;
  OSSL_PARAM parameters[] = {Octets(name, raw), OSSL_PARAM_construct_end()};
  return FromParameters(type, EVP_PKEY_KEYPAIR, parameters);
}

bool IsRawPrivateLength(const AsymmetricType& type, std::size_t length) {
  return length != 0 && (length == type.seed_bytes || length == type.expanded_bytes);
}

// PrivateKeyInfo ::= SEQUENCE { version, algorithm, privateKey OCTET STRING, [0] attributes, [1]
// publicKey }: one value with nothing behind it, and one value inside the OCTET STRING (not for
// ML-KEM and ML-DSA, whose seeds libcrypto also takes bare). The rest is libcrypto's to read.
bool IsWholePkcs8(Bytes encoded) {
  DerReader outer(encoded);
  const std::optional<Bytes> content = outer.Read(DerTag::kSequence);
  if (!content || !outer.is_empty()) {
    return false;
  }
  DerReader inner(*content);
  const std::optional<Bytes> version = inner.Read(DerTag::kInteger);
  const bool has_algorithm = version && inner.Read(DerTag::kSequence);
  const std::optional<Bytes> key = has_algorithm ? inner.Read(DerTag::kOctetString) : std::nullopt;
  if (!key) {
    return false;
  }
  DerReader value(*key);
  return value.Skip() && value.is_empty();
}

EvpPkeyPtr ReadPkcs8(Bytes encoded) {
  const std::uint8_t* next = encoded.data();
  const Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &next, static_cast<long>(encoded.size())));
  if (!info || next != encoded.data() + encoded.size()) {
    return nullptr;
  }
  return EvpPkeyPtr(EVP_PKCS82PKEY_ex(info.get(), Library().context, nullptr));
}

bool HasGroup(EVP_PKEY* pkey, const char* group) {
  char name[32];
  int is_spelled_out = 0;
  EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_spelled_out);
  return is_spelled_out == 0 && EVP_PKEY_get_group_name(pkey, name, sizeof(name), nullptr) == 1 &&
         std::strcmp(name, group) == 0;
}

bool IsOfType(EVP_PKEY* pkey, const AsymmetricType& type) {
  return EVP_PKEY_is_a(pkey, type.name) == 1 &&
         (type.bits == 0 || static_cast<std::size_t>(EVP_PKEY_get_bits(pkey)) == type.bits) &&
         (type.group == nullptr || HasGroup(pkey, type.group));
}

constexpr int kMinPrivateExponentBits = 17;
// A public key may be anybody's: 3 is small, but still an exponent; 1 is none, and encrypts
// nothing.
constexpr int kMinPublicExponentBits = 2;

bool IsUsableRsa(EVP_PKEY* pkey, int min_exponent_bits) {
  constexpr int kMaxExponentBits = 64;
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &number) != 1) {
    return false;
  }
  const BignumPtr exponent(number);
  number = nullptr;
  const bool has_third_prime =
      EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, &number) == 1;
  const BignumPtr third_prime(number);
  number = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &number) != 1) {
    return false;
  }
  const BignumPtr modulus(number);
  const int bits = BN_num_bits(exponent.get());
  return BN_is_odd(modulus.get()) == 1 && BN_is_odd(exponent.get()) == 1 &&
         bits >= min_exponent_bits && bits <= kMaxExponentBits && !has_third_prime;
}

// What libcrypto has to say about the parts of a key that somebody sent.
bool IsConsistent(EVP_PKEY* pkey, const AsymmetricType& type) {
  if (type.family == Family::kMlDsa) {
    return true;  // checked when the key was read: seed, expanded key and its hash
  }
  if (type.family == Family::kRsa && !IsUsableRsa(pkey, kMinPrivateExponentBits)) {
    return false;
  }
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(Library().context, pkey, nullptr));
  if (!context) {
    return false;
  }
  switch (type.family) {
    case Family::kRsa:
      return EVP_PKEY_check(context.get()) == 1;
    case Family::kEc:
    case Family::kSm2:
      // Not EVP_PKEY_check, which multiplies once more to learn whether the point has the order of
      // the group: on a curve with cofactor 1 every point has, and reading it checked the curve.
      return EVP_PKEY_private_check(context.get()) == 1 &&
             EVP_PKEY_pairwise_check(context.get()) == 1;
    default:
      return EVP_PKEY_pairwise_check(context.get()) == 1;
  }
}

Result<SecureBuffer> WritePkcs8(EVP_PKEY* pkey) {
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(pkey));
  const int length = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr) : 0;
  if (length <= 0) {
    return Fail(Status::kLibcryptoFailed);
  }
  Result<SecureBuffer> out = SecureBuffer::Allocate(static_cast<std::size_t>(length));
  if (!out.ok()) {
    return out;
  }
  std::uint8_t* next = out.value().bytes().data();
  return i2d_PKCS8_PRIV_KEY_INFO(info.get(), &next) == length
             ? std::move(out)
             : Result<SecureBuffer>(Fail(Status::kLibcryptoFailed));
}

// Empty (and no failure) when the key has no such part.
Result<SecureBuffer> PrivatePart(EVP_PKEY* pkey, const char* name, std::size_t size) {
  Result<SecureBuffer> out = SecureBuffer::Allocate(size);
  if (!out.ok()) {
    return out;
  }
  std::size_t written = 0;
  if (EVP_PKEY_get_octet_string_param(pkey, name, out.value().bytes().data(), size, &written) !=
          1 ||
      written != size) {
    return Fail(Status::kLibcryptoFailed);
  }
  return out;
}

Result<SecureBuffer> SeedOf(EVP_PKEY* pkey, const AsymmetricType& type) {
  return PrivatePart(
      pkey,
      type.family == Family::kEd25519 ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_ML_KEM_SEED,
      type.seed_bytes);
}

// RFC 9935 §6: the private key of ML-KEM as [0] seed.
Result<SecureBuffer> WriteSeedPkcs8(const AsymmetricType& type, Bytes seed) {
  const DerBytes version_and_algorithm = [&] {
    const std::uint8_t zero = 0;
    DerBytes bytes = DerValue(DerTag::kInteger, {{&zero, 1}});
    const Bytes algorithm = AsBytes(type.algorithm);
    bytes.insert(bytes.end(), algorithm.begin(), algorithm.end());
    return bytes;
  }();
  const std::size_t seed_value = DerHeaderSize(seed.size()) + seed.size();
  const std::size_t content = version_and_algorithm.size() + DerHeaderSize(seed_value) + seed_value;
  Result<SecureBuffer> buffer = SecureBuffer::Allocate(DerHeaderSize(content) + content);
  if (!buffer.ok()) {
    return buffer;
  }
  MutableBytes rest = buffer.value().bytes();
  rest = rest.subspan(WriteDerHeader(DerTag::kSequence, content, rest));
  CopyBytes(version_and_algorithm, rest);
  rest = rest.subspan(version_and_algorithm.size());
  rest = rest.subspan(WriteDerHeader(DerTag::kOctetString, seed_value, rest));
  rest = rest.subspan(WriteDerHeader(DerTag::kContext0, seed.size(), rest));
  CopyBytes(seed, rest);
  return buffer;
}

EvpPkeyPtr ReadRsaSpki(Bytes spki) {
  const std::uint8_t* next = spki.data();
  EvpPkeyPtr pkey(
      d2i_PUBKEY_ex(nullptr, &next, static_cast<long>(spki.size()), Library().context, nullptr));
  if (!pkey) {
    return nullptr;
  }
  // Written again it must be the same, which leaves nothing but DER.
  std::uint8_t* encoded = nullptr;
  const int length = i2d_PUBKEY(pkey.get(), &encoded);
  const bool is_same = length > 0 && static_cast<std::size_t>(length) == spki.size() &&
                       std::equal(spki.begin(), spki.end(), encoded);
  OPENSSL_free(encoded);
  return is_same ? std::move(pkey) : nullptr;
}

// The bytes inside the BIT STRING; nothing when `spki` is not exactly one of this algorithm.
std::optional<Bytes> RawPublicKey(const AsymmetricType& type, Bytes spki) {
  DerReader outer(spki);
  const std::optional<Bytes> content = outer.Read(DerTag::kSequence);
  const Bytes algorithm = AsBytes(type.algorithm);
  if (!content || !outer.is_empty() || content->size() < algorithm.size() ||
      !std::equal(algorithm.begin(), algorithm.end(), content->begin())) {
    return std::nullopt;
  }
  DerReader inner(content->subspan(algorithm.size()));
  const std::optional<Bytes> bits = inner.Read(DerTag::kBitString);
  if (!bits || !inner.is_empty() || bits->empty() || bits->front() != 0) {
    return std::nullopt;
  }
  const Bytes raw = bits->subspan(1);
  const bool is_compressed = type.group != nullptr && raw.size() == (type.public_bytes + 1) / 2;
  const bool is_whole = raw.size() == type.public_bytes &&
                        // Not the hybrid form of X9.62, which nobody writes.
                        (type.group == nullptr || raw.front() == 4);
  return is_whole || is_compressed ? std::optional(raw) : std::nullopt;
}

Result<std::size_t> WriteRsaSpki(EVP_PKEY* pkey, MutableBytes out) {
  std::uint8_t* encoded = nullptr;
  const int length = i2d_PUBKEY(pkey, &encoded);
  if (length <= 0) {
    return Fail(Status::kLibcryptoFailed);
  }
  const Bytes spki(encoded, static_cast<std::size_t>(length));
  const bool fits = spki.size() <= out.size();
  if (fits) {
    CopyBytes(spki, out);
  }
  OPENSSL_free(encoded);
  return fits ? Result(spki.size()) : Status::kBufferTooSmall;
}

// Leaves a context that makes keys of the type; it keeps nothing of those it made.
bool PrepareGeneration(EvpPkeyCtxPtr& context, const AsymmetricType& type) {
  if (context) {
    return true;
  }
  context.reset(EVP_PKEY_CTX_new_from_name(Library().context, type.name, nullptr));
  std::size_t bits = type.bits;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
  if (type.family == Family::kRsa) {
    parameters[0] = OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
  } else if (type.family == Family::kEc) {
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                     const_cast<char*>(type.group), 0);
  }
  return context && EVP_PKEY_keygen_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_params(context.get(), parameters) == 1;
}

}  // namespace

Result<KeyPtr> GenerateKeyPair(KeyType type) {
  if (!IsAsymmetric(type)) {
    return Status::kInvalidArgument;
  }
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  EvpPkeyCtxPtr& context = ThreadContexts::Current().pair_generation[AsymmetricIndex(traits)];
  EVP_PKEY* pkey = nullptr;
  if (!PrepareGeneration(context, traits) || EVP_PKEY_generate(context.get(), &pkey) != 1) {
    context.reset();
    return Fail(Status::kLibcryptoFailed);
  }
  return Adopt(type, EvpPkeyPtr(pkey), false);
}

Result<KeyPtr> ImportPrivateKey(KeyType type, Bytes encoded) {
  if (!IsAsymmetric(type)) {
    return Status::kInvalidArgument;
  }
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  const bool is_seed = !encoded.empty() && encoded.size() == traits.seed_bytes;
  if (!is_seed && (encoded.size() > kMaxPkcs8Bytes || !IsWholePkcs8(encoded))) {
    return Status::kInvalidKey;
  }
  EvpPkeyPtr pkey = is_seed ? PrivateFromRaw(traits, encoded) : ReadPkcs8(encoded);
  if (!pkey || !IsOfType(pkey.get(), traits) || !IsConsistent(pkey.get(), traits)) {
    return Fail(Status::kInvalidKey);
  }
  return Adopt(type, std::move(pkey), false);
}

Result<KeyPtr> ImportPublicKey(KeyType type, Bytes spki) {
  if (!IsAsymmetric(type)) {
    return Status::kInvalidArgument;
  }
  if (spki.empty() || spki.size() > kMaxSpkiBytes) {
    return Status::kInvalidKey;
  }
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  EvpPkeyPtr pkey;
  if (traits.family == Family::kRsa) {
    pkey = ReadRsaSpki(spki);
  } else if (const std::optional<Bytes> raw = RawPublicKey(traits, spki)) {
    pkey = PublicFromRaw(traits, *raw);
  }
  if (!pkey || !IsOfType(pkey.get(), traits) ||
      (traits.family == Family::kRsa && !IsUsableRsa(pkey.get(), kMinPublicExponentBits))) {
    return Fail(Status::kInvalidKey);
  }
  return Adopt(type, std::move(pkey), true);
}

Result<std::size_t> ExportPublicKey(const Key& key, MutableBytes out) {
  if (!IsAsymmetric(key.type())) {
    return Status::kWrongKeyType;
  }
  const AsymmetricType& type = AsymmetricTypeOf(key.type());
  EVP_PKEY* pkey = KeyAccess::PairOf(key).pkey();
  if (type.family == Family::kRsa) {
    return WriteRsaSpki(pkey, out);
  }
  const std::size_t bits = type.public_bytes + 1;
  const std::size_t content = type.algorithm.size() + DerHeaderSize(bits) + bits;
  const std::size_t size = DerHeaderSize(content) + content;
  if (out.size() < size) {
    return Status::kBufferTooSmall;
  }
  MutableBytes rest = out.subspan(WriteDerHeader(DerTag::kSequence, content, out));
  CopyBytes(AsBytes(type.algorithm), rest);
  rest = rest.subspan(type.algorithm.size());
  rest = rest.subspan(WriteDerHeader(DerTag::kBitString, bits, rest));
  rest[0] = 0;
  // Always uncompressed, in whatever form a point came.
  const char* name =
      type.group != nullptr ? OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY : OSSL_PKEY_PARAM_PUB_KEY;
  std::size_t written = 0;
  if (EVP_PKEY_get_octet_string_param(pkey, name, &rest[1], type.public_bytes, &written) != 1 ||
      written != type.public_bytes) {
    return Fail(Status::kLibcryptoFailed);
  }
  return size;
}

Result<SecureBuffer> ExportPrivateKey(const Key& key) {
  if (!IsAsymmetric(key.type()) || key.is_public()) {
    return Status::kWrongKeyType;
  }
  const AsymmetricType& type = AsymmetricTypeOf(key.type());
  EVP_PKEY* pkey = KeyAccess::PairOf(key).pkey();
  if (type.family == Family::kMlDsa) {
    return Status::kWrongKeyType;
  }
  if (type.family != Family::kMlKem) {
    return WritePkcs8(pkey);
  }
  const Result<SecureBuffer> seed = SeedOf(pkey, type);
  if (!seed.ok()) {
    return seed.status();
  }
  return WriteSeedPkcs8(type, seed.value().bytes());
}

Result<SecureBuffer> PrivateFormOf(const Key& key) {
  if (!IsAsymmetric(key.type()) || key.is_public()) {
    return Status::kWrongKeyType;
  }
  const AsymmetricType& type = AsymmetricTypeOf(key.type());
  EVP_PKEY* pkey = KeyAccess::PairOf(key).pkey();
  if (type.seed_bytes == 0) {
    return WritePkcs8(pkey);
  }
  Result<SecureBuffer> seed = SeedOf(pkey, type);
  return seed.ok() || type.expanded_bytes == 0
             ? std::move(seed)
             : PrivatePart(pkey, OSSL_PKEY_PARAM_PRIV_KEY, type.expanded_bytes);
}

bool IsPrivateFormLength(KeyType type, std::size_t length) {
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  return traits.seed_bytes == 0 ? length != 0 && length <= kMaxPkcs8Bytes
                                : IsRawPrivateLength(traits, length);
}

Result<KeyPtr> KeyFromPrivateForm(KeyType type, Bytes form) {
  if (!IsAsymmetric(type) || !IsPrivateFormLength(type, form.size())) {
    return Status::kInvalidKey;
  }
  const AsymmetricType& traits = AsymmetricTypeOf(type);
  EvpPkeyPtr pkey = traits.seed_bytes == 0 ? ReadPkcs8(form) : PrivateFromRaw(traits, form);
  if (!pkey || !IsOfType(pkey.get(), traits)) {
    return Fail(Status::kInvalidKey);
  }
  return Adopt(type, std::move(pkey), false);
}

}  // namespace keywright
