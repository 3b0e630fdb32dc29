#include "rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <utility>
#include <vector>

namespace keywright::shim {
namespace {

struct ReturnCode {
  std::string_view name;
  CK_RV value;
};

// Those with which a module answers for itself; any other can be given by number.
#define KEYWRIGHT_SHIM_CODE(name) \
  ReturnCode {                    \
#name, name                   \
  }
constexpr auto kReturnCodes = std::to_array<ReturnCode>({
    KEYWRIGHT_SHIM_CODE(CKR_ARGUMENTS_BAD),
    KEYWRIGHT_SHIM_CODE(CKR_ATTRIBUTE_READ_ONLY),
    KEYWRIGHT_SHIM_CODE(CKR_ATTRIBUTE_SENSITIVE),
    KEYWRIGHT_SHIM_CODE(CKR_ATTRIBUTE_TYPE_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_ATTRIBUTE_VALUE_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_BUFFER_TOO_SMALL),
    KEYWRIGHT_SHIM_CODE(CKR_CRYPTOKI_ALREADY_INITIALIZED),
    KEYWRIGHT_SHIM_CODE(CKR_CRYPTOKI_NOT_INITIALIZED),
    KEYWRIGHT_SHIM_CODE(CKR_DATA_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_DATA_LEN_RANGE),
    KEYWRIGHT_SHIM_CODE(CKR_DEVICE_ERROR),
    KEYWRIGHT_SHIM_CODE(CKR_DEVICE_MEMORY),
    KEYWRIGHT_SHIM_CODE(CKR_DEVICE_REMOVED),
    KEYWRIGHT_SHIM_CODE(CKR_ENCRYPTED_DATA_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_ENCRYPTED_DATA_LEN_RANGE),
    KEYWRIGHT_SHIM_CODE(CKR_FUNCTION_CANCELED),
    KEYWRIGHT_SHIM_CODE(CKR_FUNCTION_FAILED),
    KEYWRIGHT_SHIM_CODE(CKR_FUNCTION_NOT_SUPPORTED),
    KEYWRIGHT_SHIM_CODE(CKR_GENERAL_ERROR),
    KEYWRIGHT_SHIM_CODE(CKR_HOST_MEMORY),
    KEYWRIGHT_SHIM_CODE(CKR_KEY_FUNCTION_NOT_PERMITTED),
    KEYWRIGHT_SHIM_CODE(CKR_KEY_HANDLE_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_KEY_SIZE_RANGE),
    KEYWRIGHT_SHIM_CODE(CKR_KEY_TYPE_INCONSISTENT),
    KEYWRIGHT_SHIM_CODE(CKR_KEY_UNEXTRACTABLE),
    KEYWRIGHT_SHIM_CODE(CKR_MECHANISM_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_MECHANISM_PARAM_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_OBJECT_HANDLE_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_OK),
    KEYWRIGHT_SHIM_CODE(CKR_OPERATION_ACTIVE),
    KEYWRIGHT_SHIM_CODE(CKR_OPERATION_NOT_INITIALIZED),
    KEYWRIGHT_SHIM_CODE(CKR_PIN_EXPIRED),
    KEYWRIGHT_SHIM_CODE(CKR_PIN_INCORRECT),
    KEYWRIGHT_SHIM_CODE(CKR_PIN_LOCKED),
    KEYWRIGHT_SHIM_CODE(CKR_RANDOM_NO_RNG),
    KEYWRIGHT_SHIM_CODE(CKR_SESSION_CLOSED),
    KEYWRIGHT_SHIM_CODE(CKR_SESSION_COUNT),
    KEYWRIGHT_SHIM_CODE(CKR_SESSION_HANDLE_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_SIGNATURE_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_SIGNATURE_LEN_RANGE),
    KEYWRIGHT_SHIM_CODE(CKR_SLOT_ID_INVALID),
    KEYWRIGHT_SHIM_CODE(CKR_TEMPLATE_INCOMPLETE),
    KEYWRIGHT_SHIM_CODE(CKR_TEMPLATE_INCONSISTENT),
    KEYWRIGHT_SHIM_CODE(CKR_TOKEN_NOT_PRESENT),
    KEYWRIGHT_SHIM_CODE(CKR_TOKEN_NOT_RECOGNIZED),
    KEYWRIGHT_SHIM_CODE(CKR_USER_ALREADY_LOGGED_IN),
    KEYWRIGHT_SHIM_CODE(CKR_USER_NOT_LOGGED_IN),
    KEYWRIGHT_SHIM_CODE(CKR_USER_PIN_NOT_INITIALIZED),
    KEYWRIGHT_SHIM_CODE(CKR_VENDOR_DEFINED),
});
#undef KEYWRIGHT_SHIM_CODE

enum class Operand : std::uint8_t { kNone, kNumber, kReturnCode };

struct ActionWord {
  std::string_view word;
  Action action;
  Operand operand;
};

constexpr auto kActionWords = std::to_array<ActionWord>({
    {"delay-ms", Action::kDelay, Operand::kNumber},
    {"fail", Action::kFail, Operand::kReturnCode},
    {"lose-answer", Action::kLoseAnswer, Operand::kReturnCode},
    {"lose-session", Action::kLoseSession, Operand::kNone},
    {"lose-all-sessions", Action::kLoseAllSessions, Operand::kNone},
    {"logout", Action::kLogout, Operand::kNone},
    {"limit", Action::kLimit, Operand::kNumber},
    {"hang", Action::kHang, Operand::kNone},
    {"abort", Action::kAbort, Operand::kNone},
    {"kill", Action::kKill, Operand::kNone},
});

std::vector<std::string_view> Words(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  line = line.substr(0, line.find('#'));
  for (;;) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
      return words;
    }
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    words.push_back(word);
    line.remove_prefix(word.size());
  }
}

std::optional<std::uint64_t> ParseNumber(std::string_view text, int base = 10) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

// What stands behind the action and its operand: nothing, a probability, `at N` or `first N`.
bool ParseOccasion(const std::vector<std::string_view>& words, std::size_t next, Rule& rule) {
  if (next == words.size()) {
    return true;
  }
  if (next + 1 == words.size()) {
    const char* const end = words[next].data() + words[next].size();
    const auto [stop, error] = std::from_chars(words[next].data(), end, rule.probability);
    return error == std::errc() && stop == end && rule.probability >= 0 && rule.probability <= 1;
  }
  const std::optional<std::uint64_t> count = ParseNumber(words[next + 1]);
  if (next + 2 != words.size() || !count || *count == 0) {
    return false;
  }
  if (words[next] == "at") {
    rule.only = *count;
    return true;
  }
  rule.first = *count;
  return words[next] == "first";
}

// A rule for functions that all lack what it acts on would never do anything.
bool CanActOn(const Rule& rule) {
  return std::any_of(kFunctionNames.begin(), kFunctionNames.end(), [&](std::string_view name) {
    const auto function = static_cast<Function>(
        std::find(kFunctionNames.begin(), kFunctionNames.end(), name) - kFunctionNames.begin());
    if (!rule.Matches(name)) {
      return false;
    }
    switch (rule.action) {
      case Action::kLoseSession:
      case Action::kLogout:
        return TakesSession(function);
      case Action::kLimit:
        return function == Function::C_OpenSession;
      default:
        return function != Function::C_GetFunctionList;
    }
  });
}

bool ParseRule(const std::vector<std::string_view>& words, Rule& rule) {
  const auto* const known =
      std::find_if(kActionWords.begin(), kActionWords.end(),
                   [&](const ActionWord& action) { return action.word == words[1]; });
  if (known == kActionWords.end()) {
    return false;
  }
  rule.pattern = words[0];
  rule.action = known->action;
  std::size_t next = 2;
  if (known->operand != Operand::kNone) {
    if (words.size() == next) {
      return false;
    }
    const std::optional<std::uint64_t> number = known->operand == Operand::kNumber
                                                    ? ParseNumber(words[next])
                                                    : ParseReturnCode(words[next]);
    if (!number) {
      return false;
    }
    rule.number = *number;
    ++next;
  }
  return CanActOn(rule) && ParseOccasion(words, next, rule);
}

bool ParseLine(std::string_view line, Rules& rules) {
  const std::vector<std::string_view> words = Words(line);
  if (words.empty()) {
    return true;
  }
  if (words.size() < 2) {
    return false;
  }
  if (words[0] == "seed") {
    const std::optional<std::uint64_t> seed = ParseNumber(words[1]);
    rules.seed = seed.value_or(0);
    return seed && words.size() == 2;
  }
  if (words[0] == "token") {
    rules.token_absent = true;
    return words[1] == "absent" && words.size() == 2;
  }
  return ParseRule(words, rules.rules.emplace_back());
}

// SplitMix64: a number that looks random for every value of the counter.
std::uint64_t Mix(std::uint64_t counter) {
  counter += 0x9E3779B97F4A7C15;
  counter = (counter ^ (counter >> 30)) * 0xBF58476D1CE4E5B9;
  counter = (counter ^ (counter >> 27)) * 0x94D049BB133111EB;
  return counter ^ (counter >> 31);
}

}  // namespace

bool Rule::Matches(std::string_view function) const {
  const std::string_view wanted = pattern;
  return wanted.ends_with('*') ? function.starts_with(wanted.substr(0, wanted.size() - 1))
                               : function == wanted;
}

bool Rules::Applies(Rule& rule) const {
  const std::uint64_t match = ++rule.matches;
  if (rule.only != 0) {
    return match == rule.only;
  }
  if (rule.first != 0) {
    return match <= rule.first;
  }
  if (rule.probability >= 1) {
    return true;
  }
  std::uint64_t place = 0;
  for (const Rule& other : rules) {
    if (&other == &rule) {
      break;
    }
    ++place;
  }
  const std::uint64_t drawn = Mix(Mix(Mix(seed) + place) + match);
  return static_cast<double>(drawn >> 11) * 0x1p-53 < rule.probability;
}

std::unique_ptr<Rules> ParseRules(std::string_view text) {
  auto rules = std::make_unique<Rules>();
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (!ParseLine(line, *rules)) {
      std::cerr << "pkcs11-shim: line " << number << " of the control file is no rule: " << line
                << '\n';
      return nullptr;
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return rules;
}

std::optional<CK_RV> ParseReturnCode(std::string_view text) {
  if (text.starts_with("0x")) {
    return ParseNumber(text.substr(2), 16);
  }
  const auto* const known = std::find_if(kReturnCodes.begin(), kReturnCodes.end(),
                                         [&](const ReturnCode& code) { return code.name == text; });
  return known == kReturnCodes.end() ? std::nullopt : std::optional(known->value);
}

}  // namespace keywright::shim
