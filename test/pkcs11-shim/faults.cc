#include "faults.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "counters.h"
#include "discard.h"
#include "function.h"
#include "rules.h"

namespace keywright::shim {
namespace {

// What the rules make of one call: nothing, an answer instead of the call, or an answer after it.
struct Verdict {
  std::optional<CK_RV> instead;
  std::optional<CK_RV> afterwards;
};

// Tells one version of the control file from the next. A file that is written elsewhere and renamed
// into place has another inode each time.
using FileVersion = std::tuple<dev_t, ino_t, off_t, time_t, long>;

class FaultLayer {
 public:
  void Configure(const CK_FUNCTION_LIST* below, const char* control, const char* counts);
  const CK_FUNCTION_LIST& below() const { return *below_; }

  // Counts the call, lets the rules act, and says how it goes on. `handle` is the slot or the
  // session.
  Verdict Before(Function function, CK_ULONG handle);

  bool IsTokenAbsent();
  void Opened(CK_SESSION_HANDLE session, CK_SLOT_ID slot);
  void Closed(CK_SESSION_HANDLE session);
  void ClosedAll(CK_SLOT_ID slot);
  void Finalized();

 private:
  std::shared_ptr<Rules> Current();
  void Hang(const std::shared_ptr<Rules>& rules);
  void CloseAllSessions();
  std::size_t OpenSessions();
  Verdict Act(const std::shared_ptr<Rules>& rules, const Rule& rule, CK_ULONG handle);

  const CK_FUNCTION_LIST* below_ = nullptr;
  std::string control_;
  Counters* counters_ = nullptr;
  std::mutex mutex_;
  std::optional<FileVersion> version_;
  std::shared_ptr<Rules> rules_ = std::make_shared<Rules>();
  std::map<CK_SESSION_HANDLE, CK_SLOT_ID> sessions_;
};

void FaultLayer::Configure(const CK_FUNCTION_LIST* below, const char* control, const char* counts) {
  const std::lock_guard lock(mutex_);
  below_ = below;
  control_ = control == nullptr ? "" : control;
  version_.reset();
  rules_ = std::make_shared<Rules>();
  counters_ = &MapCounters(counts);
}

// The rules as the control file has them now; null when it is wrong.
std::shared_ptr<Rules> FaultLayer::Current() {
  const std::lock_guard lock(mutex_);
  struct stat found = {};
  std::optional<FileVersion> version;
  if (!control_.empty() && stat(control_.c_str(), &found) == 0) {
    version.emplace(found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                    found.st_mtim.tv_nsec);
  }
  if (version != version_) {
    version_ = version;
    std::string text;
    if (version) {
      std::ifstream file(control_, std::ios::binary);
      text.assign(std::istreambuf_iterator<char>(file), {});
    }
    rules_ = ParseRules(text);
  }
  return rules_;
}

// Until the control file is another.
void FaultLayer::Hang(const std::shared_ptr<Rules>& rules) {
  while (Current() == rules) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void FaultLayer::CloseAllSessions() {
  std::vector<CK_SLOT_ID> slots;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [session, slot] : sessions_) {
      slots.push_back(slot);
    }
    sessions_.clear();
  }
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  for (const CK_SLOT_ID slot : slots) {
    below_->C_CloseAllSessions(slot);
  }
}

std::size_t FaultLayer::OpenSessions() {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

bool FaultLayer::IsTokenAbsent() {
  const std::shared_ptr<Rules> rules = Current();
  return rules != nullptr && rules->token_absent;
}

void FaultLayer::Opened(CK_SESSION_HANDLE session, CK_SLOT_ID slot) {
  const std::lock_guard lock(mutex_);
  sessions_[session] = slot;
}

void FaultLayer::Closed(CK_SESSION_HANDLE session) {
  const std::lock_guard lock(mutex_);
  sessions_.erase(session);
}

void FaultLayer::ClosedAll(CK_SLOT_ID slot) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [slot](const auto& open) { return open.second == slot; });
}

void FaultLayer::Finalized() {
  const std::lock_guard lock(mutex_);
  sessions_.clear();
}

Verdict FaultLayer::Act(const std::shared_ptr<Rules>& rules, const Rule& rule, CK_ULONG handle) {
  switch (rule.action) {
    case Action::kDelay:
      std::this_thread::sleep_for(std::chrono::milliseconds(rule.number));
      return {};
    case Action::kFail:
      return {.instead = rule.number, .afterwards = {}};
    case Action::kLoseAnswer:
      return {.instead = {}, .afterwards = rule.number};
    case Action::kLoseSession:
      below_->C_CloseSession(handle);
      Closed(handle);
      return {};
    case Action::kLoseAllSessions:
      CloseAllSessions();
      return {};
    case Action::kLogout:
      below_->C_Logout(handle);
      return {};
    case Action::kLimit:
      return {.instead = CKR_SESSION_COUNT, .afterwards = {}};
    case Action::kHang:
      Hang(rules);
      return {};
    case Action::kAbort:
      std::abort();
    case Action::kKill:
      std::raise(SIGKILL);
      return {};
  }
  return {};
}

bool NeedsToken(Function function) {
  return TakesSlot(function) && function != Function::C_GetSlotInfo &&
         function != Function::C_CloseAllSessions;
}

Verdict FaultLayer::Before(Function function, CK_ULONG handle) {
  const std::shared_ptr<Rules> rules = Current();
  Counter& counter = (*counters_)[IndexOf(function)];
  Increment(counter.calls);
  if (rules == nullptr) {
    return {.instead = kBadControlFile, .afterwards = {}};
  }
  if (rules->token_absent) {
    // Taking a token out closes its sessions (PKCS#11 v2.40, 5.1.1, CKR_SESSION_HANDLE_INVALID).
    if (!rules->is_token_taken.exchange(true)) {
      CloseAllSessions();
    }
    if (NeedsToken(function)) {
      Increment(counter.faults);
      return {.instead = CKR_TOKEN_NOT_PRESENT, .afterwards = {}};
    }
  }
  Verdict verdict;
  for (Rule& rule : rules->rules) {
    const bool acts_on_session =
        rule.action == Action::kLoseSession || rule.action == Action::kLogout;
    if (!rule.Matches(kFunctionNames[IndexOf(function)]) ||
        (acts_on_session && !TakesSession(function)) ||
        (rule.action == Action::kLimit && OpenSessions() < rule.number) || !rules->Applies(rule)) {
      continue;
    }
    Increment(counter.faults);
    const Verdict acted = Act(rules, rule, handle);
    if (acted.instead) {
      return acted;
    }
    if (acted.afterwards) {
      verdict = acted;
    }
  }
  return verdict;
}

// One per process, as the function list is.
FaultLayer& Layer() {
  static FaultLayer layer;
  return layer;
}

// A call that fails ends the operation of its session, unless the code is CKR_BUFFER_TOO_SMALL. The
// module has seen nothing of a failure that is made up here, so its operation is brought to an end,
// unheard.
template <Function F>
void EndOperation(const CK_FUNCTION_LIST& below, CK_SESSION_HANDLE session) {
  if constexpr (F == Function::C_EncryptUpdate || F == Function::C_EncryptFinal) {
    Discard([&](auto* out, auto* size) { return below.C_EncryptFinal(session, out, size); });
  } else if constexpr (F == Function::C_DecryptUpdate || F == Function::C_DecryptFinal) {
    Discard([&](auto* out, auto* size) { return below.C_DecryptFinal(session, out, size); });
  } else if constexpr (F == Function::C_DigestUpdate || F == Function::C_DigestKey ||
                       F == Function::C_DigestFinal) {
    Discard([&](auto* out, auto* size) { return below.C_DigestFinal(session, out, size); });
  } else if constexpr (F == Function::C_SignUpdate || F == Function::C_SignFinal) {
    Discard([&](auto* out, auto* size) { return below.C_SignFinal(session, out, size); });
  } else if constexpr (F == Function::C_VerifyUpdate || F == Function::C_VerifyFinal) {
    CK_BYTE signature = 0;
    below.C_VerifyFinal(session, &signature, sizeof(signature));
  }
}

template <Function F, typename... Args>
void EndOperation(const CK_FUNCTION_LIST& below, CK_RV (*call)(CK_SESSION_HANDLE, Args...),
                  CK_SESSION_HANDLE session, Args... args) {
  if constexpr (F == Function::C_Encrypt || F == Function::C_Decrypt || F == Function::C_Digest ||
                F == Function::C_Sign) {
    const auto arguments = std::make_tuple(args...);
    Discard([&](auto* out, auto* size) {
      return call(session, std::get<0>(arguments), std::get<1>(arguments), out, size);
    });
  } else if constexpr (F == Function::C_Verify) {
    call(session, args...);
  } else {
    EndOperation<F>(below, session);
  }
}

// Notes what the call has made of sessions and of the token's presence.
template <Function F, typename... Args>
void AfterSuccess(FaultLayer& layer, Args... args) {
  const auto arguments = std::make_tuple(args...);
  if constexpr (F == Function::C_OpenSession) {
    layer.Opened(*std::get<4>(arguments), std::get<0>(arguments));
  } else if constexpr (F == Function::C_CloseSession) {
    layer.Closed(std::get<0>(arguments));
  } else if constexpr (F == Function::C_CloseAllSessions) {
    layer.ClosedAll(std::get<0>(arguments));
  } else if constexpr (F == Function::C_Finalize) {
    layer.Finalized();
  } else if constexpr (F == Function::C_GetSlotList) {
    if (std::get<0>(arguments) == CK_TRUE && layer.IsTokenAbsent()) {
      *std::get<2>(arguments) = 0;
    }
  } else if constexpr (F == Function::C_GetSlotInfo) {
    if (layer.IsTokenAbsent()) {
      std::get<1>(arguments)->flags &= ~CK_FLAGS{CKF_TOKEN_PRESENT};
    }
  }
}

template <Function F, auto kMember>
struct Entry;

template <Function F, typename... Args, CK_RV (*CK_FUNCTION_LIST::*kMember)(Args...)>
struct Entry<F, kMember> {
  static CK_RV Call(Args... args) {
    FaultLayer& layer = Layer();
    CK_ULONG handle = 0;
    if constexpr (TakesSlot(F) || TakesSession(F)) {
      handle = std::get<0>(std::make_tuple(args...));
    }
    const Verdict verdict = layer.Before(F, handle);
    if (verdict.instead) {
      if constexpr (TakesSession(F)) {
        if (*verdict.instead != CKR_BUFFER_TOO_SMALL) {
          EndOperation<F>(layer.below(), layer.below().*kMember, args...);
        }
      }
      return *verdict.instead;
    }
    const CK_RV result = (layer.below().*kMember)(args...);
    if (result == CKR_OK) {
      AfterSuccess<F>(layer, args...);
    }
    return result == CKR_OK ? verdict.afterwards.value_or(result) : result;
  }
};

}  // namespace

const CK_FUNCTION_LIST* WithFaults(const CK_FUNCTION_LIST* below, const char* control,
                                   const char* counts) {
  static CK_FUNCTION_LIST list;
  Layer().Configure(below, control, counts);
  list.version = below->version;
#define CK_PKCS11_FUNCTION_INFO(name) \
  list.name = Entry<Function::name, &CK_FUNCTION_LIST::name>::Call;
#include <pkcs11f.h>
#undef CK_PKCS11_FUNCTION_INFO
  list.C_GetFunctionList = &C_GetFunctionList;
  return &list;
}

}  // namespace keywright::shim
