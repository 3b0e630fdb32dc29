#include "pkcs11/recovery.h"

#include <algorithm>
#include <array>

namespace keywright::pkcs11 {
namespace {

// KEY_FLAGS.session of src/pkcs11/codes.ts.
constexpr std::uint32_t kSessionKeyFlag = 1;

struct Row {
  CK_RV rv;
  Loss loss;
};

// What a module refuses to make a key with may have made it all the same: not such an answer.
bool IsOfUnreadableKey(Operation operation, const Failure& failure, const Profile& profile) {
  const bool is_refusal = failure.reason == Reason::kModule && !SearchesByItself(operation);
  return (is_refusal || failure.reason == Reason::kAuthenticationFailed) && failure.rv != CKR_OK &&
         failure.rv == profile.bad_ciphertext;
}

constexpr auto kTable = std::to_array<Row>({
    {CKR_OBJECT_HANDLE_INVALID, Loss::kHandle},
    {CKR_KEY_HANDLE_INVALID, Loss::kHandle},
    {CKR_WRAPPING_KEY_HANDLE_INVALID, Loss::kHandle},
    {CKR_UNWRAPPING_KEY_HANDLE_INVALID, Loss::kHandle},
    {CKR_SESSION_HANDLE_INVALID, Loss::kSession},
    {CKR_SESSION_CLOSED, Loss::kSession},
    // Somebody left an operation behind in this session; another one has none.
    {CKR_OPERATION_ACTIVE, Loss::kSession},
    {CKR_OPERATION_NOT_INITIALIZED, Loss::kSession},
    {CKR_USER_NOT_LOGGED_IN, Loss::kLogin},
    {CKR_TOKEN_NOT_PRESENT, Loss::kToken},
    {CKR_TOKEN_NOT_RECOGNIZED, Loss::kToken},
    {CKR_DEVICE_REMOVED, Loss::kToken},
    {CKR_SLOT_ID_INVALID, Loss::kToken},
    {CKR_CRYPTOKI_NOT_INITIALIZED, Loss::kModule},
    {CKR_DEVICE_ERROR, Loss::kDevice},
    {CKR_SESSION_COUNT, Loss::kSessionCount},
});

constexpr auto kDelays = std::to_array<std::chrono::milliseconds>(
    {std::chrono::milliseconds(0), std::chrono::milliseconds(20), std::chrono::milliseconds(100),
     std::chrono::milliseconds(400)});

constexpr std::chrono::milliseconds kFirstProbe(100);
constexpr std::chrono::milliseconds kSlowestProbe(5000);

}  // namespace

Loss LossOf(const Failure& failure) {
  if (failure.reason == Reason::kNoToken) {
    return Loss::kToken;
  }
  if (failure.reason != Reason::kModule) {
    return Loss::kNothing;
  }
  const auto* const row = std::find_if(kTable.begin(), kTable.end(),
                                       [&](const Row& entry) { return entry.rv == failure.rv; });
  return row == kTable.end() ? Loss::kNothing : row->loss;
}

bool MayRepeat(Loss loss, Operation operation, bool has_changed) {
  switch (operation) {
    case Operation::kGenerateSecretKey:
    case Operation::kGenerateKeyPair:
    case Operation::kUnwrapKey:
    case Operation::kImportPublicKey:
      return loss != Loss::kDevice && !has_changed;
    case Operation::kDestroyKey:
      return loss != Loss::kDevice;
    default:
      return true;
  }
}

bool MakesSessionObject(const Request& request) {
  switch (request.operation) {
    case Operation::kGenerateSecretKey:
    case Operation::kGenerateKeyPair:
    case Operation::kImportPublicKey:
      return (request.numbers[1] & kSessionKeyFlag) != 0;
    case Operation::kUnwrapKey:
      return (request.numbers[2] & kSessionKeyFlag) != 0;
    default:
      return false;
  }
}

bool SearchesByItself(Operation operation) {
  switch (operation) {
    case Operation::kGenerateSecretKey:
    case Operation::kGenerateKeyPair:
    case Operation::kFindKeys:
    case Operation::kDestroyKey:
    case Operation::kUnwrapKey:
    case Operation::kImportPublicKey:
      return true;
    default:
      return false;
  }
}

bool MayBeForWantOfLogin(Operation operation, const Reply& reply, const Profile& profile) {
  if (reply.failure.ok() &&
      (operation == Operation::kFindKeys || operation == Operation::kDestroyKey)) {
    return true;
  }
  if (reply.failure.reason == Reason::kKeyNotFound ||
      IsOfUnreadableKey(operation, reply.failure, profile)) {
    return true;
  }
  return std::ranges::any_of(reply.failures, [operation, &profile](const Failure& failure) {
    return IsOfUnreadableKey(operation, failure, profile);
  });
}

std::optional<std::chrono::milliseconds> DelayBefore(Loss loss, unsigned attempt) {
  const std::size_t repetitions = loss == Loss::kHandle ? 1 : kDelays.size();
  if (loss == Loss::kNothing || attempt == 0 || attempt > repetitions) {
    return std::nullopt;
  }
  return kDelays[attempt - 1];
}

std::chrono::milliseconds DelayBeforeProbe(unsigned probes) {
  // 2^6 is more than the slowest allows.
  return std::min(kFirstProbe * (1U << std::min(probes, 6U)), kSlowestProbe);
}

}  // namespace keywright::pkcs11
