// The pool over a module that does what the test says.
#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pkcs11/pool.h"
#include "test/pkcs11_fake_module.h"
#include "test/testing.h"

namespace keywright::pkcs11 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One byte for each item.
Reply PerformRandom(Session& session, const Request& request) {
  Reply reply;
  if (request.operation == Operation::kDestroyKey) {
    const std::lock_guard lock(fake->mutex);
    if (fake->searches_in_vain > 0) {
      --fake->searches_in_vain;
      fake->changed.notify_all();
      reply.failure = {.reason = Reason::kKeyNotFound};
      return reply;
    }
  }
  for (std::size_t i = 0; i < request.items.size(); ++i) {
    PrivateBuffer output = PrivateBuffer::Allocate(1).value();
    const CK_RV rv =
        session.functions()->C_GenerateRandom(session.handle(), output.bytes().data(), 1);
    if (rv != CKR_OK) {
      reply.outputs.clear();
      reply.failure = {.reason = Reason::kModule, .rv = rv};
      return reply;
    }
    reply.outputs.push_back(std::move(output));
  }
  return reply;
}

class Inbox final : public Receiver {
 public:
  void Receive(std::vector<Completion> completions) override {
    const std::lock_guard lock(mutex_);
    for (Completion& completion : completions) {
      EXPECT_TRUE(replies_.emplace(completion.ticket, std::move(completion.reply)).second)
          << "ticket " << completion.ticket << " was answered twice";
    }
    arrived_.notify_all();
  }
  Reply Wait(Ticket ticket) {
    std::unique_lock lock(mutex_);
    const bool has_arrived = arrived_.wait_for(
        lock, seconds(30), [&] { return replies_.find(ticket) != replies_.end(); });
    EXPECT_TRUE(has_arrived) << "no reply to " << ticket;
    return has_arrived ? std::move(replies_.at(ticket)) : Reply{};
  }
  // Of a request that the pool did not take.
  Failure Refusal(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    const auto found = replies_.find(ticket);
    const Failure failure = found == replies_.end() ? Failure{} : found->second.failure;
    const bool is_refusal = failure.reason == Reason::kQueueFull ||
                            failure.reason == Reason::kUnavailable ||
                            failure.reason == Reason::kClosed;
    return is_refusal ? failure : Failure{};
  }
  bool Has(Ticket ticket) {
    const std::lock_guard lock(mutex_);
    return replies_.find(ticket) != replies_.end();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<Ticket, Reply> replies_;
};

constexpr Ticket kOpening = 1'000'000;
constexpr Ticket kClosing = 1'000'001;

class PoolTest : public testing::Test {
 protected:
  void SetUp() override { fake = &fake_; }
  void TearDown() override {
    if (pool_) {
      Unhang();
      pool_->Close(kClosing);
      EXPECT_TRUE(pool_->Wait(seconds(30)));
      EXPECT_TRUE(fake_.sessions.empty());
    }
  }

  Failure Open(PoolOptions options, const std::string& pin = "1234") {
    TokenChoice choice;
    choice.label = "T";
    choice.pin = SecureBuffer::CopyOf(AsBytes(pin)).value();
    choice.profile = FindProfile(1);
    auto connection =
        std::make_unique<Connection>(std::move(choice), Module::Over(&fake_functions));
    pool_ = std::make_shared<Pool>(std::move(connection), options, PerformRandom, inbox_);
    EXPECT_TRUE(pool_->Open(kOpening, seconds(20)).ok());
    return inbox_->Wait(kOpening).failure;
  }

  Failure Submit(Ticket ticket, std::size_t items = 1,
                 Operation operation = Operation::kGenerateRandom) {
    Request request;
    request.operation = operation;
    for (std::size_t i = 0; i < items; ++i) {
      request.items.emplace_back();
    }
    std::vector<Submission> submissions;
    submissions.push_back({.ticket = ticket, .request = std::move(request)});
    pool_->Submit(std::move(submissions));
    return inbox_->Refusal(ticket);
  }

  // The failure of one request, made and awaited.
  Failure Ask(Ticket ticket, Operation operation = Operation::kGenerateRandom) {
    const Failure failure = Submit(ticket, 1, operation);
    return failure.ok() ? inbox_->Wait(ticket).failure : failure;
  }

  void Change(const std::function<void(FakeModule&)>& change) {
    const std::lock_guard lock(fake_.mutex);
    change(fake_);
    fake_.changed.notify_all();
  }
  void Hang() {
    Change([](FakeModule& module) { module.is_hanging = true; });
  }
  void Unhang() {
    Change([](FakeModule& module) { module.is_hanging = false; });
  }
  void WaitForCalls(int calls) {
    std::unique_lock lock(fake_.mutex);
    EXPECT_TRUE(fake_.changed.wait_for(lock, seconds(30), [&] { return fake_.calls >= calls; }));
  }
  void WaitFor(const std::function<bool(const FakeModule&)>& condition) {
    std::unique_lock lock(fake_.mutex);
    EXPECT_TRUE(fake_.changed.wait_for(lock, seconds(30), [&] { return condition(fake_); }));
  }
  // Until both of two threads have a session.
  void WarmTwo() {
    Hang();
    ASSERT_TRUE(Submit(1001).ok());
    ASSERT_TRUE(Submit(1002).ok());
    WaitForCalls(2);
    Unhang();
    EXPECT_TRUE(inbox_->Wait(1001).failure.ok());
    EXPECT_TRUE(inbox_->Wait(1002).failure.ok());
  }
  void WaitForCircuit(bool is_open) {
    for (int i = 0; i < 3000 && pool_->state().is_circuit_open != is_open; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    EXPECT_EQ(pool_->state().is_circuit_open, is_open);
  }

  FakeModule fake_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::shared_ptr<Pool> pool_;
};

TEST_F(PoolTest, AnswersEveryRequestOnce) {
  ASSERT_TRUE(Open({.sessions = 3, .queue_length = 5000}).ok());
  for (Ticket ticket = 0; ticket < 2000; ++ticket) {
    ASSERT_TRUE(Submit(ticket).ok());
  }
  for (Ticket ticket = 0; ticket < 2000; ++ticket) {
    ASSERT_EQ(inbox_->Wait(ticket).outputs.size(), 1U);
  }
  EXPECT_EQ(fake_.calls, 2000);
  EXPECT_EQ(fake_.logins, 1);
}

TEST_F(PoolTest, PutsTheBatchTogetherAgain) {
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  ASSERT_TRUE(Submit(1, 1000).ok());
  const Reply reply = inbox_->Wait(1);
  EXPECT_EQ(reply.outputs.size(), 1000U);
  EXPECT_TRUE(reply.failures.empty());
  EXPECT_EQ(fake_.calls, 1000);
}

TEST_F(PoolTest, BatchFailsOnce) {
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  Change([](FakeModule& module) { module.answers.assign(3, CKR_DATA_INVALID); });
  ASSERT_TRUE(Submit(1, 1000).ok());
  EXPECT_EQ(inbox_->Wait(1).failure.rv, CKR_DATA_INVALID);
}

TEST_F(PoolTest, OpensAnotherSessionAndRepeats) {
  ASSERT_TRUE(Open({.sessions = 1}).ok());
  ASSERT_TRUE(Ask(1).ok());
  for (const CK_RV rv : {CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED, CKR_OPERATION_ACTIVE,
                         CKR_DEVICE_ERROR, CKR_USER_NOT_LOGGED_IN, CKR_TOKEN_NOT_PRESENT}) {
    Change([&](FakeModule& module) { module.answers = {rv}; });
    EXPECT_TRUE(Ask(10 + rv).ok()) << rv;
  }
}

TEST_F(PoolTest, MendsSessionsLoginAndModule) {
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  ASSERT_TRUE(Ask(1).ok());
  Change([](FakeModule& /*module*/) { LoseAll(); });
  EXPECT_TRUE(Ask(2).ok());
  Change([](FakeModule& module) { module.is_logged_in = false; });
  EXPECT_TRUE(Ask(3).ok());
  Change([](FakeModule& module) {
    LoseAll();
    module.is_initialized = false;
  });
  EXPECT_TRUE(Ask(4).ok());
  EXPECT_EQ(fake_.initializations, 2);
}

TEST_F(PoolTest, ReloadsTheModuleWhenDeviceErrorsPersist) {
  ASSERT_TRUE(Open({.sessions = 1}).ok());
  Change([](FakeModule& module) { module.answers.assign(3, CKR_DEVICE_ERROR); });
  EXPECT_TRUE(Ask(1).ok());
  EXPECT_EQ(fake_.finalizations, 1);
  EXPECT_EQ(fake_.initializations, 2);
}

TEST_F(PoolTest, DoesNotRepeatWhatMakesKeysAfterDeviceErrors) {
  ASSERT_TRUE(Open({.sessions = 1}).ok());
  Change([](FakeModule& module) { module.answers = {CKR_DEVICE_ERROR}; });
  EXPECT_EQ(Ask(1, Operation::kGenerateSecretKey).rv, CKR_DEVICE_ERROR);
  EXPECT_EQ(fake_.calls, 1);
  EXPECT_TRUE(Ask(2, Operation::kGenerateSecretKey).ok());
}

TEST_F(PoolTest, CircuitOpensWhileTheTokenIsAwayAndClosesWhenItIsBack) {
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  ASSERT_TRUE(Ask(1).ok());
  Change([](FakeModule& module) {
    LoseAll();
    module.is_present = false;
  });
  EXPECT_EQ(Ask(2).reason, Reason::kUnavailable);
  EXPECT_TRUE(pool_->state().is_circuit_open);
  const int calls = fake_.calls;
  EXPECT_EQ(Submit(3).reason, Reason::kUnavailable);
  EXPECT_EQ(fake_.calls, calls);
  Change([](FakeModule& module) { module.is_present = true; });
  WaitForCircuit(false);
  EXPECT_TRUE(Ask(4).ok());
}

TEST_F(PoolTest, RefusedPinIsNeverTriedAgain) {
  const Failure failure = Open({.sessions = 3}, "9999");
  EXPECT_EQ(failure.reason, Reason::kPinRefused);
  EXPECT_EQ(failure.rv, CKR_PIN_INCORRECT);
  EXPECT_EQ(fake_.logins, 1);
}

TEST_F(PoolTest, PinThatWasChangedIsTriedOnce) {
  ASSERT_TRUE(Open({.sessions = 3}).ok());
  Change([](FakeModule& module) {
    module.is_logged_in = false;
    module.pin = "changed";
  });
  for (Ticket ticket = 1; ticket < 20; ++ticket) {
    EXPECT_EQ(Ask(ticket).reason, Reason::kPinRefused);
  }
  EXPECT_EQ(fake_.logins, 2);
}

TEST_F(PoolTest, TokenThatIsMissingIsToldAtOnce) {
  Change([](FakeModule& module) { module.is_present = false; });
  EXPECT_EQ(Open({.sessions = 1}).reason, Reason::kNoToken);
}

TEST_F(PoolTest, LivesWithFewerSessionsThanWished) {
  fake_.max_sessions = 3;  // that of the owner is one
  ASSERT_TRUE(Open({.sessions = 8, .queue_length = 2000}).ok());
  for (Ticket ticket = 0; ticket < 1000; ++ticket) {
    ASSERT_TRUE(Submit(ticket).ok());
  }
  for (Ticket ticket = 0; ticket < 1000; ++ticket) {
    ASSERT_TRUE(inbox_->Wait(ticket).failure.ok());
  }
  EXPECT_LE(fake_.sessions.size(), 3U);
}

TEST_F(PoolTest, TakesSessionsAgainThatCameFree) {
  fake_.max_sessions = 2;  // that of the owner is one
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  Hang();
  ASSERT_TRUE(Submit(1).ok());
  ASSERT_TRUE(Submit(2).ok());
  for (int i = 0; i < 3000 && pool_->state().sessions != 1; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(pool_->state().sessions, 1U);
  Change([](FakeModule& module) { module.max_sessions = 100; });
  WaitForCalls(2);  // at the same time, so there are two threads again
  Unhang();
  EXPECT_TRUE(inbox_->Wait(1).failure.ok());
  EXPECT_TRUE(inbox_->Wait(2).failure.ok());
  EXPECT_EQ(pool_->state().sessions, 2U);
}

TEST_F(PoolTest, CircuitClosesThoughAThreadFindsNoSession) {
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  WarmTwo();
  Change([](FakeModule& module) {
    module.is_present = false;
    module.max_sessions = 2;  // that of the owner, and one that a thread still has
    module.answers = {CKR_TOKEN_NOT_PRESENT};
  });
  EXPECT_EQ(Ask(1).reason, Reason::kUnavailable);
  WaitForCircuit(true);
  Change([](FakeModule& module) { module.is_present = true; });
  WaitForCircuit(false);
  EXPECT_TRUE(Ask(2).ok());
}

TEST_F(PoolTest, FindsNothingForCertainOnlyWhileNobodyLogsIn) {
  ASSERT_TRUE(Open({.sessions = 2}).ok());
  WarmTwo();
  Change([](FakeModule& module) {
    module.is_logged_in = false;
    module.is_login_hanging = true;
    module.searches_in_vain = 1;
  });
  ASSERT_TRUE(Submit(1, 1, Operation::kFindKeys).ok());
  WaitFor([](const FakeModule& module) { return module.is_logged_in; });
  // It sees the login that the other thread has not come back from. That the login ended while it
  // searched, and the other thread made it again, would look the same.
  ASSERT_TRUE(Submit(2, 1, Operation::kDestroyKey).ok());
  WaitFor([](const FakeModule& module) { return module.searches_in_vain == 0; });
  Change([](FakeModule& module) { module.is_login_hanging = false; });
  EXPECT_TRUE(inbox_->Wait(1).failure.ok());
  EXPECT_TRUE(inbox_->Wait(2).failure.ok());
}

TEST_F(PoolTest, RefusesMoreThanMayWait) {
  ASSERT_TRUE(Open({.sessions = 1, .queue_length = 2}).ok());
  Hang();
  ASSERT_TRUE(Submit(1).ok());
  WaitForCalls(1);
  ASSERT_TRUE(Submit(2).ok());
  ASSERT_TRUE(Submit(3).ok());
  EXPECT_EQ(Submit(4).reason, Reason::kQueueFull);
  EXPECT_EQ(pool_->state().queued, 2U);
  EXPECT_EQ(pool_->state().active, 1U);
  Unhang();
  for (const Ticket ticket : {Ticket{1}, Ticket{2}, Ticket{3}}) {
    EXPECT_TRUE(inbox_->Wait(ticket).failure.ok());
  }
}

TEST_F(PoolTest, RefusesOnlyTheSurplusOfWhatComesAtOnce) {
  ASSERT_TRUE(Open({.sessions = 1, .queue_length = 3}).ok());
  Hang();
  ASSERT_TRUE(Submit(100).ok());
  WaitForCalls(1);
  std::vector<Submission> submissions;
  for (Ticket ticket = 0; ticket < 5; ++ticket) {
    submissions.push_back({.ticket = ticket, .request = {}});
    submissions.back().request.items.emplace_back();
  }
  pool_->Submit(std::move(submissions));
  EXPECT_EQ(inbox_->Wait(3).failure.reason, Reason::kQueueFull);
  EXPECT_EQ(inbox_->Wait(4).failure.reason, Reason::kQueueFull);
  EXPECT_EQ(pool_->state().queued, 3U);
  Unhang();
  for (Ticket ticket = 0; ticket < 3; ++ticket) {
    EXPECT_TRUE(inbox_->Wait(ticket).failure.ok());
  }
}

TEST_F(PoolTest, AnotherThreadTakesThePlaceOfOneThatHangs) {
  ASSERT_TRUE(Open({.sessions = 1, .timeout = milliseconds(200)}).ok());
  Hang();
  EXPECT_EQ(Ask(1).reason, Reason::kTimedOut);
  EXPECT_TRUE(pool_->state().is_circuit_open);
  // The probe needs no more than a session here, which the replacement gets.
  WaitForCircuit(false);
  EXPECT_EQ(Ask(2).reason, Reason::kTimedOut);
  // Twice as many threads as sessions, and no more.
  WaitForCalls(2);
  EXPECT_EQ(Submit(3).reason, Reason::kUnavailable);
  Unhang();
  WaitForCircuit(false);
  EXPECT_TRUE(Ask(4).ok());
  EXPECT_EQ(pool_->state().sessions, 1U);
}

TEST_F(PoolTest, ClosesWhileAThreadHangs) {
  ASSERT_TRUE(Open({.sessions = 2, .timeout = milliseconds(300)}).ok());
  Hang();
  ASSERT_TRUE(Submit(1).ok());
  ASSERT_TRUE(Submit(2).ok());
  WaitForCalls(2);
  ASSERT_TRUE(Submit(3).ok());
  pool_->Close(kClosing);
  EXPECT_EQ(inbox_->Wait(3).failure.reason, Reason::kClosed);
  EXPECT_EQ(inbox_->Wait(1).failure.reason, Reason::kTimedOut);
  EXPECT_EQ(inbox_->Wait(2).failure.reason, Reason::kTimedOut);
  EXPECT_TRUE(inbox_->Wait(kClosing).failure.ok());
  EXPECT_EQ(Submit(4).reason, Reason::kClosed);
  EXPECT_TRUE(pool_->Wait(seconds(30)));
  Unhang();
  // The threads end by themselves, with the pool.
  std::weak_ptr<Pool> pool = std::exchange(pool_, nullptr);
  for (int i = 0; i < 3000 && !pool.expired(); ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(pool.expired());
}

TEST_F(PoolTest, FaultsAtRandomLoseAndRepeatNothing) {
  ASSERT_TRUE(Open({.sessions = 3, .queue_length = 5000}).ok());
  Generator generator;
  Ticket ticket = 0;
  for (int faults = 0; faults < 20; ++faults) {
    const Ticket first = ticket;
    for (const Ticket last = first + generator.Number(1, 100); ticket < last; ++ticket) {
      ASSERT_TRUE(Submit(ticket).ok());
    }
    const std::size_t fault = generator.Number(0, 3);
    Change([&](FakeModule& module) {
      if (fault == 0) {
        LoseAll();
      } else if (fault == 1) {
        module.is_logged_in = false;
      } else {
        module.answers = {fault == 2 ? CKR_TOKEN_NOT_PRESENT : CKR_CRYPTOKI_NOT_INITIALIZED};
      }
    });
    // One fault at a time: with a few in a row for the same request the circuit would open.
    for (Ticket answered = first; answered < ticket; ++answered) {
      const Failure failure = inbox_->Wait(answered).failure;
      EXPECT_TRUE(failure.ok()) << answered << ": " << failure.rv;
    }
    EXPECT_TRUE(Ask(ticket++).ok());
    EXPECT_TRUE(Ask(ticket++).ok());
  }
}

}  // namespace
}  // namespace keywright::pkcs11
