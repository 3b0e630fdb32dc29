#include <array>

#include "core/asymmetric_type.h"
#include "pkcs11/answer.h"
#include "pkcs11/key_objects.h"
#include "pkcs11/new_key.h"
#include "pkcs11/operations.h"
#include "pkcs11/public_key_der.h"
#include "pkcs11/public_keys.h"

namespace keywright::pkcs11 {
namespace {

// PAIR_TYPE_CODES of src/pkcs11/codes.ts, which start at 1.
struct PairType {
  KeyType type;
  bool is_wrapping = false;  // RSA that wraps, instead of RSA that signs and decrypts
};

constexpr PairType kPairTypes[] = {
    {KeyType::kRsa2048},       {KeyType::kRsa3072}, {KeyType::kRsa4096},
    {KeyType::kP256},          {KeyType::kP384},    {KeyType::kP521},
    {KeyType::kSecp256k1},     {KeyType::kEd25519}, {KeyType::kRsa2048, true},
    {KeyType::kRsa4096, true}, {KeyType::kMlDsa44}, {KeyType::kMlDsa65},
    {KeyType::kMlDsa87},
};

struct Handles {
  CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE private_key = CK_INVALID_HANDLE;
};

Family FamilyOf(const PairType& pair) { return AsymmetricTypeOf(pair.type).family; }

CK_KEY_TYPE CkKeyTypeOf(const PairType& pair) {
  switch (FamilyOf(pair)) {
    case Family::kRsa:
      return CKK_RSA;
    case Family::kEc:
      return CKK_EC;
    case Family::kEd25519:
      return kKeyTypeEcEdwards;
    default:
      return kKeyTypeMlDsa;
  }
}

CK_MECHANISM_TYPE GenerationOf(const PairType& pair) {
  switch (FamilyOf(pair)) {
    case Family::kRsa:
      return CKM_RSA_PKCS_KEY_PAIR_GEN;
    case Family::kEc:
      return CKM_EC_KEY_PAIR_GEN;
    case Family::kEd25519:
      return kMechanismEcEdwardsKeyPairGen;
    default:
      return kMechanismMlDsaKeyPairGen;
  }
}

// What the pair is made from: a size, a curve or a set of parameters.
void DescribeParameters(const PairType& pair, Template& out) {
  static constexpr std::array<std::uint8_t, 3> kExponent = {1, 0, 1};
  switch (FamilyOf(pair)) {
    case Family::kRsa:
      out.AddNumber(CKA_MODULUS_BITS, AsymmetricTypeOf(pair.type).bits);
      out.AddBytes(CKA_PUBLIC_EXPONENT, kExponent);
      break;
    case Family::kEc:
    case Family::kEd25519:
      out.AddBytes(CKA_EC_PARAMS, EcParametersOf(pair.type));
      break;
    default:
      out.AddNumber(kAttributeParameterSet, static_cast<CK_ULONG>(pair.type) -
                                                static_cast<CK_ULONG>(KeyType::kMlDsa44) + 1);
      break;
  }
}

// Without what makes it the key that it is. CKA_PRIVATE is left to the token: the public part is no
// secret.
void DescribePublic(const PairType& pair, const NewKey& key, Template& out) {
  out.AddNumber(CKA_CLASS, CKO_PUBLIC_KEY);
  out.AddNumber(CKA_KEY_TYPE, CkKeyTypeOf(pair));
  out.AddBytes(CKA_ID, key.id);
  out.AddBytes(CKA_LABEL, key.label);
  out.AddFlag(CKA_TOKEN, !key.is_session);
  out.AddFlag(CKA_VERIFY, !pair.is_wrapping);
  if (FamilyOf(pair) == Family::kRsa) {
    out.AddFlag(CKA_ENCRYPT, !pair.is_wrapping);
    out.AddFlag(CKA_WRAP, pair.is_wrapping);
  }
}

void DescribePrivate(const PairType& pair, const NewKey& key, Template& out) {
  out.AddNumber(CKA_CLASS, CKO_PRIVATE_KEY);
  out.AddNumber(CKA_KEY_TYPE, CkKeyTypeOf(pair));
  DescribeProtection(key, out);
  out.AddFlag(CKA_SIGN, !pair.is_wrapping);
  out.AddFlag(CKA_DERIVE, FamilyOf(pair) == Family::kEc);
  if (FamilyOf(pair) == Family::kRsa) {
    out.AddFlag(CKA_DECRYPT, !pair.is_wrapping);
    out.AddFlag(CKA_UNWRAP, pair.is_wrapping);
  }
}

Failure MakePair(const Session& session, const PairType& pair, const NewKey& key,
                 Handles& handles) {
  Template public_attributes;
  Template private_attributes;
  DescribePublic(pair, key, public_attributes);
  DescribeParameters(pair, public_attributes);
  DescribePrivate(pair, key, private_attributes);
  CK_MECHANISM mechanism = {
      .mechanism = GenerationOf(pair), .pParameter = nullptr, .ulParameterLen = 0};
  const CK_RV rv = session.functions()->C_GenerateKeyPair(
      session.handle(), &mechanism, public_attributes.data(), public_attributes.size(),
      private_attributes.data(), private_attributes.size(), &handles.public_key,
      &handles.private_key);
  return MechanismAnswer(rv, mechanism.mechanism);
}

Failure Generate(Session& session, const PairType& pair, const NewKey& key, PrivateBuffer& spki) {
  Failure failure = RequireMechanism(session, GenerationOf(pair), CKF_GENERATE_KEY_PAIR);
  for (const CK_OBJECT_CLASS object_class : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    if (failure.ok()) {
      failure = RequireFreeId(session, object_class, key.id);
    }
  }
  Handles handles;
  if (failure.ok()) {
    failure = MakePair(session, pair, key, handles);
  }
  if (!failure.ok()) {
    return failure;
  }
  failure = VerifyProtection(session, handles.private_key, key, true);
  if (failure.ok()) {
    failure = ReadPublicKey(session, handles.public_key, spki);
  }
  if (!failure.ok()) {
    for (const CK_OBJECT_HANDLE object : {handles.private_key, handles.public_key}) {
      if (!DestroyObject(session, object)) {
        session.NoteChange();
      }
    }
  }
  return failure;
}

Failure Import(const Session& session, const PairType& pair, const NewKey& key, Bytes spki) {
  if (FamilyOf(pair) != Family::kRsa) {
    return FailureOf(Reason::kNotOffered);
  }
  const std::optional<RsaNumbers> numbers = RsaNumbersOf(spki);
  constexpr std::size_t kBitsInByte = 8;
  if (!numbers || numbers->modulus.size() * kBitsInByte != AsymmetricTypeOf(pair.type).bits) {
    return FailureOf(Reason::kInvalidArgument);
  }
  if (Failure failure = RequireFreeId(session, CKO_PUBLIC_KEY, key.id); !failure.ok()) {
    return failure;
  }
  Template attributes;
  DescribePublic(pair, key, attributes);
  attributes.AddBytes(CKA_MODULUS, numbers->modulus);
  attributes.AddBytes(CKA_PUBLIC_EXPONENT, numbers->public_exponent);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  return ModuleAnswer(session.functions()->C_CreateObject(session.handle(), attributes.data(),
                                                          attributes.size(), &object));
}

struct PlannedPair {
  PairType pair;
  NewKey key;
};

std::optional<PlannedPair> PlanOf(const Request& request) {
  const std::size_t number = request.numbers[0];
  const std::optional<NewKey> key =
      NewKeyOf(request.key_id.bytes(), request.common.bytes(), request.numbers[1]);
  if (number < 1 || number > std::size(kPairTypes) || !key) {
    return std::nullopt;
  }
  return PlannedPair{.pair = kPairTypes[number - 1], .key = *key};
}

}  // namespace

Reply GenerateKeyPair(Session& session, const Request& request) {
  const std::optional<PlannedPair> plan = PlanOf(request);
  if (!plan) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  PrivateBuffer spki;
  const Failure failure = Generate(session, plan->pair, plan->key, spki);
  return failure.ok() ? ReplyOf(std::move(spki)) : ReplyOf(failure);
}

Reply ImportPublicKey(Session& session, const Request& request) {
  const std::optional<PlannedPair> plan = PlanOf(request);
  if (!plan || request.items.size() != 1) {
    return ReplyOf(FailureOf(Reason::kInvalidArgument));
  }
  return ReplyOf(Import(session, plan->pair, plan->key, request.items.front().bytes()));
}

}  // namespace keywright::pkcs11
