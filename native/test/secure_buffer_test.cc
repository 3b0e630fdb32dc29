#include "core/secure_buffer.h"

#include <openssl/crypto.h>

#include <utility>

#include "core/secure_heap.h"
#include "test/testing.h"

namespace keywright {
namespace {

TEST(SecureBuffer, LivesInTheSecureHeapAndStartsZero) {
  const Result<SecureBuffer> buffer = SecureBuffer::Allocate(100);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(CRYPTO_secure_allocated(buffer.value().bytes().data()), 1);
  EXPECT_EQ(Copy(buffer.value().bytes()), Vector(100));
}

TEST(SecureBuffer, MovesWithoutCopy) {
  SecureBuffer a = SecureBuffer::CopyOf(Vector{1, 2, 3}).value();
  const std::uint8_t* data = a.bytes().data();
  SecureBuffer b = std::move(a);
  EXPECT_EQ(b.bytes().data(), data);
  SecureBuffer c = SecureBuffer::Allocate(50).value();
  c = std::move(b);
  EXPECT_EQ(Copy(c.bytes()), (Vector{1, 2, 3}));
}

TEST(SecureBuffer, TruncateWipesTheTail) {
  SecureBuffer buffer = SecureBuffer::CopyOf(Vector(64, 0xaa)).value();
  const std::uint8_t* data = buffer.bytes().data();
  buffer.Truncate(10);
  EXPECT_EQ(buffer.size(), 10U);
  EXPECT_EQ(Vector(data + 10, data + 64), Vector(54));
}

TEST(SecureBuffer, RefusesNothingAndMoreThanThereIs) {
  EXPECT_EQ(SecureBuffer::Allocate(0).status(), Status::kInvalidArgument);
  EXPECT_EQ(SecureBuffer::Allocate(std::size_t{1} << 40).status(), Status::kOutOfSecureMemory);
}

TEST(SecureHeap, HasTheSizeItSays) {
  const SecureHeapInfo info = DescribeSecureHeap();
  EXPECT_GE(info.size_bytes, std::size_t{1024} * 1024);
  EXPECT_LE(info.used_bytes, info.size_bytes);
}

TEST(ConstantTimeEqual, ComparesLengthAndContent) {
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
  EXPECT_TRUE(ConstantTimeEqual(Vector{1, 2}, Vector{1, 2}));
  EXPECT_FALSE(ConstantTimeEqual(Vector{1, 2}, Vector{1, 3}));
  EXPECT_FALSE(ConstantTimeEqual(Vector{1, 2}, Vector{1}));
}

}  // namespace
}  // namespace keywright
