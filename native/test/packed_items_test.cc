#include "core/packed_items.h"

#include "test/testing.h"

namespace keywright {
namespace {

using Ends = std::vector<std::uint32_t>;

Status Check(const Ends& ends, std::size_t data_size, Growth growth, std::size_t out_size) {
  const Vector data(data_size);
  Vector out(out_size);
  Ends out_ends(ends.size());
  return CheckBatch({data, ends}, growth, {}, {out, out_ends}).status();
}

TEST(PackedItems, RefusesEndsThatGoBackOrBeyondTheData) {
  EXPECT_EQ(Check({10, 20}, 20, 0, 20), Status::kOk);
  EXPECT_EQ(Check({10, 9}, 20, 0, 20), Status::kInvalidArgument);
  EXPECT_EQ(Check({10, 21}, 20, 0, 100), Status::kInvalidArgument);
  EXPECT_EQ(Check({0xffff'ffff}, 20, 0, 100), Status::kInvalidArgument);
}

TEST(PackedItems, RefusesAnOutputThatIsTooSmall) {
  EXPECT_EQ(Check({10, 20}, 20, 28, 76), Status::kOk);
  EXPECT_EQ(Check({10, 20}, 20, 28, 75), Status::kBufferTooSmall);
}

TEST(PackedItems, AcceptsNoItems) { EXPECT_EQ(Check({}, 0, 28, 0), Status::kOk); }

TEST(PackedItems, RefusesOtherNumberOfEndsInTheOutput) {
  const Vector data(20);
  const Ends ends = {20};
  Vector out(20);
  Ends out_ends(2);
  EXPECT_EQ(CheckBatch({data, ends}, 0, {}, {out, out_ends}).status(), Status::kInvalidArgument);
}

TEST(PackedItems, RefusesEveryOverlapOfInputAndOutput) {
  Vector data(20);
  Vector out(20);
  Ends ends = {20};
  Ends out_ends(1);
  const MutableBytes end_bytes(reinterpret_cast<std::uint8_t*>(ends.data()), 4);
  const MutableBytes out_end_bytes(reinterpret_cast<std::uint8_t*>(out_ends.data()), 4);
  const Ends four = {4};
  EXPECT_EQ(CheckBatch({data, ends}, 0, {}, {data, out_ends}).status(), Status::kInvalidArgument);
  EXPECT_EQ(CheckBatch({data, ends}, 0, {}, {out, ends}).status(), Status::kInvalidArgument);
  EXPECT_EQ(CheckBatch({data, ends}, 0, {Bytes(out).first(1)}, {out, out_ends}).status(),
            Status::kInvalidArgument);
  EXPECT_EQ(CheckBatch({data, four}, 0, {}, {out_end_bytes, out_ends}).status(),
            Status::kInvalidArgument);
  EXPECT_EQ(CheckBatch({out_end_bytes, four}, 0, {}, {out, out_ends}).status(),
            Status::kInvalidArgument);
  ends[0] = 4;
  EXPECT_EQ(CheckBatch({data, ends}, 0, {}, {end_bytes, out_ends}).status(),
            Status::kInvalidArgument);
}

// Runs a batch over 20 bytes whose ends another thread changes during the first item.
Result<std::size_t> Race(Ends ends, const Ends& changed, Growth growth, Vector& out) {
  const Vector data(20);
  Ends out_ends(ends.size());
  const auto work = [&](Bytes /*item*/, MutableBytes /*result*/) {
    ends = changed;
    return Status::kOk;
  };
  const PackedOutput output{.data = out, .ends = out_ends};
  return TransformEach({data, ends}, growth, {}, output, work);
}

TEST(PackedItems, EndsThatChangeDuringTheCallReachNoForeignMemory) {
  Vector out(4, 0xaa);
  // Beyond the data, while the result fits what is left of the output.
  EXPECT_EQ(Race({1, 20, 20}, {1, 5, 24}, -15, out).status(), Status::kInvalidArgument);
  EXPECT_EQ(out, Vector(4));
  // Within the data, with a result beyond the output.
  out.assign(66, 0xaa);
  EXPECT_EQ(Race({10, 10}, {10, 20}, 28, out).status(), Status::kInvalidArgument);
  EXPECT_EQ(out, Vector(66));
  // Backwards.
  out.assign(20, 0xaa);
  EXPECT_EQ(Race({10, 20}, {10, 9}, 0, out).status(), Status::kInvalidArgument);
  EXPECT_EQ(out, Vector(20));
}

}  // namespace
}  // namespace keywright
