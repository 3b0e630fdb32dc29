#include "core/key_agreement.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <array>

#include "core/asymmetric_type.h"
#include "core/key_access.h"
#include "core/key_pair_codec.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

bool AgreesOnKeys(KeyType type) {
  return type == KeyType::kP256 || type == KeyType::kP384 || type == KeyType::kP521 ||
         type == KeyType::kSm2;
}

Result<std::size_t> Derive(EVP_PKEY_CTX* context, EVP_PKEY* peer, MutableBytes out) {
  std::size_t written = out.size();
  // Without validation: reading the peer's key has checked that the point lies on the curve and is
  // not infinity, and with a cofactor of 1 there is nothing else to check.
  if (EVP_PKEY_derive_set_peer_ex(context, peer, 0) != 1 ||
      EVP_PKEY_derive(context, out.data(), &written) != 1) {
    return Fail(Status::kLibcryptoFailed);
  }
  return written;
}

bool PrepareDerive(EVP_PKEY_CTX* context) { return EVP_PKEY_derive_init(context) == 1; }

// libcrypto has no key agreement for SM2 keys: the multiplication of the point itself, which is
// constant-time for a single point. The temporaries come from the heap of libcrypto.
Result<std::size_t> Sm2Derive(EVP_PKEY* own, EVP_PKEY* peer, MutableBytes out) {
  constexpr std::size_t kFieldBytes = 32;
  std::array<std::uint8_t, 1 + 2 * kFieldBytes> encoded;
  std::size_t written = 0;
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_octet_string_param(peer, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, encoded.data(),
                                      encoded.size(), &written) != 1 ||
      EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
    return Fail(Status::kLibcryptoFailed);
  }
  const BignumPtr scalar(number);
  const EcGroupPtr group(EC_GROUP_new_by_curve_name_ex(Library().context, nullptr, NID_sm2));
  const BnCtxPtr scratch(BN_CTX_secure_new_ex(Library().context));
  const BignumPtr x(BN_secure_new());
  const EcPointPtr point(group ? EC_POINT_new(group.get()) : nullptr);
  const EcPointPtr product(group ? EC_POINT_new(group.get()) : nullptr);
  const bool is_done =
      scratch && x && point && product &&
      EC_POINT_oct2point(group.get(), point.get(), encoded.data(), written, scratch.get()) == 1 &&
      EC_POINT_mul(group.get(), product.get(), nullptr, point.get(), scalar.get(), scratch.get()) ==
          1 &&
      EC_POINT_get_affine_coordinates(group.get(), product.get(), x.get(), nullptr,
                                      scratch.get()) == 1 &&
      BN_bn2binpad(x.get(), out.data(), static_cast<int>(kFieldBytes)) ==
          static_cast<int>(kFieldBytes);
  return is_done ? Result(kFieldBytes) : Fail(Status::kLibcryptoFailed);
}

bool IsKem(const Key& key) {
  return IsAsymmetric(key.type()) && AsymmetricTypeOf(key.type()).family == Family::kMlKem;
}

}  // namespace

Result<std::size_t> Ecdh(const Key& key, Bytes peer_spki, MutableBytes out) {
  if (!AgreesOnKeys(key.type()) || key.is_public()) {
    return Status::kWrongKeyType;
  }
  if (out.size() < kMaxSharedSecretBytes) {
    return Status::kBufferTooSmall;
  }
  const Result<KeyPtr> peer = ImportPublicKey(key.type(), peer_spki);
  if (!peer.ok()) {
    return peer.status();
  }
  const KeyPair& own = KeyAccess::PairOf(key);
  EVP_PKEY* peer_pkey = KeyAccess::PairOf(*peer.value()).pkey();
  if (key.type() == KeyType::kSm2) {
    return Sm2Derive(own.pkey(), peer_pkey, out);
  }
  KeyPair::Loan context = own.Borrow({.operation = PairOperation::kDerive}, PrepareDerive);
  if (!context) {
    return Fail(Status::kLibcryptoFailed);
  }
  Result<std::size_t> length = Derive(context.get(), peer_pkey, out);
  if (length.ok()) {
    context.GiveBack();
  }
  return length;
}

std::size_t KemCiphertextBytes(KeyType type) {
  switch (type) {
    case KeyType::kMlKem512:
      return 768;
    case KeyType::kMlKem768:
      return 1088;
    case KeyType::kMlKem1024:
      return 1568;
    default:
      return 0;
  }
}

Status Encapsulate(const Key& key, MutableBytes shared_secret, MutableBytes ciphertext) {
  if (!IsKem(key)) {
    return Status::kWrongKeyType;
  }
  if (shared_secret.size() != kKemSecretBytes ||
      ciphertext.size() != KemCiphertextBytes(key.type()) || Overlaps(shared_secret, ciphertext)) {
    return Status::kInvalidArgument;
  }
  KeyPair::Loan context = KeyAccess::PairOf(key).Borrow(
      {.operation = PairOperation::kEncapsulate},
      [](EVP_PKEY_CTX* fresh) { return EVP_PKEY_encapsulate_init(fresh, nullptr) == 1; });
  std::size_t ciphertext_length = ciphertext.size();
  std::size_t secret_length = shared_secret.size();
  if (!context || EVP_PKEY_encapsulate(context.get(), ciphertext.data(), &ciphertext_length,
                                       shared_secret.data(), &secret_length) != 1) {
    Cleanse(shared_secret);
    return Fail(Status::kLibcryptoFailed);
  }
  context.GiveBack();
  return Status::kOk;
}

Status Decapsulate(const Key& key, Bytes ciphertext, MutableBytes shared_secret) {
  if (!IsKem(key) || key.is_public()) {
    return Status::kWrongKeyType;
  }
  if (shared_secret.size() != kKemSecretBytes ||
      ciphertext.size() != KemCiphertextBytes(key.type()) || Overlaps(shared_secret, ciphertext)) {
    return Status::kInvalidArgument;
  }
  KeyPair::Loan context = KeyAccess::PairOf(key).Borrow(
      {.operation = PairOperation::kDecapsulate},
      [](EVP_PKEY_CTX* fresh) { return EVP_PKEY_decapsulate_init(fresh, nullptr) == 1; });
  std::size_t secret_length = shared_secret.size();
  if (!context || EVP_PKEY_decapsulate(context.get(), shared_secret.data(), &secret_length,
                                       ciphertext.data(), ciphertext.size()) != 1) {
    Cleanse(shared_secret);
    return Fail(Status::kLibcryptoFailed);
  }
  context.GiveBack();
  return Status::kOk;
}

}  // namespace keywright
