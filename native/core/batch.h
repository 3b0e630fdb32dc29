#ifndef KEYWRIGHT_CORE_BATCH_H_
#define KEYWRIGHT_CORE_BATCH_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "core/key.h"
#include "core/packed_items.h"
#include "core/private_buffer.h"
#include "core/result.h"

namespace keywright {

// What a batch does with each of its items. The numbers are those of src/core/codes.ts.
enum class BatchOperation : std::uint8_t {
  kSign = 1,    // a message; gives the signature
  kVerify = 2,  // a message, and its signature beside it; gives no bytes
  kPublicEncrypt = 3,
  kPrivateDecrypt = 4,
  kEcdh = 5,         // a SubjectPublicKeyInfo; gives the shared secret
  kEncapsulate = 6,  // nothing; gives the shared secret, then the ciphertext
  kDecapsulate = 7,
  kHmac = 8,
  kHmacVerify = 9,  // data, and its MAC beside it; gives no bytes
};

std::optional<BatchOperation> BatchOperationFromNumber(std::uint32_t number);

// An operation with the numbers of its algorithm and its message type, which some do without.
struct BatchCall {
  BatchOperation operation;
  std::uint32_t algorithm = 0;
  std::uint32_t message_type = 0;
};

// One operation with one key on many items, by as many threads as like to join. An item fares as in
// a call of its own, and its failure is its status; a signature or MAC that does not fit is
// kAuthenticationFailed.
class Batch {
 public:
  using Clock = std::chrono::steady_clock;

  // What a thread learns when it stops.
  enum class Progress {
    kMore,         // there are items that nobody has begun
    kNothingLeft,  // all are begun, and another thread does the last of them
    kDone,         // the results are there; one call answers this
  };

  // Copies the items. kInvalidArgument when ends do not fit their data, when there is no such
  // algorithm, and when `others` has not as many items as `items` (none, but for kVerify and
  // kHmacVerify).
  static Result<std::shared_ptr<Batch>> Make(const KeyPtr& key, const BatchCall& call,
                                             const PackedItems& items, const PackedItems& others);

  // For std::make_shared; Private makes Make the only way in.
  class Private {
    friend class Batch;
    Private() = default;
  };
  Batch(Private, KeyType type, KeyId id, std::size_t count) : type_(type), id_(id), count_(count) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() = default;

  std::size_t size() const { return count_; }

  // Does items on this thread until the time is over or none is left; at least one.
  Progress Work(Clock::time_point until);

  // Of a batch that is done: results end to end, none for items that failed; where each ends, as
  // uint32 in the order of this machine; and a byte for each status. The key and the items are gone
  // by then.
  struct Results {
    PrivateBuffer data;
    PrivateBuffer ends;
    PrivateBuffer statuses;
  };
  Results& results() { return results_; }

 private:
  // One operation on one item: bytes written at the front of a region with room for the longest
  // result.
  using ItemWork = std::function<Result<std::size_t>(Bytes item, Bytes other, MutableBytes out)>;

  struct Plan {
    std::size_t room = 0;
    ItemWork work;  // holds the key
  };
  struct Items {
    PrivateBuffer data;
    std::vector<std::uint32_t> ends;

    Bytes At(std::size_t index) const;
  };

  static Result<Plan> PlanOf(const KeyPtr& key, const BatchCall& call, std::size_t largest);
  static Result<Plan> PlanOfSignature(const KeyPtr& key, const BatchCall& call);
  static Result<Plan> PlanOfEncryption(const KeyPtr& key, const BatchCall& call,
                                       std::size_t largest);
  static Result<Plan> PlanOfMac(const KeyPtr& key, const BatchCall& call);
  static Result<Items> CopyOf(const PackedItems& items);

  Progress WorkOn(Clock::time_point until);
  void DoItem(std::size_t index);
  void Finish();

  const KeyType type_;
  const KeyId id_;
  const std::size_t count_;
  Plan plan_;
  Items items_;
  Items others_;
  // With room for the longest result each, and lengths in the place of ends, until all are there.
  Results results_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> done_ = 0;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_BATCH_H_
