// What waits for a token, what a return value means, and which handles are remembered.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "pkcs11/job.h"
#include "pkcs11/lanes.h"
#include "pkcs11/object_cache.h"
#include "pkcs11/recovery.h"
#include "test/testing.h"

namespace keywright::pkcs11 {
namespace {

using std::chrono::milliseconds;

Request RequestOf(const std::string& key, std::size_t items = 1, std::size_t item_bytes = 8,
                  Operation operation = Operation::kEncryptGcm) {
  Request request;
  request.operation = operation;
  request.key_id = PrivateBuffer::CopyOf(AsBytes(key)).value();
  for (std::size_t i = 0; i < items; ++i) {
    request.items.push_back(PrivateBuffer::CopyOf(Vector(item_bytes, 7)).value());
  }
  return request;
}

bool Push(Lanes& lanes, const std::string& key, Ticket ticket, std::size_t items = 1,
          JobPtr* evicted = nullptr, Clock::time_point deadline = Clock::time_point::max()) {
  JobPtr ignored;
  return lanes.Push(Cut(RequestOf(key, items), ticket, deadline),
                    evicted == nullptr ? &ignored : evicted);
}

std::vector<Ticket> PopAll(Lanes& lanes) {
  std::vector<Ticket> order;
  while (const JobPtr job = lanes.Pop()) {
    order.push_back(job->ticket);
  }
  return order;
}

using Tickets = std::vector<Ticket>;

TEST(LanesTest, KeysTakeTurns) {
  Lanes lanes(100);
  for (Ticket ticket = 0; ticket < 4; ++ticket) {
    ASSERT_TRUE(Push(lanes, "hot", ticket));
  }
  ASSERT_TRUE(Push(lanes, "cold", 10));
  ASSERT_TRUE(Push(lanes, "cold", 11));
  EXPECT_EQ(PopAll(lanes), (Tickets{0, 10, 1, 11, 2, 3}));
  EXPECT_EQ(lanes.size(), 0U);
  EXPECT_TRUE(lanes.is_empty());
}

TEST(LanesTest, BatchDoesNotDelayRequestsWithTheSameKey) {
  Lanes lanes(100);
  ASSERT_TRUE(Push(lanes, "key", 1, 3 * kMaxJobItems));
  ASSERT_TRUE(Push(lanes, "key", 2));
  EXPECT_EQ(lanes.size(), 2U);
  EXPECT_EQ(PopAll(lanes), (Tickets{1, 2, 1, 1}));
}

TEST(LanesTest, BatchIsOneRequestUntilItsLastPartLeaves) {
  Lanes lanes(1);
  ASSERT_TRUE(Push(lanes, "key", 1, 2 * kMaxJobItems));
  EXPECT_FALSE(Push(lanes, "key", 2));
  const JobPtr first = lanes.Pop();
  EXPECT_FALSE(Push(lanes, "key", 2));
  lanes.PutBack(first);
  EXPECT_EQ(lanes.size(), 1U);
  EXPECT_EQ(lanes.Pop()->first_item, 0U);
  EXPECT_EQ(lanes.Pop()->first_item, kMaxJobItems);
  EXPECT_EQ(lanes.size(), 0U);
  EXPECT_TRUE(Push(lanes, "key", 2));
}

TEST(LanesTest, FullQueueTakesFromTheLongestLane) {
  Lanes lanes(3);
  for (Ticket ticket = 0; ticket < 3; ++ticket) {
    ASSERT_TRUE(Push(lanes, "hot", ticket));
  }
  EXPECT_FALSE(Push(lanes, "hot", 3));
  JobPtr evicted;
  EXPECT_TRUE(Push(lanes, "cold", 10, 1, &evicted));
  ASSERT_TRUE(evicted);
  EXPECT_EQ(evicted->ticket, 2U);
  EXPECT_EQ(lanes.size(), 3U);
  // Now two to one, and nobody is so much longer as to give up another.
  EXPECT_FALSE(Push(lanes, "cold", 11));
  EXPECT_EQ(PopAll(lanes), (Tickets{0, 10, 1}));
}

TEST(LanesTest, ExpiredAndSettledJobsLeave) {
  Lanes lanes(10);
  const Clock::time_point now = Clock::now();
  ASSERT_TRUE(Push(lanes, "a", 1, 1, nullptr, now));
  ASSERT_TRUE(Push(lanes, "a", 2, 1, nullptr, now + milliseconds(5)));
  ASSERT_TRUE(Push(lanes, "b", 3, 1, nullptr, now + milliseconds(1)));
  EXPECT_EQ(lanes.earliest_deadline(), now);
  EXPECT_EQ(lanes.TakeExpired(now + milliseconds(2)).size(), 2U);
  EXPECT_EQ(lanes.size(), 1U);
  ASSERT_TRUE(Push(lanes, "b", 4));
  const std::vector<JobPtr> jobs = lanes.TakeAll();
  ASSERT_EQ(jobs.size(), 2U);
  jobs[0]->is_settled = true;
  lanes.PutBack(jobs[0]);
  lanes.PutBack(jobs[1]);
  EXPECT_EQ(PopAll(lanes), Tickets{jobs[1]->ticket});
}

TEST(LanesTest, RandomTrafficNeitherLosesNorRepeats) {
  Generator generator;
  Lanes lanes(20);
  std::map<Ticket, int> waiting;
  for (Ticket ticket = 0; ticket < 5000; ++ticket) {
    if (generator.Number(0, 2) > 0) {
      const std::string key(1, static_cast<char>('a' + generator.Number(0, 3)));
      const std::size_t items = generator.Number(0, 4) == 0 ? generator.Number(2, 200) : 1;
      const auto jobs = Cut(RequestOf(key, items), ticket, Clock::time_point::max());
      const int parts = static_cast<int>(jobs.size());
      JobPtr evicted;
      if (lanes.Push(jobs, &evicted)) {
        waiting[ticket] = parts;
      }
      if (evicted) {
        EXPECT_EQ(waiting.erase(evicted->ticket), 1U);
      }
    } else if (const JobPtr job = lanes.Pop()) {
      if (--waiting.at(job->ticket) == 0) {
        waiting.erase(job->ticket);
      }
    }
    ASSERT_EQ(lanes.size(), waiting.size());
    ASSERT_LE(lanes.size(), 20U);
  }
}

TEST(JobTest, BatchesAreCutByItemsAndBytes) {
  EXPECT_EQ(Cut(RequestOf("k", kMaxJobItems), 0, {}).size(), 1U);
  const auto jobs = Cut(RequestOf("k", kMaxJobItems + 1), 0, {});
  ASSERT_EQ(jobs.size(), 2U);
  EXPECT_EQ(jobs[1]->first_item, kMaxJobItems);
  EXPECT_EQ(jobs[1]->request.items.size(), 1U);
  EXPECT_EQ(Cut(RequestOf("k", 4, kMaxJobBytes / 2), 0, {}).size(), 2U);
  EXPECT_EQ(Cut(RequestOf("k", 3, 2 * kMaxJobBytes), 0, {}).size(), 3U);
}

TEST(JobTest, BatchesOfWhatTakesLongAreCutSmaller) {
  for (const Operation operation : {Operation::kSign, Operation::kRsaDecrypt}) {
    const auto jobs = Cut(RequestOf("k", 2 * kMaxLongJobItems + 1, 8, operation), 0, {});
    ASSERT_EQ(jobs.size(), 3U);
    EXPECT_EQ(jobs[1]->first_item, kMaxLongJobItems);
    EXPECT_EQ(jobs[2]->request.items.size(), 1U);
  }
  EXPECT_EQ(Cut(RequestOf("k", kMaxJobItems, 8, Operation::kGenerateMac), 0, {}).size(), 1U);
}

TEST(RecoveryTest, OwnFailuresOfRequestsLoseNothing) {
  for (const CK_RV rv : {CKR_GENERAL_ERROR, CKR_DATA_INVALID, CKR_KEY_UNEXTRACTABLE}) {
    EXPECT_EQ(LossOf({.reason = Reason::kModule, .rv = rv}), Loss::kNothing);
  }
  // The return value of what was understood says no more.
  EXPECT_EQ(LossOf({.reason = Reason::kAuthenticationFailed, .rv = CKR_DEVICE_ERROR}),
            Loss::kNothing);
  EXPECT_EQ(LossOf({.reason = Reason::kPinRefused, .rv = CKR_PIN_INCORRECT}), Loss::kNothing);
  EXPECT_EQ(LossOf({.reason = Reason::kModule, .rv = CKR_USER_NOT_LOGGED_IN}), Loss::kLogin);
}

TEST(RecoveryTest, WhatMakesKeysIsNotRepeatedAfterTroubleOfTheDevice) {
  EXPECT_FALSE(MayRepeat(Loss::kDevice, Operation::kGenerateSecretKey));
  EXPECT_FALSE(MayRepeat(Loss::kDevice, Operation::kDestroyKey));
  EXPECT_TRUE(MayRepeat(Loss::kSession, Operation::kGenerateSecretKey));
  EXPECT_TRUE(MayRepeat(Loss::kDevice, Operation::kEncryptGcm));
}

TEST(RecoveryTest, RepetitionsEnd) {
  EXPECT_FALSE(DelayBefore(Loss::kNothing, 1));
  EXPECT_TRUE(DelayBefore(Loss::kHandle, 1));
  EXPECT_FALSE(DelayBefore(Loss::kHandle, 2));
  unsigned attempt = 1;
  while (DelayBefore(Loss::kToken, attempt)) {
    ASSERT_LT(++attempt, 10U);
  }
  EXPECT_GT(attempt, 2U);
  EXPECT_LT(DelayBeforeProbe(0), DelayBeforeProbe(1));
  EXPECT_EQ(DelayBeforeProbe(30), DelayBeforeProbe(31));
}

TEST(ObjectCacheTest, RemembersWhatWasUsedLast) {
  ObjectCache cache(2);
  const Vector a = {1};
  const Vector b = {2};
  const Vector c = {3};
  cache.Put(cache.version(), CKO_SECRET_KEY, a, 10);
  cache.Put(cache.version(), CKO_PRIVATE_KEY, b, 20);
  EXPECT_EQ(cache.Find(CKO_SECRET_KEY, a), 10U);
  EXPECT_FALSE(cache.Find(CKO_SECRET_KEY, b));
  cache.Put(cache.version(), CKO_SECRET_KEY, c, 30);
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.Find(CKO_SECRET_KEY, a), 10U);
  EXPECT_FALSE(cache.Find(CKO_PRIVATE_KEY, b));
}

TEST(ObjectCacheTest, HandlesFoundBeforeTheyWereForgottenStayOut) {
  ObjectCache cache(2);
  const Vector id = {1};
  const std::uint64_t before = cache.version();
  cache.Forget(id);
  cache.Put(before, CKO_SECRET_KEY, id, 10);
  EXPECT_FALSE(cache.Find(CKO_SECRET_KEY, id));
  cache.Put(cache.version(), CKO_SECRET_KEY, id, 11);
  EXPECT_EQ(cache.Find(CKO_SECRET_KEY, id), 11U);
  cache.Clear();
  EXPECT_FALSE(cache.Find(CKO_SECRET_KEY, id));
  // Ids that only begin alike are not mixed up.
  const Vector longer(ObjectCache::kMaxIdBytes + 1, 9);
  cache.Put(cache.version(), CKO_SECRET_KEY, Bytes(longer).first(ObjectCache::kMaxIdBytes), 12);
  EXPECT_FALSE(cache.Find(CKO_SECRET_KEY, longer));
}

}  // namespace
}  // namespace keywright::pkcs11
