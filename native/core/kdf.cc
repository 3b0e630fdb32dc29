#include "core/kdf.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstdlib>

#include "core/key_access.h"
#include "core/library_context.h"
#include "core/ossl_ptr.h"
#include "core/secure_buffer.h"

namespace keywright {
namespace {

bool IsUsableLabel(Bytes label) {
  // Without the version: later versions of the constructions stay out of reach too.
  constexpr std::string_view kReserved[] = {"keywright/message", "keywright/wrap"};
  const bool is_reserved =
      std::any_of(std::begin(kReserved), std::end(kReserved), [&](std::string_view prefix) {
        const Bytes bytes = AsBytes(prefix);
        return label.size() >= bytes.size() &&
               std::equal(bytes.begin(), bytes.end(), label.begin());
      });
  return !is_reserved && std::find(label.begin(), label.end(), 0) == label.end() &&
         label.size() <= kMaxDataBytes;
}

// libcrypto takes inputs through pointers to non-const, and does not write to them.
OSSL_PARAM Octets(const char* name, Bytes value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(value.data()),
                                           value.size());
}

OSSL_PARAM Text(const char* name, const char* value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

}  // namespace

Status DeriveBytes(const Key& key, Bytes label, Bytes context, MutableBytes out) {
  if (key.type() != KeyType::kBacking) {
    return Status::kWrongKeyType;
  }
  if (!IsUsableLabel(label) || context.size() > kMaxDataBytes || out.empty() ||
      out.size() > kMaxDerivedBytes || Overlaps(out, label) || Overlaps(out, context)) {
    return Status::kInvalidArgument;
  }
  const EvpKdfCtxPtr kdf(EVP_KDF_CTX_new(Library().kbkdf));
  const OSSL_PARAM parameters[] = {
      Text(OSSL_KDF_PARAM_MODE, "COUNTER"),
      Text(OSSL_KDF_PARAM_MAC, "HMAC"),
      Text(OSSL_KDF_PARAM_DIGEST, "SHA2-256"),
      Octets(OSSL_KDF_PARAM_KEY, KeyAccess::BytesOf(key)),
      Octets(OSSL_KDF_PARAM_SALT, label),
      Octets(OSSL_KDF_PARAM_INFO, context),
      OSSL_PARAM_construct_end(),
  };
  if (kdf && EVP_KDF_derive(kdf.get(), out.data(), out.size(), parameters) == 1) {
    return Status::kOk;
  }
  Cleanse(out);
  return Fail(Status::kLibcryptoFailed);
}

Result<KeyPtr> DeriveKey(const Key& key, Bytes label, Bytes context, KeyType type) {
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(KeyBytesOf(type));
  if (!bytes.ok()) {
    return bytes.status();
  }
  const Status status = DeriveBytes(key, label, context, bytes.value().bytes());
  if (status != Status::kOk) {
    return status;
  }
  return Key::Adopt(type, std::move(bytes).value());
}

void DeriveShort(const Key& key, std::string_view label, Bytes context, MutableBytes out) {
  const std::size_t length = 9 + label.size() + context.size();
  if (key.type() != KeyType::kBacking || length > kMaxShortMessageBytes ||
      out.size() % kHmacSha256Bytes != 0) {
    std::abort();
  }
  const HmacMidstate& midstate = KeyAccess::MidstateOf(key);
  std::array<std::uint8_t, kSha256BlockBytes> block;
  const MutableBytes input(block);
  CopyBytes(AsBytes(label), input.subspan(4));
  input[4 + label.size()] = 0;
  CopyBytes(context, input.subspan(5 + label.size()));
  StoreBigEndian32(static_cast<std::uint32_t>(out.size() * 8), &input[length - 4]);
  for (std::size_t done = 0; done < out.size(); done += kHmacSha256Bytes) {
    StoreBigEndian32(static_cast<std::uint32_t>(done / kHmacSha256Bytes + 1), block.data());
    HmacShort(midstate, block, length, out.subspan(done).first<kHmacSha256Bytes>());
  }
}

}  // namespace keywright
