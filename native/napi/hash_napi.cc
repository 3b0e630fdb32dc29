#include "core/digest.h"
#include "core/hkdf.h"
#include "core/mac.h"
#include "core/random.h"
#include "napi/arguments.h"
#include "napi/functions.h"

namespace keywright {
namespace {

// (out)
std::int32_t RandomInto(Arguments& arguments) {
  const MutableBytes out = arguments.WritableAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(RandomPublic(out), out.size());
}

// (algorithm, data, out)
std::int32_t DigestInto(Arguments& arguments) {
  const auto algorithm = arguments.DigestAt(0);
  const Bytes data = arguments.BytesAt(1);
  const MutableBytes out = arguments.WritableAt(2);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(Digest(*algorithm, data, out), out.size());
}

// (key, algorithm, data, out)
std::int32_t HmacInto(Arguments& arguments) {
  const auto algorithm = arguments.DigestAt(1);
  const Bytes data = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(Hmac(*key, *algorithm, data, out), out.size());
}

// (key, algorithm, data, mac): 1 or 0
std::int32_t VerifyHmac(Arguments& arguments) {
  const auto algorithm = arguments.DigestAt(1);
  const Bytes data = arguments.BytesAt(2);
  const Bytes mac = arguments.BytesAt(3);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const Result<bool> is_equal = HmacVerify(*key, *algorithm, data, mac);
  return is_equal.ok() ? CodeOf(Status::kOk, is_equal.value() ? 1 : 0) : CodeOf(is_equal.status());
}

// (key, algorithm, data)
std::int32_t DeriveHmacKeyOf(Arguments& arguments) {
  const auto algorithm = arguments.DigestAt(1);
  const Bytes data = arguments.BytesAt(2);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(arguments.environment(), DeriveHmacKey(*key, *algorithm, data));
}

// (algorithm, keyMaterial, salt, info, out)
std::int32_t HkdfInto(Arguments& arguments) {
  const auto algorithm = arguments.DigestAt(0);
  const Bytes key_material = arguments.BytesAt(1);
  const Bytes salt = arguments.BytesAt(2);
  const Bytes info = arguments.BytesAt(3);
  const MutableBytes out = arguments.WritableAt(4);
  if (!arguments.ok() || !algorithm) {
    return CodeOf(Status::kInvalidArgument);
  }
  return CodeOf(Hkdf(*algorithm, key_material, salt, info, out), out.size());
}

constexpr NamedFunction kFunctions[] = {
    {"randomInto", Call<RandomInto>}, {"digestInto", Call<DigestInto>},
    {"hmacInto", Call<HmacInto>},     {"hmacVerify", Call<VerifyHmac>},
    {"hkdfInto", Call<HkdfInto>},     {"deriveHmacKey", Call<DeriveHmacKeyOf>},
};

}  // namespace

std::span<const NamedFunction> HashFunctions() { return kFunctions; }

}  // namespace keywright
