#include "core/batch.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/digest_algorithm.h"
#include "core/key_agreement.h"
#include "core/mac.h"
#include "core/public_encryption.h"
#include "core/signature.h"
#include "core/thread_contexts.h"

namespace keywright {
namespace {

// Items are begun several at a time when they take less than this: long next to the reading of a
// clock and to the counter that threads share, short next to a turn on the pool.
constexpr std::chrono::microseconds kStrideTime(10);
// So that the threads end at about the same time.
constexpr std::size_t kStridesPerBatch = 16;

// Longer than any ciphertext that decrypts, and with it than any plaintext.
constexpr std::size_t kMaxPlaintextBytes = 2 * kMaxPublicCiphertextBytes;

std::size_t LargestOf(std::span<const std::uint32_t> ends) {
  std::size_t largest = 0;
  std::uint32_t begin = 0;
  for (const std::uint32_t end : ends) {
    largest = std::max<std::size_t>(largest, end - begin);
    begin = end;
  }
  return largest;
}

Result<std::size_t> NoBytesIf(const Result<bool>& is_valid) {
  if (!is_valid.ok()) {
    return is_valid.status();
  }
  return is_valid.value() ? Result<std::size_t>(0) : Status::kAuthenticationFailed;
}

Result<std::size_t> DecryptTo(const Key& key, EncryptionAlgorithm algorithm, Bytes ciphertext,
                              MutableBytes out) {
  const Result<SecureBuffer> plaintext = PrivateDecrypt(key, algorithm, ciphertext);
  if (!plaintext.ok()) {
    return plaintext.status();
  }
  const Bytes bytes = plaintext.value().bytes();
  if (bytes.size() > out.size()) {
    return Status::kBufferTooSmall;
  }
  CopyBytes(bytes, out);
  return bytes.size();
}

Result<std::size_t> SizeIf(Status status, std::size_t size) {
  return status == Status::kOk ? Result<std::size_t>(size) : status;
}

std::span<std::uint32_t> AsNumbers(MutableBytes bytes) {
  return {reinterpret_cast<std::uint32_t*>(bytes.data()), bytes.size() / sizeof(std::uint32_t)};
}

}  // namespace

std::optional<BatchOperation> BatchOperationFromNumber(std::uint32_t number) {
  if (number < 1 || number > 9) {
    return std::nullopt;
  }
  return static_cast<BatchOperation>(number);
}

Bytes Batch::Items::At(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends[index - 1];
  return data.bytes().subspan(begin, ends[index] - begin);
}

Result<Batch::Items> Batch::CopyOf(const PackedItems& items) {
  Items copy;
  copy.ends.assign(items.ends.begin(), items.ends.end());
  // Of the copy, because memory that a host shares between threads may change.
  const std::size_t used = copy.ends.empty() ? 0 : copy.ends.back();
  if (!std::is_sorted(copy.ends.begin(), copy.ends.end()) || used > items.data.size() ||
      used > kMaxDataBytes) {
    return Status::kInvalidArgument;
  }
  Result<PrivateBuffer> data = PrivateBuffer::CopyOf(items.data.first(used));
  if (!data.ok()) {
    return data.status();
  }
  copy.data = std::move(data).value();
  return copy;
}

Result<Batch::Plan> Batch::PlanOfSignature(const KeyPtr& key, const BatchCall& call) {
  const auto algorithm = SignatureAlgorithmFromNumber(call.algorithm);
  const auto message_type = MessageTypeFromNumber(call.message_type);
  if (!algorithm || !message_type) {
    return Status::kInvalidArgument;
  }
  if (call.operation == BatchOperation::kSign) {
    return Plan{SignatureRoom(*key), [key, algorithm = *algorithm, type = *message_type](
                                         Bytes message, Bytes, MutableBytes out) {
                  return Sign(*key, algorithm, type, message, out);
                }};
  }
  return Plan{0, [key, algorithm = *algorithm, type = *message_type](Bytes message, Bytes signature,
                                                                     MutableBytes) {
                return NoBytesIf(Verify(*key, algorithm, type, message, signature));
              }};
}

Result<Batch::Plan> Batch::PlanOfEncryption(const KeyPtr& key, const BatchCall& call,
                                            std::size_t largest) {
  const auto algorithm = EncryptionAlgorithmFromNumber(call.algorithm);
  if (!algorithm) {
    return Status::kInvalidArgument;
  }
  if (call.operation == BatchOperation::kPublicEncrypt) {
    return Plan{PublicCiphertextRoom(*key),
                [key, algorithm = *algorithm](Bytes plaintext, Bytes, MutableBytes out) {
                  return PublicEncrypt(*key, algorithm, plaintext, out);
                }};
  }
  return Plan{std::min(largest, kMaxPlaintextBytes),
              [key, algorithm = *algorithm](Bytes ciphertext, Bytes, MutableBytes out) {
                return DecryptTo(*key, algorithm, ciphertext, out);
              }};
}

Result<Batch::Plan> Batch::PlanOfMac(const KeyPtr& key, const BatchCall& call) {
  const auto algorithm = DigestAlgorithmFromNumber(call.algorithm);
  if (!algorithm) {
    return Status::kInvalidArgument;
  }
  if (call.operation == BatchOperation::kHmac) {
    const std::size_t size = DigestSize(*algorithm);
    return Plan{size, [key, algorithm = *algorithm, size](Bytes data, Bytes, MutableBytes out) {
                  return SizeIf(Hmac(*key, algorithm, data, out), size);
                }};
  }
  return Plan{0, [key, algorithm = *algorithm](Bytes data, Bytes mac, MutableBytes) {
                return NoBytesIf(HmacVerify(*key, algorithm, data, mac));
              }};
}

Result<Batch::Plan> Batch::PlanOf(const KeyPtr& key, const BatchCall& call, std::size_t largest) {
  switch (call.operation) {
    case BatchOperation::kSign:
    case BatchOperation::kVerify:
      return PlanOfSignature(key, call);
    case BatchOperation::kPublicEncrypt:
    case BatchOperation::kPrivateDecrypt:
      return PlanOfEncryption(key, call, largest);
    case BatchOperation::kHmac:
    case BatchOperation::kHmacVerify:
      return PlanOfMac(key, call);
    case BatchOperation::kEcdh:
      return Plan{kMaxSharedSecretBytes,
                  [key](Bytes peer, Bytes, MutableBytes out) { return Ecdh(*key, peer, out); }};
    case BatchOperation::kEncapsulate: {
      const std::size_t room = kKemSecretBytes + KemCiphertextBytes(key->type());
      return Plan{room, [key, room](Bytes item, Bytes, MutableBytes out) -> Result<std::size_t> {
                    if (!item.empty()) {
                      return Status::kInvalidArgument;
                    }
                    return SizeIf(
                        Encapsulate(*key, out.first(kKemSecretBytes), out.subspan(kKemSecretBytes)),
                        room);
                  }};
    }
    case BatchOperation::kDecapsulate:
      return Plan{kKemSecretBytes, [key](Bytes ciphertext, Bytes, MutableBytes out) {
                    return SizeIf(Decapsulate(*key, ciphertext, out), kKemSecretBytes);
                  }};
  }
  return Status::kInvalidArgument;
}

Result<std::shared_ptr<Batch>> Batch::Make(const KeyPtr& key, const BatchCall& call,
                                           const PackedItems& items, const PackedItems& others) {
  const bool takes_others =
      call.operation == BatchOperation::kVerify || call.operation == BatchOperation::kHmacVerify;
  if (others.ends.size() != (takes_others ? items.ends.size() : 0)) {
    return Status::kInvalidArgument;
  }
  Result<Items> item_copies = CopyOf(items);
  Result<Items> other_copies = CopyOf(others);
  if (!item_copies.ok() || !other_copies.ok()) {
    return item_copies.ok() ? other_copies.status() : item_copies.status();
  }
  Result<Plan> plan = PlanOf(key, call, LargestOf(item_copies.value().ends));
  if (!plan.ok()) {
    return plan.status();
  }
  const std::size_t count = items.ends.size();
  const std::size_t room = plan.value().room;
  if (room > 0 && count > kMaxDataBytes / room) {
    return Status::kInvalidArgument;
  }
  Result<PrivateBuffer> data = PrivateBuffer::Allocate(count * room);
  Result<PrivateBuffer> ends = PrivateBuffer::Allocate(count * sizeof(std::uint32_t));
  Result<PrivateBuffer> statuses = PrivateBuffer::Allocate(count);
  if (!data.ok() || !ends.ok() || !statuses.ok()) {
    return Status::kOutOfSecureMemory;
  }
  auto batch = std::make_shared<Batch>(Private(), key->type(), key->id(), count);
  batch->plan_ = std::move(plan).value();
  batch->items_ = std::move(item_copies).value();
  batch->others_ = std::move(other_copies).value();
  batch->results_ = {std::move(data).value(), std::move(ends).value(), std::move(statuses).value()};
  return batch;
}

Batch::Progress Batch::Work(Clock::time_point until) {
  const Progress progress = WorkOn(until);
  // The key may be destroyed while this thread sleeps.
  ThreadContexts::Forget(type_, id_);
  return progress;
}

Batch::Progress Batch::WorkOn(Clock::time_point until) {
  if (count_ == 0) {
    return Progress::kDone;
  }
  const std::size_t longest_stride = count_ / kStridesPerBatch + 1;
  std::size_t stride = 1;
  for (Clock::time_point before = Clock::now();;) {
    const std::size_t begin = next_.fetch_add(stride, std::memory_order_relaxed);
    if (begin >= count_) {
      return Progress::kNothingLeft;
    }
    const std::size_t end = std::min(begin + stride, count_);
    for (std::size_t i = begin; i < end; ++i) {
      DoItem(i);
    }
    if (done_.fetch_add(end - begin, std::memory_order_acq_rel) + (end - begin) == count_) {
      Finish();
      return Progress::kDone;
    }
    const Clock::time_point now = Clock::now();
    if (now >= until) {
      return Progress::kMore;
    }
    if (now - before < kStrideTime) {
      stride = std::min(2 * stride, longest_stride);
    }
    before = now;
  }
}

void Batch::DoItem(std::size_t index) {
  const MutableBytes out = results_.data.bytes().subspan(index * plan_.room, plan_.room);
  const Bytes other = others_.ends.empty() ? Bytes() : others_.At(index);
  const Result<std::size_t> length = plan_.work(items_.At(index), other, out);
  AsNumbers(results_.ends.bytes())[index] =
      length.ok() ? static_cast<std::uint32_t>(length.value()) : 0;
  results_.statuses.bytes()[index] = static_cast<std::uint8_t>(length.status());
}

void Batch::Finish() {
  const std::span<std::uint32_t> ends = AsNumbers(results_.ends.bytes());
  const MutableBytes data = results_.data.bytes();
  std::size_t written = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    // Forward and never beyond its own region, so that no result is overwritten before its turn.
    // Most lie where they belong.
    const Bytes result = data.subspan(i * plan_.room, ends[i]);
    if (written != i * plan_.room) {
      std::copy(result.begin(), result.end(), data.begin() + static_cast<std::ptrdiff_t>(written));
    }
    written += result.size();
    ends[i] = static_cast<std::uint32_t>(written);
  }
  results_.data.Truncate(written);
  plan_ = {};
  items_ = {};
  others_ = {};
}

}  // namespace keywright
