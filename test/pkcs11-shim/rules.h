#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_RULES_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_RULES_H_

#include <pkcs11.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "function.h"

namespace keywright::shim {

enum class Action : std::uint8_t {
  kDelay,
  kFail,
  kLoseAnswer,
  kLoseSession,
  kLoseAllSessions,
  kLogout,
  kLimit,
  kHang,
  kAbort,
  kKill,
};

// One line of the control file (README.md has its grammar): what befalls which calls, and how
// often.
struct Rule {
  std::string pattern;  // a function's name, or the begin of one followed by *
  Action action = Action::kFail;
  std::uint64_t number = 0;  // milliseconds, a CK_RV, or a count of sessions: as the action needs
  double probability = 1;
  std::uint64_t only = 0;   // the one matching call it applies to, counted from 1; 0: no such limit
  std::uint64_t first = 0;  // it applies to so many matching calls; 0: no such limit
  std::atomic<std::uint64_t> matches = 0;

  bool Matches(std::string_view function) const;
};

// What one version of the control file says.
struct Rules {
  std::list<Rule> rules;
  std::uint64_t seed = 0;
  bool token_absent = false;
  std::atomic<bool> is_token_taken = false;

  // Counts a call that `rule` matches and says whether the rule applies to it. The same seed, rule
  // and number of the call give the same answer, whatever other threads do.
  bool Applies(Rule& rule) const;
};

// Parses a control file; writes what is wrong with it to stderr and returns nothing then.
std::unique_ptr<Rules> ParseRules(std::string_view text);

// The value of a return code given by name (CKR_DEVICE_ERROR) or number (0x30).
std::optional<CK_RV> ParseReturnCode(std::string_view text);

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_RULES_H_
