// Wrapped keys: RFC 3394, RFC 5649, and those of protected_key.h.

#include <algorithm>
#include <iterator>

#include "core/asymmetric_type.h"
#include "core/committing_aead.h"
#include "core/kdf.h"
#include "core/key_access.h"
#include "core/key_pair_codec.h"
#include "core/key_wrap.h"
#include "core/protected_key.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

// What wraps, and whether the input is what was wrapped (so that it gets through) or the result.
enum Mode : std::uint8_t { kKwp, kKw, kProtected, kInnerKwp, kInnerKw, kInnerProtected, kModes };

bool IsKwp(Mode mode) { return mode == kKwp || mode == kInnerKwp; }

Result<KeyPtr> Unwrap(Mode mode, Bytes wrapped, Bytes aad, KeyType type) {
  if (mode == kProtected || mode == kInnerProtected) {
    return UnwrapKey(FixedKey(KeyType::kBacking), wrapped, aad, type);
  }
  return IsKwp(mode) ? KwpUnwrap(FixedKey(KeyType::kAesKwp), wrapped, type)
                     : KwUnwrap(FixedKey(KeyType::kAesKw), wrapped, type);
}

Vector Wrapped(Mode mode, Bytes secret, Bytes aad, KeyType type) {
  if (mode != kInnerProtected) {
    const KeyType kek = IsKwp(mode) ? KeyType::kAesKwp : KeyType::kAesKw;
    return WrapBytes(FixedBytes(kek), secret, IsKwp(mode));
  }
  const auto number = static_cast<std::uint8_t>(type);
  Vector wrapped(secret.size() + kWrapOverheadBytes);
  CheckStatus(CommittingEncrypt(FixedKey(KeyType::kBacking),
                                {.label = kWrapLabel, .aad_prefix = {&number, 1}, .aad = aad},
                                secret, wrapped),
              {Status::kOk}, "CommittingEncrypt");
  return wrapped;
}

void CheckWrongKek(Bytes wrapped, Bytes aad, KeyType type) {
  const Key& other = FixedKey(KeyType::kAesGcm);
  Check(KwpUnwrap(other, wrapped, type).status() == Status::kWrongKeyType &&
            KwUnwrap(other, wrapped, type).status() == Status::kWrongKeyType &&
            UnwrapKey(other, wrapped, aad, type).status() == Status::kWrongKeyType,
        "only a key that wraps unwraps");
}

// The bytes of a symmetric key, or of a private form that is a seed, are all that was wrapped.
void CheckSecret(const Key& key, Bytes secret) {
  const Result<SecretForm> form = SecretForm::Of(key);
  CheckStatus(form.status(), {Status::kOk}, "SecretForm::Of");
  if (!IsAsymmetric(key.type()) || secret.size() == AsymmetricTypeOf(key.type()).seed_bytes) {
    Check(AreEqual(form.value().bytes(), secret), "a key is unwrapped to what was wrapped");
  }
}

void CheckWrapsAgain(Mode mode, const Key& key) {
  const SecretForm form = SecretForm::Of(key).value();
  Vector wrapped;
  Status status = Status::kOk;
  if (mode == kInnerProtected) {
    wrapped.resize(form.size() + kWrapOverheadBytes);
    status = WrapKey(FixedKey(KeyType::kBacking), key, {}, wrapped);
  } else if (IsKwp(mode)) {
    wrapped.resize(KwpWrappedSize(form.size()));
    status = KwpWrap(FixedKey(KeyType::kAesKwp), key, wrapped);
  } else {
    wrapped.resize(KwWrappedSize(form.size()));
    status = KwWrap(FixedKey(KeyType::kAesKw), key, wrapped);
    if (status == Status::kInvalidArgument) {
      return;  // of a length that needs padding
    }
  }
  CheckStatus(status, {Status::kOk}, "wrapping an unwrapped key");
  const Result<KeyPtr> again = Unwrap(mode, wrapped, {}, key.type());
  Check(again.ok() && AreEqual(SecretForm::Of(*again.value()).value().bytes(), form.bytes()),
        "a key that is wrapped again is the same key");
}

SecretForm FixedForm(KeyType type) {
  return SecretForm::Of(IsAsymmetric(type) ? FixedPair(type) : FixedKey(type)).value();
}

// Key wrap knows nothing of types: the bytes of one key may be unwrapped as a key of another type.
bool IsAnyFixedForm(Bytes form) {
  const auto is_form = [form](KeyType type) { return AreEqual(form, FixedForm(type).bytes()); };
  return std::any_of(std::begin(kPairTypes), std::end(kPairTypes), is_form) ||
         std::any_of(std::begin(kSymmetricTypes), std::end(kSymmetricTypes), is_form);
}

// The input is what somebody sent as a wrapped key.
void RunOuter(Mode mode, Input& input) {
  const KeyType type = TypeFrom(input.Byte());
  const Vector aad = input.Take(input.Byte());
  const Vector wrapped = input.Rest();
  CheckWrongKek(wrapped, aad, type);
  const Result<KeyPtr> key = Unwrap(mode, wrapped, aad, type);
  CheckStatus(key.status(), {Status::kOk, Status::kAuthenticationFailed}, "unwrapping");
  if (!key.ok()) {
    return;
  }
  // No input can be made without the KEK but the seeds, which wrap the fixed keys.
  const SecretForm unwrapped = SecretForm::Of(*key.value()).value();
  Check(mode == kProtected ? AreEqual(unwrapped.bytes(), FixedForm(type).bytes())
                           : IsAnyFixedForm(unwrapped.bytes()),
        "a wrapped key opens to nothing but itself");
}

// The input is what somebody who holds the KEK wrapped.
void RunInner(Mode mode, Input& input) {
  const KeyType type = TypeFrom(input.Byte());
  const Vector aad = input.Take(input.Byte());
  Input edits = input.Part(input.Byte() % 16);
  const Vector secret = input.Rest();
  Vector wrapped = Wrapped(mode, secret, aad, type);
  const bool is_changed = edits.Edit(wrapped);
  const Result<KeyPtr> key = Unwrap(mode, wrapped, aad, type);
  if (is_changed) {
    CheckStatus(key.status(), {Status::kAuthenticationFailed}, "unwrapping a changed key");
    return;
  }
  CheckStatus(
      key.status(),
      {Status::kOk, mode == kInnerProtected && !key.ok() && IsSecretFormLength(type, secret.size())
                        ? Status::kInvalidKey
                        : Status::kAuthenticationFailed},
      "unwrapping");
  if (key.ok()) {
    CheckSecret(*key.value(), secret);
    CheckWrapsAgain(mode, *key.value());
  }
}

}  // namespace

void Run(Input input) {
  const auto mode = static_cast<Mode>(input.Byte() % kModes);
  if (mode < kInnerKwp) {
    RunOuter(mode, input);
  } else {
    RunInner(mode, input);
  }
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (std::size_t i = 0; i < std::size(kPairTypes) + std::size(kSymmetricTypes); ++i) {
    const KeyType type = TypeFrom(static_cast<std::uint8_t>(i));
    if (type == KeyType::kRsa3072 || type == KeyType::kRsa4096) {
      continue;
    }
    const SecretForm form = FixedForm(type);
    const Bytes aad = AsBytes("aad");
    for (const Mode inner : {kInnerKwp, kInnerKw, kInnerProtected}) {
      if (inner == kInnerKwp + i % 3) {
        seeds.push_back(Output().Byte(inner).Byte(i).Byte(0).Byte(0).Append(form.bytes()).Done());
      }
      const Vector wrapped = Wrapped(inner, form.bytes(), aad, type);
      if (!wrapped.empty()) {
        seeds.push_back(Output()
                            .Byte(inner - kInnerKwp)
                            .Byte(i)
                            .Byte(aad.size())
                            .Append(aad)
                            .Append(wrapped)
                            .Done());
      }
    }
  }
  return seeds;
}

}  // namespace keywright::fuzz
