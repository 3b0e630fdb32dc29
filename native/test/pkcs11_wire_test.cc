// Requests and replies in memory that is shared with JavaScript.
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "pkcs11/wire.h"
#include "test/testing.h"

namespace keywright::pkcs11 {
namespace {

using Words = std::vector<std::uint32_t>;

Vector BytesOf(const Words& words) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
  return {bytes, bytes + words.size() * sizeof(std::uint32_t)};
}

Words WordsOf(Bytes bytes) {
  Words words;
  for (; bytes.size() >= sizeof(std::uint32_t); bytes = bytes.subspan(sizeof(std::uint32_t))) {
    std::memcpy(&words.emplace_back(), bytes.data(), sizeof(std::uint32_t));
  }
  return words;
}

// As src/pkcs11/native-mail.ts writes it.
Vector Encode(std::uint32_t ticket, const Vector& key_id, const Vector& common,
              const std::vector<Vector>& items) {
  const auto size = [](const Vector& bytes) { return static_cast<std::uint32_t>(bytes.size()); };
  Words head = {
      ticket, 9, 1, 2, 3, 4, size(key_id), size(common), static_cast<std::uint32_t>(items.size())};
  Vector bytes = Concat({key_id, common});
  for (const Vector& item : items) {
    head.push_back(size(item));
    bytes = Concat({bytes, item});
  }
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return Concat({BytesOf(head), bytes});
}

std::vector<Submission> ReadAll(Bytes memory, bool* is_at_end) {
  std::vector<Submission> submissions;
  RequestReader reader(memory);
  while (auto submission = reader.Next()) {
    submissions.push_back(std::move(*submission));
  }
  *is_at_end = reader.is_at_end();
  return submissions;
}

TEST(RequestReaderTest, ReadsRequestsInOrder) {
  const Vector memory = Concat({Encode(7, {1, 2, 3}, {4}, {{5, 6}, {}, {7, 8, 9}}),
                                Encode(8, {}, {}, {}), Encode(9, {1}, {2, 3, 4}, {{5}})});
  bool is_at_end = false;
  const std::vector<Submission> read = ReadAll(memory, &is_at_end);
  EXPECT_TRUE(is_at_end);
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].ticket, 7U);
  EXPECT_EQ(read[0].request.operation, Operation::kEncryptGcm);
  EXPECT_EQ(read[0].request.numbers, (std::array<std::uint32_t, 4>{1, 2, 3, 4}));
  EXPECT_EQ(Copy(read[0].request.key_id.bytes()), (Vector{1, 2, 3}));
  EXPECT_EQ(Copy(read[0].request.common.bytes()), (Vector{4}));
  ASSERT_EQ(read[0].request.items.size(), 3U);
  EXPECT_EQ(Copy(read[0].request.items[0].bytes()), (Vector{5, 6}));
  EXPECT_EQ(Copy(read[0].request.items[1].bytes()), Vector{});
  EXPECT_EQ(Copy(read[0].request.items[2].bytes()), (Vector{7, 8, 9}));
  EXPECT_EQ(read[1].ticket, 8U);
  EXPECT_TRUE(read[1].request.items.empty());
  EXPECT_EQ(read[2].ticket, 9U);
  EXPECT_EQ(Copy(read[2].request.common.bytes()), (Vector{2, 3, 4}));
}

TEST(RequestReaderTest, RefusesWhatGoesBeyondTheMemory) {
  const Vector whole = Encode(7, {1, 2, 3}, {4}, {{5, 6}, {7, 8, 9}});
  bool is_at_end = false;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_TRUE(ReadAll(Bytes(whole).first(size), &is_at_end).empty()) << size;
    EXPECT_FALSE(is_at_end) << size;
  }
  // Each length and the number of items, larger than there is room for.
  for (const std::size_t word : Sizes{6, 7, 8, 9, 10}) {
    for (const std::uint32_t value : {20U, 0x7fff'ffffU, 0xffff'ffffU}) {
      Words words = WordsOf(whole);
      words[word] = value;
      EXPECT_TRUE(ReadAll(BytesOf(words), &is_at_end).empty()) << word << " " << value;
      EXPECT_FALSE(is_at_end);
    }
  }
}

TEST(RequestReaderTest, ReadsNoiseWithoutHarm) {
  Generator generator;
  for (int i = 0; i < 2000; ++i) {
    // Small numbers, that some of it makes sense.
    Words words(generator.Number(0, 40));
    for (std::uint32_t& word : words) {
      word = static_cast<std::uint32_t>(generator.Number(0, i % 2 == 0 ? 9 : 0xffff'ffff));
    }
    const Vector memory = BytesOf(words);
    bool is_at_end = false;
    std::size_t bytes = 0;
    for (const Submission& submission : ReadAll(memory, &is_at_end)) {
      bytes += submission.request.key_id.bytes().size() + submission.request.common.bytes().size();
    }
    EXPECT_LE(bytes, memory.size());
  }
}

PrivateBuffer Buffer(const Vector& bytes) { return PrivateBuffer::CopyOf(bytes).value(); }

TEST(PackedRepliesTest, HoldsOutputsAndFailures) {
  PackedReplies replies;
  Reply one;
  one.outputs.push_back(Buffer({1, 2, 3, 4, 5}));
  ASSERT_TRUE(replies.Add(3, one));
  Reply none;
  none.failure = {.reason = Reason::kModule, .rv = CKR_DEVICE_ERROR, .mechanism = CKM_AES_GCM};
  ASSERT_TRUE(replies.Add(4, none));
  Reply some;
  some.outputs.resize(2);
  some.outputs[1] = Buffer({6});
  some.failures.resize(2);
  some.failures[0] = {.reason = Reason::kTooLong};
  ASSERT_TRUE(replies.Add(5, some));
  ASSERT_TRUE(replies.Add(6, Reply{}));
  const auto no_mechanism = static_cast<std::uint32_t>(kNoMechanism);
  const Words expected = {
      28,
      3,
      0,
      1,
      5,
      0x0403'0201,
      5,  // one
      20,
      4,
      1,
      CKR_DEVICE_ERROR,
      CKM_AES_GCM,  // none
      40,
      5,
      0,
      2,
      kNoOutput,
      1,
      6,
      0,
      no_mechanism,
      6,  // some
      16,
      6,
      0,
      0,
  };
  EXPECT_EQ(WordsOf(replies.bytes()), expected);
  EXPECT_EQ(HeadOf(replies.bytes()).bytes, 28U);
  EXPECT_EQ(HeadOf(replies.bytes().subspan(28)).ticket, 4U);
  const auto failure = FailureRecord(4, none.failure);
  EXPECT_EQ(Copy(failure), Copy(replies.bytes().subspan(28, 20)));
}

TEST(PackedRepliesTest, GrowsAndIsUsedAgain) {
  PackedReplies replies;
  for (const std::size_t size : Sizes{10, 60'000, 1'000'000, 10}) {
    Reply reply;
    reply.outputs.push_back(Buffer(Vector(size, 0x5a)));
    ASSERT_TRUE(replies.Add(1, reply));
    ASSERT_TRUE(replies.Add(2, reply));
    const std::size_t used = replies.bytes().size();
    EXPECT_EQ(HeadOf(replies.bytes().subspan(used / 2)).ticket, 2U);
    EXPECT_EQ(replies.bytes()[used - 4], 0x5a);
    replies.Clear();
    EXPECT_TRUE(replies.bytes().empty());
  }
}

TEST(PackedRepliesTest, WipesWhatWasTaken) {
  PackedReplies replies;
  Reply reply;
  reply.outputs.push_back(Buffer(Vector(1000, 0x5a)));
  ASSERT_TRUE(replies.Add(1, reply));
  const Bytes before = replies.bytes();
  replies.Clear();
  EXPECT_EQ(Copy(before), Vector(before.size()));
}

}  // namespace
}  // namespace keywright::pkcs11
