#include "core/kdf.h"
#include "core/key.h"
#include "core/key_wrap.h"
#include "core/passphrase.h"
#include "core/protected_key.h"
#include "napi/arguments.h"
#include "napi/functions.h"

namespace keywright {
namespace {

// (type, length)
std::int32_t GenerateKey(Arguments& arguments) {
  const auto type = arguments.KeyTypeAt(0);
  const std::size_t length = arguments.NumberAt(1);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(arguments.environment(), Key::Generate(*type, length));
}

// (type, bytes)
std::int32_t ImportKey(Arguments& arguments) {
  const auto type = arguments.KeyTypeAt(0);
  const Bytes bytes = arguments.BytesAt(1);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(arguments.environment(), Key::Import(*type, bytes));
}

// (key)
std::int32_t DestroyKey(Arguments& arguments) {
  const std::uint32_t handle = arguments.NumberAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  arguments.environment().keys.Remove(handle);
  return CodeOf(Status::kOk);
}

// (key): bytes of its secret form, which are those that wrapping protects
std::int32_t KeyLength(Arguments& arguments) {
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const Result<SecretForm> form = SecretForm::Of(*key);
  return form.ok() ? CodeOf(Status::kOk, form.value().size()) : CodeOf(form.status());
}

// (key, label, context, out)
std::int32_t DeriveBytesInto(Arguments& arguments) {
  const Bytes label = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(DeriveBytes(*key, label, context, out), out.size());
}

// (key, label, context, type)
std::int32_t DeriveKeyOf(Arguments& arguments) {
  const Bytes label = arguments.BytesAt(1);
  const Bytes context = arguments.BytesAt(2);
  const auto type = arguments.KeyTypeAt(3);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(arguments.environment(), DeriveKey(*key, label, context, *type));
}

// (passphrase, salt, memoryKiB, iterations)
std::int32_t PassphraseKey(Arguments& arguments) {
  const Bytes passphrase = arguments.BytesAt(0);
  const Bytes salt = arguments.BytesAt(1);
  const PassphraseCost cost{.memory_kib = arguments.NumberAt(2),
                            .iterations = arguments.NumberAt(3)};
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(arguments.environment(), DeriveKeyFromPassphrase(passphrase, salt, cost));
}

// (kek, key, aad, out)
std::int32_t WrapKeyInto(Arguments& arguments) {
  const Key* kek = arguments.KeyAt(0);
  const Key* key = arguments.KeyAt(1);
  const Bytes aad = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (kek == nullptr || key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(WrapKey(*kek, *key, aad, out), out.size());
}

// (kek, wrapped, aad, type)
std::int32_t UnwrapKeyOf(Arguments& arguments) {
  const Key* kek = arguments.KeyAt(0);
  const Bytes wrapped = arguments.BytesAt(1);
  const Bytes aad = arguments.BytesAt(2);
  const auto type = arguments.KeyTypeAt(3);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (kek == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(arguments.environment(), UnwrapKey(*kek, wrapped, aad, *type));
}

// (kek, key, out)
std::int32_t KwpWrapInto(Arguments& arguments) {
  const Key* kek = arguments.KeyAt(0);
  const Key* key = arguments.KeyAt(1);
  const MutableBytes out = arguments.WritableAt(2);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (kek == nullptr || key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(KwpWrap(*kek, *key, out), out.size());
}

// (kek, wrapped, type)
std::int32_t KwpUnwrapOf(Arguments& arguments) {
  const Key* kek = arguments.KeyAt(0);
  const Bytes wrapped = arguments.BytesAt(1);
  const auto type = arguments.KeyTypeAt(2);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (kek == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(arguments.environment(), KwpUnwrap(*kek, wrapped, *type));
}

// (kek, key, out)
std::int32_t KwWrapInto(Arguments& arguments) {
  const Key* kek = arguments.KeyAt(0);
  const Key* key = arguments.KeyAt(1);
  const MutableBytes out = arguments.WritableAt(2);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (kek == nullptr || key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(KwWrap(*kek, *key, out), out.size());
}

// (kek, wrapped, type)
std::int32_t KwUnwrapOf(Arguments& arguments) {
  const Key* kek = arguments.KeyAt(0);
  const Bytes wrapped = arguments.BytesAt(1);
  const auto type = arguments.KeyTypeAt(2);
  if (!arguments.ok() || !type) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (kek == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(arguments.environment(), KwUnwrap(*kek, wrapped, *type));
}

constexpr NamedFunction kFunctions[] = {
    {"generateKey", Call<GenerateKey>},
    {"importKey", Call<ImportKey>},
    {"destroyKey", Call<DestroyKey>},
    {"keyLength", Call<KeyLength>},
    {"deriveBytesInto", Call<DeriveBytesInto>},
    {"deriveKey", Call<DeriveKeyOf>},
    {"deriveKeyFromPassphrase", Call<PassphraseKey>},
    {"wrapKeyInto", Call<WrapKeyInto>},
    {"unwrapKey", Call<UnwrapKeyOf>},
    {"kwpWrapInto", Call<KwpWrapInto>},
    {"kwpUnwrap", Call<KwpUnwrapOf>},
    {"kwWrapInto", Call<KwWrapInto>},
    {"kwUnwrap", Call<KwUnwrapOf>},
};

}  // namespace

std::span<const NamedFunction> KeyFunctions() { return kFunctions; }

}  // namespace keywright
