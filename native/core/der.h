#ifndef KEYWRIGHT_CORE_DER_H_
#define KEYWRIGHT_CORE_DER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "core/bytes.h"

// As much of DER (X.690) as the formats of keys and envelopes need: tags of one byte, lengths below
// 2^24.

namespace keywright {

enum class DerTag : std::uint8_t {
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kSequence = 0x30,
  kSet = 0x31,
  kContext0 = 0x80,             // [0] IMPLICIT of a primitive type
  kContext0Constructed = 0xa0,  // [0] EXPLICIT, or IMPLICIT of a constructed type
  kContext1Constructed = 0xa1,
};

// Takes values from the front of `input`; nothing when the next one is not `tag`, is cut short, or
// has a length that DER would write shorter.
class DerReader {
 public:
  explicit DerReader(Bytes input) : rest_(input) {}

  std::optional<Bytes> Read(DerTag tag);
  // Any value, as a whole.
  bool Skip();
  bool is_empty() const { return rest_.empty(); }

 private:
  struct Header {
    std::size_t header_length;
    std::size_t content_length;
  };
  std::optional<Header> ReadHeader() const;

  Bytes rest_;
};

// Public bytes only: nothing here is wiped.
using DerBytes = std::vector<std::uint8_t>;

// tag ‖ length ‖ the parts end to end
DerBytes DerValue(DerTag tag, std::initializer_list<Bytes> parts);

// Bytes of tag and length in front of `content_length` bytes.
std::size_t DerHeaderSize(std::size_t content_length);
// Writes them; returns how many. `out` holds at least DerHeaderSize(content_length) bytes.
std::size_t WriteDerHeader(DerTag tag, std::size_t content_length, MutableBytes out);

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_DER_H_
