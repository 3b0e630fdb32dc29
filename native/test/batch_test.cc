#include "core/batch.h"

#include <thread>

#include "core/key_agreement.h"
#include "core/key_pair_codec.h"
#include "core/mac.h"
#include "core/signature.h"
#include "test/testing.h"

namespace keywright {
namespace {

using Progress = Batch::Progress;
using Ends = std::vector<std::uint32_t>;

constexpr auto kSha256 = static_cast<std::uint32_t>(DigestAlgorithm::kSha256);
constexpr BatchCall kMac{BatchOperation::kHmac, kSha256};
constexpr BatchCall kCheckMac{BatchOperation::kHmacVerify, kSha256};

const auto kForever = Batch::Clock::time_point::max();

struct Packed {
  Vector data;
  Ends ends;

  explicit Packed(const std::vector<Vector>& items) {
    for (const Vector& item : items) {
      data.insert(data.end(), item.begin(), item.end());
      ends.push_back(static_cast<std::uint32_t>(data.size()));
    }
  }
  operator PackedItems() const { return {data, ends}; }  // NOLINT(google-explicit-constructor)
};

std::shared_ptr<Batch> MakeBatch(const KeyPtr& key, const BatchCall& call,
                                 const std::vector<Vector>& items,
                                 const std::vector<Vector>& others = {}) {
  return Batch::Make(key, call, Packed(items), Packed(others)).value();
}

std::vector<Vector> Messages(std::size_t count) {
  Generator generator;
  std::vector<Vector> messages;
  for (std::size_t i = 0; i < count; ++i) {
    messages.push_back(generator.Octets(0, 100));
  }
  return messages;
}

std::vector<Vector> ResultsOf(Batch& batch) {
  Ends ends(batch.size());
  EXPECT_EQ(batch.results().ends.bytes().size(), ends.size() * sizeof(std::uint32_t));
  CopyBytes(batch.results().ends.bytes(),
            {reinterpret_cast<std::uint8_t*>(ends.data()), ends.size() * sizeof(std::uint32_t)});
  std::vector<Vector> results;
  std::size_t begin = 0;
  for (const std::uint32_t end : ends) {
    results.push_back(Copy(batch.results().data.bytes().subspan(begin, end - begin)));
    begin = end;
  }
  EXPECT_EQ(begin, batch.results().data.bytes().size());
  return results;
}

std::vector<Status> StatusesOf(Batch& batch) {
  std::vector<Status> statuses;
  for (const std::uint8_t number : batch.results().statuses.bytes()) {
    statuses.push_back(static_cast<Status>(number));
  }
  return statuses;
}

// One turn here, the rest with `count` threads, of which each gives up the processor after every
// turn. How many were told that the batch is done. (libcrypto keeps what the first turn fetches in
// a table without locks, whose order ThreadSanitizer does not see: libcrypto is built without it.)
int WorkTogether(Batch& batch, std::size_t count) {
  std::atomic<int> done = batch.Work(Batch::Clock::now()) == Progress::kDone ? 1 : 0;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      Progress progress = Progress::kMore;
      while (progress == Progress::kMore) {
        progress = batch.Work(Batch::Clock::now());
        std::this_thread::yield();
      }
      done += progress == Progress::kDone ? 1 : 0;
    });
  }
  threads.clear();
  return done;
}

TEST(Batch, GivesEveryItemItsResultOnSeveralThreads) {
  const std::vector<Vector> messages = Messages(3000);
  const KeyPtr key = FreshKey(KeyType::kHmac, 32);
  const auto batch = MakeBatch(key, kMac, messages);
  EXPECT_EQ(WorkTogether(*batch, 4), 1);
  const std::vector<Vector> macs = ResultsOf(*batch);
  ASSERT_EQ(macs.size(), messages.size());
  for (std::size_t i = 0; i < macs.size(); ++i) {
    ASSERT_TRUE(HmacVerify(*key, DigestAlgorithm::kSha256, messages[i], macs[i]).value()) << i;
  }
  EXPECT_EQ(StatusesOf(*batch), std::vector(messages.size(), Status::kOk));
}

TEST(Batch, LendsContextsOfAPairToSeveralThreads) {
  const std::vector<Vector> messages = Messages(200);
  const KeyPtr key = GenerateKeyPair(KeyType::kP256).value();
  const BatchCall call{BatchOperation::kSign,
                       static_cast<std::uint32_t>(SignatureAlgorithm::kEcdsaSha256),
                       static_cast<std::uint32_t>(MessageType::kRaw)};
  const auto batch = MakeBatch(key, call, messages);
  EXPECT_EQ(WorkTogether(*batch, 4), 1);
  auto verify = call;
  verify.operation = BatchOperation::kVerify;
  const auto verified = MakeBatch(key, verify, messages, ResultsOf(*batch));
  EXPECT_EQ(WorkTogether(*verified, 4), 1);
  EXPECT_EQ(StatusesOf(*verified), std::vector(messages.size(), Status::kOk));
  EXPECT_TRUE(verified->results().data.bytes().empty());
}

TEST(Batch, EndsATurnWhenItsTimeIsOver) {
  const auto batch = MakeBatch(FreshKey(KeyType::kHmac, 32), kMac, Messages(3));
  const auto past = Batch::Clock::now();
  EXPECT_EQ(batch->Work(past), Progress::kMore);
  EXPECT_EQ(batch->Work(past), Progress::kMore);
  EXPECT_EQ(batch->Work(past), Progress::kDone);
  EXPECT_EQ(batch->Work(past), Progress::kNothingLeft);
  EXPECT_EQ(batch->Work(kForever), Progress::kNothingLeft);
}

TEST(Batch, GivesTheKeyBackWhenItIsDone) {
  KeyPtr key = FreshKey(KeyType::kHmac, 32);
  const std::weak_ptr<const Key> watched = key;
  const auto batch = MakeBatch(key, kMac, Messages(3));
  key.reset();
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(batch->Work(kForever), Progress::kDone);
  EXPECT_TRUE(watched.expired());
}

TEST(Batch, TellsWhichMacsAreWrong) {
  const KeyPtr key = FreshKey(KeyType::kHmac, 32);
  const std::vector<Vector> messages = Messages(3);
  const auto macs = MakeBatch(key, kMac, messages);
  EXPECT_EQ(macs->Work(kForever), Progress::kDone);
  std::vector<Vector> changed = ResultsOf(*macs);
  changed[0][5] ^= 1;
  changed[2].pop_back();
  const auto batch = MakeBatch(key, kCheckMac, messages, changed);
  EXPECT_EQ(batch->Work(kForever), Progress::kDone);
  EXPECT_EQ(StatusesOf(*batch), (std::vector{Status::kAuthenticationFailed, Status::kOk,
                                             Status::kAuthenticationFailed}));
}

TEST(Batch, LeavesNoBytesOfAnItemThatFailed) {
  const KeyPtr key = GenerateKeyPair(KeyType::kMlKem512).value();
  std::vector<Vector> ciphertexts;
  std::vector<Vector> secrets;
  for (int i = 0; i < 3; ++i) {
    ciphertexts.emplace_back(KemCiphertextBytes(KeyType::kMlKem512));
    secrets.emplace_back(kKemSecretBytes);
    ASSERT_EQ(Encapsulate(*key, secrets.back(), ciphertexts.back()), Status::kOk);
  }
  ciphertexts[1].pop_back();
  secrets[1].clear();
  const auto batch = MakeBatch(key, {BatchOperation::kDecapsulate}, ciphertexts);
  EXPECT_EQ(batch->Work(kForever), Progress::kDone);
  EXPECT_EQ(StatusesOf(*batch), (std::vector{Status::kOk, Status::kInvalidArgument, Status::kOk}));
  EXPECT_EQ(ResultsOf(*batch), secrets);
}

TEST(Batch, IsDoneAtOnceWhenItIsEmpty) {
  const auto batch = MakeBatch(FreshKey(KeyType::kHmac, 32), kMac, {});
  EXPECT_EQ(batch->Work(kForever), Progress::kDone);
  EXPECT_TRUE(ResultsOf(*batch).empty());
}

TEST(Batch, RefusesWhatDoesNotFitTogether) {
  const KeyPtr key = FreshKey(KeyType::kHmac, 32);
  const Vector data(10);
  const auto make = [&](const BatchCall& call, const Ends& ends, const Ends& others) {
    return Batch::Make(key, call, {data, ends}, {data, others}).status();
  };
  EXPECT_EQ(make(kMac, {5, 10}, {}), Status::kOk);
  EXPECT_EQ(make(kMac, {6, 5}, {}), Status::kInvalidArgument);
  EXPECT_EQ(make(kMac, {5, 11}, {}), Status::kInvalidArgument);
  EXPECT_EQ(make(kMac, {5, 10}, {5, 10}), Status::kInvalidArgument);
  EXPECT_EQ(make(kCheckMac, {5, 10}, {5, 10}), Status::kOk);
  EXPECT_EQ(make(kCheckMac, {5, 10}, {5}), Status::kInvalidArgument);
  EXPECT_EQ(make(kCheckMac, {5, 10}, {6, 5}), Status::kInvalidArgument);
  EXPECT_EQ(make({BatchOperation::kHmac, 99}, {5}, {}), Status::kInvalidArgument);
  EXPECT_EQ(make({BatchOperation::kSign, 99, 1}, {5}, {}), Status::kInvalidArgument);
  EXPECT_EQ(make({BatchOperation::kPublicEncrypt, 99}, {5}, {}), Status::kInvalidArgument);
}

}  // namespace
}  // namespace keywright
