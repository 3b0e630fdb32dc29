// The tables of
// https://docs.aws.amazon.com/cloudhsm/latest/userguide/pkcs11-attributes-interpreting.html, and
// the codes of https://docs.aws.amazon.com/cloudhsm/latest/userguide/attr-errors.html.
#include "cloudhsm_attributes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace keywright::shim {
namespace {

// Each string has one character per KeyKind:
//   +  supported                       !  supported and mandatory
//   =  only with its default value     R  read-only: no template may have it
//   S  sensitive: never told           -  not supported      .  no such key is made so
struct Row {
  CK_ATTRIBUTE_TYPE type;
  std::array<std::string_view, 5> by_origin;  // in the order of Origin
  std::string_view read;                      // by C_GetAttributeValue
  char value = ' ';                           // the default: T, F, or none
  char generated_value = ' ';                 // the default in C_GenerateKey where it is another
};

// clang-format off
constexpr auto kRows = std::to_array<Row>({
  //                        pair      generate  create    unwrap    derive      read
  {CKA_CLASS,             {{"++++..", "....++", "!!!!!!", "!.!.!!", "....!!"}}, "++++++"},
  {CKA_KEY_TYPE,          {{"++++..", "....++", "!!!!!!", "!.!.!!", "....!!"}}, "++++++"},
  {CKA_LABEL,             {{"++++..", "....++", "++++++", "+.+.++", "....++"}}, "++++++"},
  {CKA_ID,                {{"++++..", "....++", "++++++", "+.+.++", "....++"}}, "++++++"},
  {CKA_LOCAL,             {{"RRRR..", "....RR", "RRRRRR", "R.R.RR", "....RR"}}, "++++++"},
  {CKA_TOKEN,             {{"++++..", "....++", "++++++", "+.+.++", "....++"}}, "++++++", 'F'},
  {CKA_PRIVATE,           {{"====..", "....==", "======", "=.=.==", "....=="}}, "++++++", 'T'},
  {CKA_ENCRYPT,           {{"-+-+..", "....+-", "---++-", "-.-.+-", "....+-"}}, "---++-", 'F'},
  {CKA_DECRYPT,           {{"+-+-..", "....+-", "--+-+-", "-.+.+-", "....+-"}}, "--+-+-", 'F'},
  // CKA_DERIVE: userguide/modify-attr.html, never true for a public key.
  {CKA_DERIVE,            {{"+=+=..", "....++", "+=+=++", "+.+.++", "....++"}}, "++++++", 'F'},
  {CKA_MODIFIABLE,        {{"++++..", "....++", "++++++", "+.+.++", "....++"}}, "++++++", 'T'},
  {CKA_DESTROYABLE,       {{"++++..", "....++", "++++++", "+.+.++", "....++"}}, "++++++", 'T'},
  {CKA_SIGN,              {{"+-+-..", "....++", "+-+-++", "+.+.++", "....++"}}, "+-+-++", 'F', 'T'},
  {CKA_SIGN_RECOVER,      {{"----..", "....--", "------", "-.-.--", "....--"}}, "--+---"},
  {CKA_VERIFY,            {{"-+-+..", "....++", "-+-+++", "-.-.++", "....++"}}, "-+-+++", 'F', 'T'},
  {CKA_VERIFY_RECOVER,    {{"----..", "....--", "------", "-.-.--", "....--"}}, "---+--"},
  {CKA_WRAP,              {{"-+-+..", "....+-", "---++-", "-.-.+-", "....+-"}}, "---++-", 'F'},
  {CKA_WRAP_TEMPLATE,     {{"-+-+..", "....+-", "-+-++-", "-.-.--", "....--"}}, "-+-++-"},
  {CKA_TRUSTED,           {{"-+-+..", "....+-", "-+-++-", "-.-.--", "....--"}}, "-+-+++"},
  {CKA_WRAP_WITH_TRUSTED, {{"+-+-..", "....++", "+-+-++", "-.-.--", "....--"}}, "+-+-++", 'F'},
  {CKA_UNWRAP,            {{"+-+-..", "....+-", "--+-+-", "-.+.+-", "....+-"}}, "--+-+-", 'F'},
  {CKA_UNWRAP_TEMPLATE,   {{"+-+-..", "....+-", "+-+-+-", "-.-.--", "....--"}}, "+-+-+-"},
  {CKA_SENSITIVE,         {{"=-=-..", "....++", "+-+-++", "+.+.++", "....RR"}}, "+-+-++", 'T'},
  {CKA_ALWAYS_SENSITIVE,  {{"R-R-..", "....--", "R-R-RR", "R.R.RR", "....RR"}}, "++++++"},
  {CKA_EXTRACTABLE,       {{"+-+-..", "....++", "+-+-++", "+.+.++", "....++"}}, "+-+-++", 'T'},
  {CKA_NEVER_EXTRACTABLE, {{"R-R-..", "....RR", "R-R-RR", "R.R.RR", "....RR"}}, "+-+-++"},
  {CKA_MODULUS,           {{"----..", "....--", "--!!--", "-.-.--", "....--"}}, "--++--"},
  {CKA_MODULUS_BITS,      {{"---!..", "....--", "------", "-.-.--", "....--"}}, "---+--"},
  {CKA_PRIME_1,           {{"----..", "....--", "--+---", "-.-.--", "....--"}}, "--S---"},
  {CKA_PRIME_2,           {{"----..", "....--", "--+---", "-.-.--", "....--"}}, "--S---"},
  {CKA_COEFFICIENT,       {{"----..", "....--", "--+---", "-.-.--", "....--"}}, "--S---"},
  {CKA_EXPONENT_1,        {{"----..", "....--", "--+---", "-.-.--", "....--"}}, "--S---"},
  {CKA_EXPONENT_2,        {{"----..", "....--", "--+---", "-.-.--", "....--"}}, "--S---"},
  {CKA_PRIVATE_EXPONENT,  {{"----..", "....--", "--!---", "-.-.--", "....--"}}, "--S---"},
  {CKA_PUBLIC_EXPONENT,   {{"---!..", "....--", "--!!--", "-.-.--", "....--"}}, "--++--"},
  {CKA_EC_PARAMS,         {{"-!--..", "....--", "!!----", "-.-.--", "....--"}}, "++----"},
  {CKA_EC_POINT,          {{"----..", "....--", "-!----", "-.-.--", "....--"}}, "-+----"},
  {CKA_VALUE,             {{"----..", "....--", "!---!!", "-.-.--", "....--"}}, "S---++"},
  {CKA_VALUE_LEN,         {{"----..", "....!!", "------", "-.-.--", "....!!"}}, "----++"},
  {CKA_CHECK_VALUE,       {{"RRRR..", "....RR", "RRRRRR", "R.R.RR", "....RR"}}, "+++++-"},
});
// clang-format on

constexpr CK_BBOOL kTrue = CK_TRUE;
constexpr CK_BBOOL kFalse = CK_FALSE;

const Row* FindRow(CK_ATTRIBUTE_TYPE type) {
  const auto* const found =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& row) { return row.type == type; });
  return found == kRows.end() ? nullptr : found;
}

char MarkOf(const Row& row, Origin origin, KeyKind kind) {
  return row.by_origin[static_cast<std::size_t>(origin)][static_cast<std::size_t>(kind)];
}

// The default value, or null where the table has none.
const CK_BBOOL* DefaultOf(const Row& row, Origin origin) {
  const bool is_other = origin == Origin::kGenerate && row.generated_value != ' ';
  const char value = is_other ? row.generated_value : row.value;
  if (value == ' ') {
    return nullptr;
  }
  return value == 'T' ? &kTrue : &kFalse;
}

CK_RV CheckWanted(Origin origin, KeyKind kind, const CK_ATTRIBUTE& attribute) {
  const Row* const row = FindRow(attribute.type);
  switch (row == nullptr ? '-' : MarkOf(*row, origin, kind)) {
    case '+':
    case '!':
      return CKR_OK;
    case 'R':
      return CKR_ATTRIBUTE_READ_ONLY;
    case '=':
      return ValueOf<CK_BBOOL>(Template(&attribute, 1), attribute.type) == *DefaultOf(*row, origin)
                 ? CKR_OK
                 : CKR_ATTRIBUTE_VALUE_INVALID;
    default:
      return CKR_TEMPLATE_INCONSISTENT;
  }
}

}  // namespace

std::optional<KeyKind> KindOf(CK_OBJECT_CLASS key_class, CK_KEY_TYPE key_type) {
  if (key_class == CKO_SECRET_KEY) {
    if (key_type == CKK_AES) {
      return KeyKind::kAes;
    }
    return key_type == CKK_GENERIC_SECRET ? std::optional(KeyKind::kGenericSecret) : std::nullopt;
  }
  const bool is_private = key_class == CKO_PRIVATE_KEY;
  if (!is_private && key_class != CKO_PUBLIC_KEY) {
    return std::nullopt;
  }
  if (key_type == CKK_RSA) {
    return is_private ? KeyKind::kRsaPrivate : KeyKind::kRsaPublic;
  }
  if (key_type == CKK_EC) {
    return is_private ? KeyKind::kEcPrivate : KeyKind::kEcPublic;
  }
  return std::nullopt;
}

CK_RV CompleteTemplate(Origin origin, KeyKind kind, Template wanted,
                       std::vector<CK_ATTRIBUTE>& completed) {
  completed.assign(wanted.begin(), wanted.end());
  for (const CK_ATTRIBUTE& attribute : wanted) {
    if (const CK_RV refusal = CheckWanted(origin, kind, attribute); refusal != CKR_OK) {
      return refusal;
    }
  }
  for (const Row& row : kRows) {
    if (Find(wanted, row.type) != nullptr) {
      continue;
    }
    const char mark = MarkOf(row, origin, kind);
    if (mark == '!') {
      return CKR_TEMPLATE_INCOMPLETE;
    }
    const CK_BBOOL* const value = DefaultOf(row, origin);
    if (value != nullptr && (mark == '+' || mark == '=')) {
      completed.push_back({row.type, const_cast<CK_BBOOL*>(value), sizeof(*value)});
    }
  }
  return CKR_OK;
}

CK_RV Readable(KeyKind kind, CK_ATTRIBUTE_TYPE type) {
  const Row* const row = FindRow(type);
  switch (row == nullptr ? '-' : row->read[static_cast<std::size_t>(kind)]) {
    case '+':
      return CKR_OK;
    case 'S':
      return CKR_ATTRIBUTE_SENSITIVE;
    default:
      return CKR_ATTRIBUTE_TYPE_INVALID;
  }
}

const CK_ATTRIBUTE* Find(Template attributes, CK_ATTRIBUTE_TYPE type) {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(),
                   [&](const CK_ATTRIBUTE& attribute) { return attribute.type == type; });
  return found == attributes.end() ? nullptr : &*found;
}

}  // namespace keywright::shim
