// Signatures that somebody else made or changed.

#include <array>
#include <optional>

#include "core/asymmetric_type.h"
#include "core/der.h"
#include "core/signature.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

enum Mode : std::uint8_t { kForeign, kEdited, kModes };

constexpr KeyType kSigners[] = {
    KeyType::kRsa2048, KeyType::kP256, KeyType::kP384,    KeyType::kP521,    KeyType::kSecp256k1,
    KeyType::kEd25519, KeyType::kSm2,  KeyType::kMlDsa44, KeyType::kMlDsa65, KeyType::kMlDsa87};
constexpr std::size_t kAlgorithms = 13;
constexpr std::size_t kMessageTypes = 3;

struct Call {
  const Key& key;
  SignatureAlgorithm algorithm;
  MessageType message_type;
  Vector message;
};

const KeyPtr& PublicSigner(KeyType type) {
  static std::array<KeyPtr, 32> keys;
  KeyPtr& key = keys.at(static_cast<std::size_t>(type));
  if (!key) {
    key = PublicPartOf(FixedPair(type));
  }
  return key;
}

Call ReadCall(Input& input) {
  const KeyType signer = kSigners[input.Byte() % std::size(kSigners)];
  const SignatureAlgorithm algorithm = *SignatureAlgorithmFromNumber(input.Byte() % 13U + 1);
  const MessageType message_type = *MessageTypeFromNumber(input.Byte() % 3U + 1);
  return {.key = FixedPair(signer),
          .algorithm = algorithm,
          .message_type = message_type,
          .message = input.Take(input.Byte())};
}

Result<bool> VerifyBoth(const Call& call, Bytes signature) {
  const Result<bool> is_valid =
      Verify(call.key, call.algorithm, call.message_type, call.message, signature);
  CheckStatus(
      is_valid.status(),
      {Status::kOk, Status::kWrongKeyType, Status::kInvalidArgument, Status::kInvalidLength},
      "Verify");
  const Result<bool> by_public = Verify(*PublicSigner(call.key.type()), call.algorithm,
                                        call.message_type, call.message, signature);
  Check(is_valid.status() == by_public.status() &&
            (!is_valid.ok() || is_valid.value() == by_public.value()),
        "private and public key verify the same");
  return is_valid;
}

bool IsPositiveInteger(Bytes integer) {
  if (integer.empty() || integer.front() >= 0x80) {
    return false;
  }
  return integer.size() == 1 || integer[0] != 0 || integer[1] >= 0x80;
}

// r and s in DER, with nothing in front, between or behind.
bool IsDerPair(Bytes signature) {
  DerReader outer(signature);
  const std::optional<Bytes> content = outer.Read(DerTag::kSequence);
  if (!content || !outer.is_empty()) {
    return false;
  }
  DerReader inner(*content);
  const std::optional<Bytes> r = inner.Read(DerTag::kInteger);
  const std::optional<Bytes> s = inner.Read(DerTag::kInteger);
  return r && s && inner.is_empty() && IsPositiveInteger(*r) && IsPositiveInteger(*s);
}

void CheckForm(KeyType type, Bytes signature) {
  switch (AsymmetricTypeOf(type).family) {
    case Family::kRsa:
      return Check(signature.size() == 256, "an RSA signature has the length of the modulus");
    case Family::kEc:
    case Family::kSm2:
      return Check(IsDerPair(signature), "an accepted ECDSA or SM2 signature is DER");
    case Family::kEd25519:
      return Check(signature.size() == 64, "an Ed25519 signature has 64 bytes");
    default:
      return Check(signature.size() == (type == KeyType::kMlDsa44   ? 2420U
                                        : type == KeyType::kMlDsa65 ? 3309U
                                                                    : 4627U),
                   "an ML-DSA signature has the length of FIPS 204");
  }
}

void RunForeign(Input& input) {
  const Call call = ReadCall(input);
  const Vector signature = input.Rest();
  const Result<bool> is_valid = VerifyBoth(call, signature);
  if (is_valid.ok() && is_valid.value()) {
    CheckForm(call.key.type(), signature);
  }
}

void RunEdited(Input& input) {
  const Call call = ReadCall(input);
  Vector room(kMaxSignatureBytes);
  const Result<std::size_t> length =
      Sign(call.key, call.algorithm, call.message_type, call.message, room);
  CheckStatus(
      length.status(),
      {Status::kOk, Status::kWrongKeyType, Status::kInvalidArgument, Status::kInvalidLength},
      "Sign");
  if (!length.ok()) {
    Check(VerifyBoth(call, {}).status() == length.status(), "Sign and Verify refuse the same");
    return;
  }
  Vector signature = Copy(Bytes(room).first(length.value()));
  CheckForm(call.key.type(), signature);
  const bool is_changed = input.Edit(signature);
  const Result<bool> is_valid = VerifyBoth(call, signature);
  Check(is_valid.ok() && is_valid.value() != is_changed,
        "a signature is valid exactly when it is unchanged");
}

// A signature of RSASSA-PSS that begins with a zero byte, without that byte: RFC 8017 §8.1.2 wants
// it refused for its length.
Vector ShortSignature() {
  const Vector call = Output().Byte(0).Byte(0).Byte(0).Byte(1).Byte('m').Done();
  Input input(call);
  const Call read = ReadCall(input);
  Vector room(kMaxSignatureBytes);
  std::size_t length = 0;
  do {
    length = Sign(read.key, read.algorithm, read.message_type, read.message, room).value();
  } while (room[0] != 0);
  const Bytes short_signature = Bytes(room).first(length).subspan(1);
  return Output().Byte(kForeign).Append(call).Append(short_signature).Done();
}

}  // namespace

void Run(Input input) {
  if (input.Byte() % kModes == kForeign) {
    RunForeign(input);
  } else {
    RunEdited(input);
  }
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (std::size_t signer = 0; signer < std::size(kSigners); ++signer) {
    for (std::size_t algorithm = 0; algorithm < kAlgorithms; ++algorithm) {
      for (std::size_t type = 0; type < kMessageTypes; ++type) {
        for (const std::size_t length : {32U, 48U, 64U}) {
          const Output call = Output().Byte(signer).Byte(algorithm).Byte(type).Byte(length).Append(
              Vector(length, 0x6d));
          const Vector bytes = Output(call).Done();
          Input input(bytes);
          const Call read = ReadCall(input);
          Vector signature(kMaxSignatureBytes);
          const Result<std::size_t> size =
              Sign(read.key, read.algorithm, read.message_type, read.message, signature);
          if (!size.ok() || (read.message_type == MessageType::kRaw && length != 32)) {
            continue;
          }
          seeds.push_back(Output()
                              .Byte(kForeign)
                              .Append(bytes)
                              .Append(Bytes(signature).first(size.value()))
                              .Done());
          if (read.message_type == MessageType::kRaw) {
            seeds.push_back(
                Output().Byte(kEdited).Append(bytes).Byte(type).Byte(3).Number16(4).Byte(1).Done());
          }
        }
      }
    }
  }
  seeds.push_back(ShortSignature());
  return seeds;
}

}  // namespace keywright::fuzz
