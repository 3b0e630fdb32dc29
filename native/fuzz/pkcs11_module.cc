// Every request to a token, over a module whose answers are anything.

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "core/der.h"
#include "core/digest_algorithm.h"
#include "core/gcm_context.h"
#include "core/secret_form.h"
#include "core/signature.h"
#include "fuzz/fuzzing.h"
#include "fuzz/hostile_module.h"
#include "pkcs11/connection.h"
#include "pkcs11/perform.h"
#include "pkcs11/pooled_session.h"
#include "pkcs11/sealed_key.h"

namespace keywright::fuzz {
namespace {

using pkcs11::Operation;
using pkcs11::Reply;
using pkcs11::Request;

constexpr std::size_t kMaxItems = 4;
constexpr std::size_t kGcmOverheadBytes = kGcmNonceBytes + kGcmTagBytes;
constexpr std::size_t kMaxWrappedBytes = 16384;
constexpr int kRounds = 2;

// What is asked, which the first part of an input says.
struct Plan {
  std::uint32_t profile;
  HostileModule::Kind kind;
  KeyType sealed_type;  // of the key that a plaintext is taken for
  Vector key_id;
  std::array<std::uint32_t, 4> numbers;
  Operation operation;
  Vector common;
  std::vector<Vector> items;
};

PrivateBuffer Buffer(Bytes bytes) { return PrivateBuffer::CopyOf(bytes).value(); }

std::uint32_t NumberFrom(Input& input) {
  constexpr std::uint8_t kLong = 0xff;
  const std::uint8_t number = input.Byte();
  return number == kLong ? input.Number32() : number;
}

Plan PlanFrom(Input input) {
  constexpr std::uint32_t kProfiles = 4;
  constexpr std::uint32_t kOperations = 18;
  Plan plan{};
  plan.profile = 1 + input.Byte() % kProfiles;
  plan.kind = static_cast<HostileModule::Kind>(
      input.Byte() % static_cast<std::uint8_t>(HostileModule::Kind::kCount));
  plan.operation = static_cast<Operation>(1 + input.Byte() % kOperations);
  plan.sealed_type = TypeFrom(input.Byte());
  std::generate(plan.numbers.begin(), plan.numbers.end(), [&] { return NumberFrom(input); });
  plan.key_id = input.Take(input.Byte());
  plan.common = input.Take(input.Number16());
  const std::size_t items = input.Byte() % kMaxItems;
  for (std::size_t i = 0; i < items; ++i) {
    plan.items.push_back(input.Take(input.Number16()));
  }
  return plan;
}

bool MakesKeys(Operation operation) {
  return operation == Operation::kGenerateSecretKey || operation == Operation::kGenerateKeyPair ||
         operation == Operation::kImportPublicKey;
}

std::vector<Vector> KnownIds(const Plan& plan) {
  std::vector<Vector> ids;
  if (!MakesKeys(plan.operation)) {
    ids.push_back(plan.key_id);
  }
  if (plan.operation == Operation::kWrapKey) {
    ids.push_back(plan.common);
  }
  return ids;
}

Request RequestOf(const Plan& plan) {
  Request request;
  request.operation = plan.operation;
  request.key_id = Buffer(plan.key_id);
  request.numbers = plan.numbers;
  request.common = Buffer(plan.common);
  for (const Vector& item : plan.items) {
    request.items.push_back(Buffer(item));
  }
  return request;
}

std::size_t ObjectsOf(Operation operation) {
  switch (operation) {
    case Operation::kGenerateKeyPair:
      return 2;
    case Operation::kGenerateSecretKey:
    case Operation::kUnwrapKey:
    case Operation::kImportPublicKey:
      return 1;
    default:
      return 0;
  }
}

void CheckRecord(Bytes record) {
  constexpr std::size_t kHeaderBytes = 11;
  Check(record.size() >= kHeaderBytes, "a record has a header");
  const std::size_t id_size = std::size_t{record[9]} << 8 | record[10];
  Check(record.size() - kHeaderBytes >= id_size, "the id of a record lies in it");
}

void CheckSpki(Bytes spki) {
  DerReader outer(spki);
  Check(outer.Read(DerTag::kSequence).has_value() && outer.is_empty(), "a public key is DER");
}

void CheckOutput(const Plan& plan, std::size_t index, Bytes output) {
  const std::size_t item = index < plan.items.size() ? plan.items[index].size() : 0;
  constexpr std::size_t kMaxSecretBytes = 66;  // of P-521
  switch (plan.operation) {
    case Operation::kGenerateRandom:
      return Check(output.size() == plan.numbers[0], "as many random bytes as were asked for");
    case Operation::kFindKeys:
      return CheckRecord(output);
    case Operation::kGenerateKeyPair:
    case Operation::kExportPublicKey:
      return CheckSpki(output);
    case Operation::kWrapKey:
      return Check(output.size() <= 2 * kMaxWrappedBytes, "a wrapped key is not longer than any");
    case Operation::kEncryptGcm:
      return Check(output.size() == item + kGcmOverheadBytes, "IV, ciphertext and tag");
    case Operation::kDecryptGcm:
      return Check(output.size() + kGcmOverheadBytes == item, "a plaintext without IV and tag");
    case Operation::kGenerateMac:
      return Check(output.size() == DigestSize(*DigestAlgorithmFromNumber(plan.numbers[0])),
                   "a MAC of the digest's length");
    case Operation::kSign:
      return Check(output.size() <= kMaxSignatureBytes, "a signature is not longer than any");
    case Operation::kAgree:
      return Check(output.size() <= kMaxSecretBytes, "a coordinate");
    default:
      return;
  }
}

void CheckReply(const Plan& plan, const Reply& reply) {
  if (!reply.failure.ok()) {
    Check(reply.outputs.empty() && reply.failures.empty(), "a request that failed has no outputs");
    return;
  }
  Check(reply.failures.empty() || reply.failures.size() == reply.outputs.size(),
        "failures stand in the places of outputs");
  for (std::size_t i = 0; i < reply.outputs.size(); ++i) {
    if (reply.failures.empty() || reply.failures[i].ok()) {
      CheckOutput(plan, i, reply.outputs[i].bytes());
    }
  }
}

// A plaintext as a key that was sealed.
void OpenKey(const Plan& plan, const Reply& reply) {
  KeyPtr key;
  const pkcs11::Failure failure = pkcs11::TakeKey(reply, plan.sealed_type, &key);
  Check(failure.ok() == (key != nullptr), "either a key or a failure");
  Check(key == nullptr || key->type() == plan.sealed_type, "a key of the type that was asked for");
}

pkcs11::TokenChoice ChoiceOf(const Plan& plan) {
  pkcs11::TokenChoice choice;
  choice.label = kTokenLabel;
  choice.pin = SecureBuffer::CopyOf(AsBytes("pin")).value();
  choice.profile = pkcs11::FindProfile(plan.profile);
  return choice;
}

void Ask(const Plan& plan, const HostileModule& module, pkcs11::Connection& connection,
         pkcs11::Lease& lease) {
  if (const pkcs11::Failure failure = connection.Acquire(lease); !failure.ok()) {
    connection.Lose(lease, pkcs11::LossOf(failure));
    return;
  }
  Reply reply;
  const std::size_t before = module.objects_left();
  {
    const pkcs11::Module::Use use(connection.module());
    pkcs11::PooledSession session(connection, lease.session);
    reply = pkcs11::Perform(session, RequestOf(plan));
  }
  CheckReply(plan, reply);
  const std::size_t kept = reply.failure.ok() ? ObjectsOf(plan.operation) : 0;
  Check(module.objects_left() <= before + kept, "no object stays but those that were asked for");
  if (plan.operation == Operation::kDecryptGcm) {
    OpenKey(plan, reply);
  }
  connection.Lose(lease, pkcs11::LossOf(reply.failure));
}

// Seeds.

Vector InputOf(const Plan& plan, Bytes answers = {}) {
  Output asked;
  asked.Byte(plan.profile - 1)
      .Byte(static_cast<std::size_t>(plan.kind))
      .Byte(static_cast<std::size_t>(plan.operation) - 1);
  std::uint8_t type = 0;
  while (TypeFrom(type) != plan.sealed_type) {
    ++type;
  }
  asked.Byte(type);
  for (const std::uint32_t number : plan.numbers) {
    asked.Byte(number);
  }
  asked.Byte(plan.key_id.size()).Append(plan.key_id);
  asked.Number16(plan.common.size()).Append(plan.common).Byte(plan.items.size());
  for (const Vector& item : plan.items) {
    asked.Number16(item.size()).Append(item);
  }
  const Vector part = asked.Done();
  return Output().Number16(part.size()).Append(part).Append(answers).Done();
}

Plan PlanOf(Operation operation, std::array<std::uint32_t, 4> numbers = {}) {
  return {.profile = 1,
          .kind = HostileModule::Kind::kSecret,
          .sealed_type = KeyType::kAesGcm,
          .key_id = {1, 2, 3},
          .numbers = numbers,
          .operation = operation,
          .common = {},
          .items = {}};
}

void AddKeySeeds(std::vector<Plan>& plans) {
  plans.push_back(PlanOf(Operation::kGenerateRandom, {32}));
  for (const std::uint32_t type : {1U, 2U, 3U}) {
    plans.push_back(PlanOf(Operation::kGenerateSecretKey, {type, 1, 32}));
  }
  for (std::uint32_t pair_type = 1; pair_type <= 13; ++pair_type) {
    plans.push_back(PlanOf(Operation::kGenerateKeyPair, {pair_type}));
  }
  for (std::uint8_t kind = 0; kind < static_cast<std::uint8_t>(HostileModule::Kind::kCount);
       ++kind) {
    for (const Operation operation :
         {Operation::kFindKeys, Operation::kExportPublicKey, Operation::kDestroyKey}) {
      plans.push_back(PlanOf(operation));
      plans.back().kind = static_cast<HostileModule::Kind>(kind);
    }
  }
  plans.push_back(PlanOf(Operation::kImportPublicKey, {1}));
  plans.back().items = {ExportedPublicKey(FixedPair(KeyType::kRsa2048))};
  for (std::uint32_t mechanism = 1; mechanism <= 6; ++mechanism) {
    plans.push_back(PlanOf(Operation::kWrapKey, {mechanism}));
    plans.back().common = {4, 5, 6};
    plans.back().kind = HostileModule::Kind::kRsa;
    plans.push_back(PlanOf(Operation::kUnwrapKey, {mechanism, 1, 1, 3}));
    plans.back().common = {4, 5, 6};
    plans.back().kind = HostileModule::Kind::kRsa;
    plans.back().items = {Vector(mechanism <= 2 ? 40 : 296, 0x55)};
  }
}

void AddUseSeeds(std::vector<Plan>& plans) {
  for (const std::uint32_t profile : {1U, 3U}) {
    plans.push_back(PlanOf(Operation::kEncryptGcm));
    plans.back().profile = profile;
    plans.back().items = {Vector(20, 1), Vector()};
  }
  for (const KeyType type : {KeyType::kAesGcm, KeyType::kBacking, KeyType::kP256}) {
    const Key& key = IsAsymmetric(type) ? FixedPair(type) : FixedKey(type);
    const Result<SecretForm> form = SecretForm::Of(key);
    plans.push_back(PlanOf(Operation::kDecryptGcm));
    plans.back().sealed_type = type;
    plans.back().items = {
        Concat({Vector(kGcmNonceBytes, 7), form.value().bytes(), Vector(kGcmTagBytes)})};
  }
  for (const std::uint32_t digest : {1U, 2U, 3U, 4U}) {
    plans.push_back(PlanOf(Operation::kGenerateMac, {digest}));
    plans.back().items = {Vector(5)};
    plans.push_back(PlanOf(Operation::kVerifyMac, {digest}));
    plans.back().items = {Vector(70, 0x9d)};
  }
  for (std::uint32_t algorithm = 1; algorithm <= 13; ++algorithm) {
    plans.push_back(PlanOf(Operation::kSign, {algorithm}));
    plans.back().items = {Vector(32), Vector(48), Vector(64)};
    plans.push_back(PlanOf(Operation::kVerify, {algorithm}));
    plans.back().items = {Vector(32)};
    plans.back().common = Vector(64, 0x30);
  }
  for (const std::uint32_t algorithm : {1U, 2U}) {
    plans.push_back(PlanOf(Operation::kRsaEncrypt, {algorithm}));
    plans.back().kind = HostileModule::Kind::kRsa;
    plans.back().items = {Vector(32)};
    plans.push_back(PlanOf(Operation::kRsaDecrypt, {algorithm}));
    plans.back().kind = HostileModule::Kind::kRsa;
    plans.back().items = {Vector(256, 1)};
  }
  plans.push_back(PlanOf(Operation::kAgree));
  plans.back().kind = HostileModule::Kind::kP256;
  plans.back().common = ExportedPublicKey(FixedPair(KeyType::kP256));
}

}  // namespace

void Run(Input input) {
  const Plan plan = PlanFrom(input.Part(input.Number16()));
  HostileModule module(input, plan.kind, KnownIds(plan));
  pkcs11::Connection connection(ChoiceOf(plan), pkcs11::Module::Over(module.functions()));
  pkcs11::Lease lease;
  for (int round = 0; round < kRounds; ++round) {
    Ask(plan, module, connection, lease);
  }
  connection.Release(lease);
  connection.Disconnect();
}

std::vector<Vector> Seeds() {
  std::vector<Plan> plans;
  AddKeySeeds(plans);
  AddUseSeeds(plans);
  std::vector<Vector> seeds;
  seeds.reserve(plans.size());
  for (const Plan& plan : plans) {
    seeds.push_back(InputOf(plan));
  }
  // The first lie, of each kind, in one of the answers that follow the connection.
  for (std::uint8_t lie = 1; lie <= 7; ++lie) {
    Vector answers(140);
    std::fill(answers.begin() + 65, answers.end(), lie);
    seeds.push_back(InputOf(PlanOf(Operation::kFindKeys), answers));
    seeds.push_back(InputOf(PlanOf(Operation::kExportPublicKey), answers));
  }
  return seeds;
}

}  // namespace keywright::fuzz
