#include "pkcs11/der_integer.h"

#include <algorithm>

namespace keywright::pkcs11 {
Bytes WithoutLeadingZeros(Bytes number) {
  const auto first =
      std::find_if(number.begin(), number.end(), [](std::uint8_t byte) { return byte != 0; });
  return number.subspan(static_cast<std::size_t>(first - number.begin()));
}

DerBytes DerUnsigned(Bytes number) {
  constexpr std::uint8_t kZero = 0;
  const Bytes digits = WithoutLeadingZeros(number);
  // The first bit is the sign, and zero has a byte too.
  const bool needs_zero = digits.empty() || (digits.front() & 0x80) != 0;
  return DerValue(DerTag::kInteger, {Bytes(&kZero, needs_zero ? 1 : 0), digits});
}

std::optional<Bytes> ReadDerUnsigned(DerReader& reader) {
  const std::optional<Bytes> content = reader.Read(DerTag::kInteger);
  if (!content || content->empty() || (content->front() & 0x80) != 0) {
    return std::nullopt;
  }
  const bool has_idle_zero =
      content->size() > 1 && content->front() == 0 && ((*content)[1] & 0x80) == 0;
  return has_idle_zero ? std::nullopt : std::optional(WithoutLeadingZeros(*content));
}

std::optional<DerBytes> EcdsaDer(Bytes raw) {
  if (raw.empty() || raw.size() % 2 != 0) {
    return std::nullopt;
  }
  const std::size_t width = raw.size() / 2;
  return DerValue(DerTag::kSequence, {DerUnsigned(raw.first(width)), DerUnsigned(raw.last(width))});
}

std::optional<DerBytes> EcdsaRaw(Bytes der, std::size_t width) {
  DerReader outer(der);
  const std::optional<Bytes> content = outer.Read(DerTag::kSequence);
  if (!content || !outer.is_empty()) {
    return std::nullopt;
  }
  DerReader inner(*content);
  const std::optional<Bytes> r = ReadDerUnsigned(inner);
  const std::optional<Bytes> s = r ? ReadDerUnsigned(inner) : std::nullopt;
  if (!s || !inner.is_empty() || r->size() > width || s->size() > width) {
    return std::nullopt;
  }
  DerBytes raw(2 * width);
  CopyBytes(*r, MutableBytes(raw).subspan(width - r->size()));
  CopyBytes(*s, MutableBytes(raw).subspan(2 * width - s->size()));
  return raw;
}

}  // namespace keywright::pkcs11
