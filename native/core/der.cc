#include "core/der.h"

namespace keywright {
namespace {

constexpr std::size_t kMaxLengthBytes = 3;

std::size_t LengthBytes(std::size_t length) {
  std::size_t count = 0;
  for (; length != 0; length >>= 8) {
    ++count;
  }
  return count;
}

}  // namespace

std::optional<DerReader::Header> DerReader::ReadHeader() const {
  if (rest_.size() < 2) {
    return std::nullopt;
  }
  const std::size_t first = rest_[1];
  Header header{.header_length = 2, .content_length = first};
  if (first >= 0x80) {
    const std::size_t count = first - 0x80;
    if (count == 0 || count > kMaxLengthBytes || rest_.size() < 2 + count) {
      return std::nullopt;
    }
    header = {.header_length = 2 + count, .content_length = 0};
    for (const std::uint8_t byte : rest_.subspan(2, count)) {
      header.content_length = header.content_length << 8 | byte;
    }
    if (DerHeaderSize(header.content_length) != header.header_length) {
      return std::nullopt;
    }
  }
  if (header.content_length > rest_.size() - header.header_length) {
    return std::nullopt;
  }
  return header;
}

std::optional<Bytes> DerReader::Read(DerTag tag) {
  const std::optional<Header> header = ReadHeader();
  if (!header || rest_[0] != static_cast<std::uint8_t>(tag)) {
    return std::nullopt;
  }
  const Bytes content = rest_.subspan(header->header_length, header->content_length);
  rest_ = rest_.subspan(header->header_length + header->content_length);
  return content;
}

bool DerReader::Skip() {
  const std::optional<Header> header = ReadHeader();
  if (!header) {
    return false;
  }
  rest_ = rest_.subspan(header->header_length + header->content_length);
  return true;
}

std::size_t DerHeaderSize(std::size_t content_length) {
  return content_length < 0x80 ? 2 : 2 + LengthBytes(content_length);
}

std::size_t WriteDerHeader(DerTag tag, std::size_t content_length, MutableBytes out) {
  const std::size_t size = DerHeaderSize(content_length);
  out[0] = static_cast<std::uint8_t>(tag);
  if (size == 2) {
    out[1] = static_cast<std::uint8_t>(content_length);
    return size;
  }
  out[1] = static_cast<std::uint8_t>(0x80 + size - 2);
  for (std::size_t i = size - 1; i >= 2; --i) {
    out[i] = static_cast<std::uint8_t>(content_length);
    content_length >>= 8;
  }
  return size;
}

DerBytes DerValue(DerTag tag, std::initializer_list<Bytes> parts) {
  std::size_t length = 0;
  for (const Bytes part : parts) {
    length += part.size();
  }
  DerBytes value(DerHeaderSize(length));
  WriteDerHeader(tag, length, value);
  for (const Bytes part : parts) {
    value.insert(value.end(), part.begin(), part.end());
  }
  return value;
}

}  // namespace keywright
