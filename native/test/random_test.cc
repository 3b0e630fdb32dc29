#include "core/random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <thread>

#include "test/testing.h"

namespace keywright {
namespace {

Vector Nonce() {
  Vector nonce(16);
  EXPECT_EQ(RandomNonce(nonce), Status::kOk);
  return nonce;
}

TEST(Random, NoncesOfManyBlocksDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(seen.insert(AsString(Nonce())).second);
  }
}

TEST(Random, NoncesOfEverySizeUpToTheLimitAreFilled) {
  for (std::size_t size = 8; size <= kMaxNonceBytes; ++size) {
    Vector nonce(size);
    ASSERT_EQ(RandomNonce(nonce), Status::kOk);
    ASSERT_NE(nonce, Vector(size));
  }
  Vector too_long(kMaxNonceBytes + 1);
  EXPECT_EQ(RandomNonce(too_long), Status::kInvalidArgument);
}

TEST(Random, AChildProcessDoesNotRepeatTheNoncesOfItsParent) {
  Nonce();  // a block is there, and is copied by the fork
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    for (int i = 0; i < 100; ++i) {
      const Vector nonce = Nonce();
      if (write(ends[1], nonce.data(), nonce.size()) != 16) {
        _exit(1);
      }
    }
    _exit(0);
  }
  close(ends[1]);
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) {
    seen.insert(AsString(Nonce()));
  }
  for (int i = 0; i < 100; ++i) {
    Vector nonce(16);
    ASSERT_EQ(read(ends[0], nonce.data(), nonce.size()), 16);
    EXPECT_TRUE(seen.insert(AsString(nonce)).second);
  }
  close(ends[0]);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Random, ThreadsDrawDifferentNonces) {
  std::mutex mutex;
  std::set<std::string> seen;
  const auto draw = [&] {
    for (int i = 0; i < 2000; ++i) {
      const Vector nonce = Nonce();
      const std::scoped_lock lock(mutex);
      ASSERT_TRUE(seen.insert(AsString(nonce)).second);
    }
  };
  std::thread other(draw);
  draw();
  other.join();
}

TEST(Random, FillsWhatItIsGiven) {
  Vector a(100'000);
  Vector b(100'000);
  EXPECT_EQ(RandomPublic(a), Status::kOk);
  EXPECT_EQ(RandomSecret(b), Status::kOk);
  EXPECT_NE(a, b);
  EXPECT_NE(a, Vector(a.size()));
  EXPECT_EQ(RandomPublic({}), Status::kOk);
  EXPECT_EQ(RandomSecret({}), Status::kOk);
}

}  // namespace
}  // namespace keywright
