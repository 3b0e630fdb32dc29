// The DER reader and writer.

#include "core/der.h"

#include <optional>

#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

constexpr DerTag kTags[] = {DerTag::kInteger,
                            DerTag::kBitString,
                            DerTag::kOctetString,
                            DerTag::kSequence,
                            DerTag::kSet,
                            DerTag::kContext0,
                            DerTag::kContext0Constructed,
                            DerTag::kContext1Constructed};
constexpr int kMaxDepth = 8;

std::optional<DerTag> TagOf(Bytes value) {
  for (const DerTag tag : kTags) {
    if (!value.empty() && value.front() == static_cast<std::uint8_t>(tag)) {
      return tag;
    }
  }
  return std::nullopt;
}

void ReadAll(Bytes bytes, int depth) {
  DerReader reader(bytes);
  std::size_t consumed = 0;
  while (!reader.is_empty()) {
    const Bytes value = bytes.subspan(consumed);
    const std::optional<DerTag> tag = TagOf(value);
    DerReader skipping = reader;
    const bool is_skipped = skipping.Skip();
    if (!tag) {
      return;
    }
    const std::optional<Bytes> content = reader.Read(*tag);
    Check(content.has_value() == is_skipped, "Read and Skip take the same values");
    if (!content) {
      return;
    }
    const DerBytes written = DerValue(*tag, {*content});
    Check(written.size() <= value.size() && AreEqual(written, value.first(written.size())),
          "what was read is written as it was");
    Check(written.size() - content->size() == DerHeaderSize(content->size()),
          "the size of a header is known beforehand");
    consumed += written.size();
    if (depth < kMaxDepth) {
      ReadAll(*content, depth + 1);
    }
  }
  Check(consumed == bytes.size(), "nothing is left when the reader is empty");
}

}  // namespace

void Run(Input input) { ReadAll(input.Rest(), 0); }

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (const std::size_t length : {0U, 1U, 127U, 128U, 255U, 256U, 3000U}) {
    const Vector content(length, 0x30);
    const DerBytes inner = DerValue(DerTag::kOctetString, {content});
    seeds.push_back(DerValue(DerTag::kSequence, {inner, DerValue(DerTag::kSet, {inner})}));
    seeds.push_back(DerValue(DerTag::kContext0Constructed, {inner}));
  }
  // Lengths of no bytes, with a byte too many, and of more than there is.
  for (const Vector& wrong : {Vector{0x30, 0x80}, Vector{0x30, 0x81, 0x01, 0x00},
                              Vector{0x30, 0x84, 0x00, 0x00, 0x00, 0x01, 0x00},
                              Vector{0x30, 0x83, 0xff, 0xff, 0xff}, Vector{0x30}}) {
    seeds.push_back(wrong);
  }
  for (const KeyType type : {KeyType::kRsa2048, KeyType::kP256, KeyType::kEd25519}) {
    seeds.push_back(ExportedPublicKey(FixedPair(type)));
  }
  return seeds;
}

}  // namespace keywright::fuzz
