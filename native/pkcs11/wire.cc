#include "pkcs11/wire.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/secure_buffer.h"

namespace keywright::pkcs11 {
namespace {

using Word = std::uint32_t;
using FailureWords = std::array<Word, 3>;

// Memory of replies that is kept for the next ones.
constexpr std::size_t kKeptBytes = std::size_t{64} * 1024;
constexpr std::size_t kFirstBytes = std::size_t{4} * 1024;

constexpr std::size_t WholeWords(std::size_t size) {
  return (size + sizeof(Word) - 1) / sizeof(Word) * sizeof(Word);
}

// Numbers of PKCS#11 have 32 bits on the wire of every module; CK_UNAVAILABLE_INFORMATION becomes
// 0xffffffff.
FailureWords WordsOf(const Failure& failure) {
  return {static_cast<Word>(failure.reason), static_cast<Word>(failure.rv),
          static_cast<Word>(failure.mechanism)};
}

// Writes one record into memory that is large enough.
class RecordWriter {
 public:
  explicit RecordWriter(std::uint8_t* out) : out_(out) {}

  void Put(Word word) {
    std::memcpy(out_, &word, sizeof(word));
    out_ += sizeof(word);
  }
  void Put(const FailureWords& words) {
    for (const Word word : words) {
      Put(word);
    }
  }
  void Put(Bytes bytes) {
    CopyBytes(bytes, {out_, bytes.size()});
    const std::size_t size = WholeWords(bytes.size());
    std::memset(out_ + bytes.size(), 0, size - bytes.size());
    out_ += size;
  }

 private:
  std::uint8_t* out_;
};

std::size_t CountOf(const Reply& reply) {
  return std::max(reply.outputs.size(), reply.failures.size());
}

bool HasFailed(const Reply& reply, std::size_t item) {
  return item < reply.failures.size() && !reply.failures[item].ok();
}

std::size_t RecordSize(const Reply& reply) {
  if (!reply.failure.ok()) {
    return kFailureRecordBytes;
  }
  const std::size_t count = CountOf(reply);
  std::size_t size = (4 + count) * sizeof(Word);
  for (std::size_t i = 0; i < count; ++i) {
    size +=
        HasFailed(reply, i) ? sizeof(FailureWords) : WholeWords(reply.outputs[i].bytes().size());
  }
  return size;
}

void Write(Ticket ticket, const Reply& reply, std::size_t size, std::uint8_t* out) {
  RecordWriter record(out);
  record.Put(static_cast<Word>(size));
  record.Put(static_cast<Word>(ticket));
  if (!reply.failure.ok()) {
    record.Put(WordsOf(reply.failure));
    return;
  }
  const std::size_t count = CountOf(reply);
  record.Put(static_cast<Word>(Reason::kNone));
  record.Put(static_cast<Word>(count));
  for (std::size_t i = 0; i < count; ++i) {
    record.Put(HasFailed(reply, i) ? kNoOutput
                                   : static_cast<Word>(reply.outputs[i].bytes().size()));
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (HasFailed(reply, i)) {
      record.Put(WordsOf(reply.failures[i]));
    } else {
      record.Put(reply.outputs[i].bytes());
    }
  }
}

}  // namespace

bool RequestReader::Copy(std::size_t size, PrivateBuffer& out) {
  if (rest_.size() < size) {
    return false;
  }
  Result<PrivateBuffer> copy = PrivateBuffer::CopyOf(rest_.first(size));
  rest_ = rest_.subspan(size);
  if (!copy.ok()) {
    return false;
  }
  out = std::move(copy).value();
  return true;
}

std::optional<Submission> RequestReader::Next() {
  if (rest_.empty() || has_failed_) {
    return std::nullopt;
  }
  std::optional<Submission> submission = Read();
  has_failed_ = !submission;
  return submission;
}

std::optional<Submission> RequestReader::Read() {
  struct {
    Word ticket;
    Word operation;
    std::array<Word, 4> numbers;
    Word key_id_size;
    Word common_size;
    Word items;
  } head = {};
  if (rest_.size() < sizeof(head)) {
    return std::nullopt;
  }
  std::memcpy(&head, rest_.data(), sizeof(head));
  rest_ = rest_.subspan(sizeof(head));
  if (head.items > rest_.size() / sizeof(Word)) {
    return std::nullopt;
  }
  const Bytes sizes = rest_.first(head.items * sizeof(Word));
  rest_ = rest_.subspan(sizes.size());
  const std::size_t before = rest_.size();
  Submission submission{.ticket = head.ticket, .request = {}};
  Request& request = submission.request;
  request.operation = static_cast<Operation>(head.operation);
  request.numbers = head.numbers;
  if (!Copy(head.key_id_size, request.key_id) || !Copy(head.common_size, request.common)) {
    return std::nullopt;
  }
  request.items.resize(head.items);
  for (std::size_t i = 0; i < head.items; ++i) {
    Word size = 0;
    std::memcpy(&size, sizes.data() + i * sizeof(size), sizeof(size));
    if (!Copy(size, request.items[i])) {
      return std::nullopt;
    }
  }
  const std::size_t read = before - rest_.size();
  const std::size_t gap = WholeWords(read) - read;
  if (rest_.size() < gap) {
    return std::nullopt;
  }
  rest_ = rest_.subspan(gap);
  return submission;
}

std::array<std::uint8_t, kFailureRecordBytes> FailureRecord(Ticket ticket, const Failure& failure) {
  std::array<std::uint8_t, kFailureRecordBytes> record = {};
  Reply reply;
  reply.failure = failure;
  Write(ticket, reply, record.size(), record.data());
  return record;
}

RecordHead HeadOf(Bytes replies) {
  RecordHead head = {};
  std::memcpy(&head, replies.data(), sizeof(head));
  return head;
}

bool PackedReplies::MakeRoom(std::size_t size) {
  if (memory_.bytes().size() - used_ >= size) {
    return true;
  }
  Result<PrivateBuffer> larger =
      PrivateBuffer::Allocate(std::max({2 * memory_.bytes().size(), used_ + size, kFirstBytes}));
  if (!larger.ok()) {
    return false;
  }
  CopyBytes(bytes(), larger.value().bytes());
  memory_ = std::move(larger).value();
  return true;
}

bool PackedReplies::Add(Ticket ticket, const Reply& reply) {
  const std::size_t size = RecordSize(reply);
  if (size > std::numeric_limits<Word>::max() || !MakeRoom(size)) {
    return false;
  }
  Write(ticket, reply, size, memory_.bytes().subspan(used_).data());
  used_ += size;
  return true;
}

void PackedReplies::Clear() {
  if (memory_.bytes().size() > kKeptBytes) {
    memory_ = {};
  } else {
    Cleanse(memory_.bytes().first(used_));
  }
  used_ = 0;
}

}  // namespace keywright::pkcs11
