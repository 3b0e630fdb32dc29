#ifndef KEYWRIGHT_PKCS11_WIRE_H_
#define KEYWRIGHT_PKCS11_WIRE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/private_buffer.h"
#include "pkcs11/job.h"
#include "pkcs11/request.h"

namespace keywright::pkcs11 {

// How requests and replies stand in memory that native code and src/pkcs11/native-mail.ts share: as
// words of 32 bits in the order of the machine, and bytes, which zeros fill up to a whole word. A
// call carries as many of them as there are.
//
//   request: ticket, operation, four numbers, lengths of key id and common, number of items, length
//            of each item; bytes of key id, common and all items, without a gap
//   reply:   bytes of the whole record, ticket, reason of the failure;
//            and when there is one: return value, mechanism;
//            when there is none: number of outputs, length of each (kNoOutput for a failure); the
//            bytes of each output, or reason, return value and mechanism, from a whole word on
inline constexpr std::uint32_t kNoOutput = 0xffff'ffff;

// Reads requests, one after the other, out of memory that may hold anything.
class RequestReader {
 public:
  explicit RequestReader(Bytes memory) : rest_(memory) {}

  // The next request, copied; nothing at the end, and when the rest is no request.
  std::optional<Submission> Next();
  // Whether what Next gave is all that there was.
  bool is_at_end() const { return rest_.empty() && !has_failed_; }

 private:
  std::optional<Submission> Read();
  bool Copy(std::size_t size, PrivateBuffer& out);

  bool has_failed_ = false;
  Bytes rest_;
};

// The record of a request that failed.
inline constexpr std::size_t kFailureRecordBytes = 5 * sizeof(std::uint32_t);
std::array<std::uint8_t, kFailureRecordBytes> FailureRecord(Ticket ticket, const Failure& failure);

struct RecordHead {
  std::uint32_t bytes;
  std::uint32_t ticket;
};
// Of the first of `replies`.
RecordHead HeadOf(Bytes replies);

// Replies one after the other in private memory that grows, and is used again.
class PackedReplies {
 public:
  // False when there is no memory for it: it was not added.
  bool Add(Ticket ticket, const Reply& reply);
  Bytes bytes() const { return memory_.bytes().first(used_); }
  // Wipes what is there.
  void Clear();

 private:
  bool MakeRoom(std::size_t size);

  PrivateBuffer memory_;
  std::size_t used_ = 0;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_WIRE_H_
