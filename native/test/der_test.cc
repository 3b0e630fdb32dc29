#include "core/der.h"

#include "test/testing.h"

namespace keywright {
namespace {

TEST(Der, ReadsBackWhatItWrites) {
  Generator generator;
  for (const std::size_t length :
       {0UL, 1UL, 127UL, 128UL, 255UL, 256UL, 65535UL, 65536UL, 70000UL}) {
    const Vector content = generator.Octets(length);
    const DerBytes value = DerValue(DerTag::kOctetString, {content});
    EXPECT_EQ(value.size(), DerHeaderSize(length) + length);
    DerReader reader(value);
    const std::optional<Bytes> read = reader.Read(DerTag::kOctetString);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(Copy(*read), content);
    EXPECT_TRUE(reader.is_empty());
    DerReader skipper(value);
    EXPECT_TRUE(skipper.Skip());
    EXPECT_TRUE(skipper.is_empty());
  }
}

TEST(Der, RefusesWhatIsNoDer) {
  for (const char* text : {"", "04", "0401", "0480", "048100", "04817f", "0482007f", "04820001ff",
                           "0484ffffffff", "0483ffffff", "0385", "300201"}) {
    DerReader reader(Bytes{});
    const Vector bytes = FromHex(text);
    reader = DerReader(bytes);
    EXPECT_FALSE(reader.Skip()) << text;
    EXPECT_FALSE(reader.Read(DerTag::kOctetString).has_value()) << text;
  }
  const Vector other = FromHex("020100");
  DerReader reader(other);
  EXPECT_FALSE(reader.Read(DerTag::kOctetString).has_value());
  EXPECT_TRUE(reader.Read(DerTag::kInteger).has_value());
}

TEST(Der, SurvivesRandomBytes) {
  Generator generator;
  for (int round = 0; round < 20'000; ++round) {
    const Vector bytes = generator.Octets(0, 12);
    DerReader reader(bytes);
    while (reader.Skip()) {
    }
    DerReader other(bytes);
    if (const std::optional<Bytes> content = other.Read(DerTag::kSequence)) {
      EXPECT_LE(content->size() + 2, bytes.size());
    }
  }
}

}  // namespace
}  // namespace keywright
