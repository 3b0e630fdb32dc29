// Messages that somebody else made or changed, one at a time and in batches.

#include "core/message.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/digest.h"
#include "fuzz/fuzzing.h"

namespace keywright::fuzz {
namespace {

enum Mode : std::uint8_t { kForeign, kEdited, kForeignBatch, kEditedBatch, kModes };

constexpr std::size_t kDigest = 32;
constexpr std::uint8_t kUntouched = 0x77;
constexpr std::size_t kMaxItems = 16;

const Key& BackingKey() { return FixedKey(KeyType::kBacking); }

// Seeds are messages whose plaintext begins with a digest of all there is to it, so that a target
// which has not seen them made knows what they must open to.
Vector SelfDescribing(Bytes header, Bytes context, Bytes body) {
  Output input;
  const Vector all =
      input.Number16(header.size()).Append(header).Append(context).Append(body).Done();
  std::array<std::uint8_t, kDigest> digest;
  Check(Digest(DigestAlgorithm::kSha256, all, digest) == Status::kOk, "a digest is made");
  return Concat({digest, body});
}

Vector Encrypted(Bytes header, Bytes context, Bytes plaintext) {
  Vector blob(header.size() + plaintext.size() + kMessageOverheadBytes);
  CheckStatus(MessageEncrypt(BackingKey(), header, context, plaintext, blob), {Status::kOk},
              "MessageEncrypt");
  return blob;
}

// Decrypts into memory of exactly the right size; nothing when it fails.
std::optional<Vector> Decrypted(std::size_t header_length, Bytes blob, Bytes context) {
  const std::size_t overhead = header_length + kMessageOverheadBytes;
  Vector plaintext(blob.size() < overhead ? 0 : blob.size() - overhead, kUntouched);
  const Status status = MessageDecrypt(BackingKey(), header_length, blob, context, plaintext);
  if (header_length > kMaxHeaderBytes) {
    CheckStatus(status, {Status::kInvalidArgument}, "MessageDecrypt with a long header");
    return std::nullopt;
  }
  CheckStatus(status, {Status::kOk, Status::kAuthenticationFailed}, "MessageDecrypt");
  if (status != Status::kOk) {
    Check(IsZero(plaintext), "the output of a decryption that failed is zero");
    return std::nullopt;
  }
  return plaintext;
}

void CheckSelfDescribing(Bytes header, Bytes context, Bytes plaintext) {
  Check(plaintext.size() >= kDigest &&
            AreEqual(plaintext, SelfDescribing(header, context, plaintext.subspan(kDigest))),
        "a blob opens to nothing but its own plaintext");
}

void RunForeign(Input& input) {
  const std::size_t header_length = input.Number16();
  const Vector context = input.Take(input.Byte());
  const Vector blob = input.Rest();
  if (const std::optional<Vector> plaintext = Decrypted(header_length, blob, context)) {
    CheckSelfDescribing(Bytes(blob).first(header_length), context, *plaintext);
  }
}

void RunEdited(Input& input) {
  const Vector header = input.Take(input.Byte());
  Vector context = input.Take(input.Byte());
  const Vector plaintext = input.Take(input.Number16());
  const std::uint8_t shift = input.Byte();
  Vector blob = Encrypted(header, context, plaintext);
  const bool is_shifted = shift != 0;
  const bool is_blob_edited = input.Edit(blob);
  const bool is_context_edited = input.Edit(context);
  const std::optional<Vector> opened = Decrypted(header.size() + shift, blob, context);
  if (!is_shifted && !is_blob_edited && !is_context_edited) {
    Check(opened == plaintext, "what was encrypted can be decrypted");
  } else if (!is_shifted || is_blob_edited || is_context_edited) {
    Check(!opened, "a changed blob, or one under another context, does not open");
  } else {
    // The bytes behind the header are taken for it: the nonce is another one.
    Check(!opened, "a blob does not open with a header of another length");
  }
}

struct Batch {
  std::size_t header_length;
  Vector context;
  Vector data;
  std::vector<std::uint32_t> ends;
};

// The size of all results, or nothing when the ends are not in order.
std::optional<std::size_t> ModelTotal(const Batch& batch) {
  const std::size_t overhead = batch.header_length + kMessageOverheadBytes;
  std::size_t begin = 0;
  std::size_t total = 0;
  for (const std::uint32_t end : batch.ends) {
    if (end < begin || end > batch.data.size()) {
      return std::nullopt;
    }
    total += end - begin < overhead ? 0 : end - begin - overhead;
    begin = end;
  }
  return total;
}

Status ModelStatus(const Batch& batch, std::size_t room, std::size_t result_ends) {
  const std::optional<std::size_t> total = ModelTotal(batch);
  if (batch.header_length > kMaxHeaderBytes || !total || result_ends != batch.ends.size()) {
    return Status::kInvalidArgument;
  }
  return *total > room ? Status::kBufferTooSmall : Status::kOk;
}

void CheckResults(const Batch& batch, Bytes results, std::span<const std::uint32_t> ends) {
  std::size_t begin = 0;
  std::size_t result_begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const Bytes item = Bytes(batch.data).subspan(begin, batch.ends[i] - begin);
    const Bytes result = results.subspan(result_begin, ends[i] - result_begin);
    const std::optional<Vector> alone = Decrypted(batch.header_length, item, batch.context);
    Check(alone && AreEqual(*alone, result), "a batch decrypts as its items do");
    begin = batch.ends[i];
    result_begin = ends[i];
  }
}

void DecryptBatch(const Batch& batch, std::size_t room, std::size_t result_ends) {
  Vector out(room, kUntouched);
  std::vector<std::uint32_t> ends(result_ends);
  const Result<std::size_t> written =
      MessageDecryptBatch(BackingKey(), batch.header_length, batch.context,
                          {.data = batch.data, .ends = batch.ends}, {.data = out, .ends = ends});
  const Status model = ModelStatus(batch, room, result_ends);
  if (model != Status::kOk) {
    CheckStatus(written.status(), {model}, "MessageDecryptBatch with wrong bounds");
    Check(std::count(out.begin(), out.end(), kUntouched) == static_cast<std::ptrdiff_t>(room),
          "a refused batch writes nothing");
    return;
  }
  CheckStatus(written.status(), {Status::kOk, Status::kAuthenticationFailed},
              "MessageDecryptBatch");
  const std::size_t total = *ModelTotal(batch);
  const Bytes behind = Bytes(out).subspan(total);
  Check(std::count(behind.begin(), behind.end(), kUntouched) ==
            static_cast<std::ptrdiff_t>(behind.size()),
        "nothing behind the results is written");
  if (written.ok()) {
    Check(written.value() == total, "a batch tells how much it has written");
    CheckResults(batch, out, ends);
  } else {
    Check(IsZero(Bytes(out).first(total)), "the output of a batch that failed is zero");
  }
}

// Results that would overwrite what is still to be read.
void DecryptBatchInPlace(Batch batch, std::size_t offset) {
  const std::optional<std::size_t> total = ModelTotal(batch);
  if (!total || batch.ends.empty() || batch.data.size() <= offset) {
    return;
  }
  std::vector<std::uint32_t> ends(batch.ends.size());
  const std::size_t used = batch.ends.back();
  const MutableBytes out = MutableBytes(batch.data).subspan(offset);
  const Result<std::size_t> written =
      MessageDecryptBatch(BackingKey(), batch.header_length, batch.context,
                          {.data = batch.data, .ends = batch.ends}, {.data = out, .ends = ends});
  Check(!written.ok() || *total == 0 || offset >= used, "a batch is not decrypted in place");
}

void RunForeignBatch(Input& input) {
  Batch batch{.header_length = input.Number16(),
              .context = input.Take(input.Byte()),
              .data = {},
              .ends = {}};
  const std::size_t count = input.Byte() % kMaxItems;
  for (std::size_t i = 0; i < count; ++i) {
    batch.ends.push_back(input.Number32());
  }
  const std::size_t room = input.Number16();
  const std::size_t result_ends = count + (input.Byte() == 0xff ? 1 : 0);
  const std::size_t offset = input.Number16();
  batch.data = input.Rest();
  DecryptBatch(batch, room, result_ends);
  DecryptBatchInPlace(std::move(batch), offset);
}

void RunEditedBatch(Input& input) {
  const Vector header = input.Take(input.Byte());
  const Vector context = input.Take(input.Byte());
  const std::size_t count = input.Byte() % kMaxItems;
  Vector plaintexts;
  std::vector<std::uint32_t> plain_ends;
  for (std::size_t i = 0; i < count; ++i) {
    const Vector item = input.Take(input.Byte());
    plaintexts.insert(plaintexts.end(), item.begin(), item.end());
    plain_ends.push_back(static_cast<std::uint32_t>(plaintexts.size()));
  }
  Batch batch{.header_length = header.size(), .context = context, .data = {}, .ends = {}};
  batch.data.resize(plaintexts.size() + count * (header.size() + kMessageOverheadBytes));
  batch.ends.resize(count);
  const Result<std::size_t> written =
      MessageEncryptBatch(BackingKey(), header, context, {.data = plaintexts, .ends = plain_ends},
                          {.data = batch.data, .ends = batch.ends});
  Check(written.ok() && written.value() == batch.data.size(), "a batch can be encrypted");
  const bool is_changed = input.Edit(batch.data);
  Vector out(plaintexts.size(), kUntouched);
  std::vector<std::uint32_t> ends(count);
  const Result<std::size_t> opened =
      MessageDecryptBatch(BackingKey(), header.size(), context,
                          {.data = batch.data, .ends = batch.ends}, {.data = out, .ends = ends});
  if (opened.ok()) {
    Check(out == plaintexts && ends == plain_ends, "a batch opens to nothing but its plaintexts");
  }
  // An insertion behind the last item changes nothing that is read.
  const bool is_longer = batch.data.size() > written.value();
  Check(opened.ok() == !is_changed || is_longer, "a batch opens exactly when it is unchanged");
}

}  // namespace

void Run(Input input) {
  switch (input.Byte() % kModes) {
    case kForeign:
      return RunForeign(input);
    case kEdited:
      return RunEdited(input);
    case kForeignBatch:
      return RunForeignBatch(input);
    default:
      return RunEditedBatch(input);
  }
}

std::vector<Vector> Seeds() {
  std::vector<Vector> seeds;
  for (const std::size_t header_length : {0U, 1U, 64U, 4096U, 4097U}) {
    const Vector header(header_length, 0x4b);
    const Vector context(header_length % 100, 0x63);
    const Vector usable(std::min(header_length, kMaxHeaderBytes), 0x4b);
    const Vector plain = SelfDescribing(usable, context, Vector(header_length % 50, 0x70));
    const Vector blob = Encrypted(usable, context, plain);
    seeds.push_back(Output()
                        .Byte(kForeign)
                        .Number16(header_length)
                        .Byte(context.size())
                        .Append(context)
                        .Append(blob)
                        .Done());
    const Vector two = Concat({blob, blob});
    seeds.push_back(Output()
                        .Byte(kForeignBatch)
                        .Number16(header_length)
                        .Byte(context.size())
                        .Append(context)
                        .Byte(2)
                        .Number32(blob.size())
                        .Number32(two.size())
                        .Number16(2 * plain.size())
                        .Byte(0)
                        .Number16(0)
                        .Append(two)
                        .Done());
  }
  for (const std::size_t edits : {0U, 1U, 3U}) {
    seeds.push_back(Output()
                        .Byte(kEdited)
                        .Byte(4)
                        .Byte(3)
                        .Append(AsBytes("headctx"))
                        .Number16(5)
                        .Append(AsBytes("plain"))
                        .Byte(edits / 3)
                        .Byte(edits)
                        .Byte(3)
                        .Number16(20)
                        .Byte(1)
                        .Byte(1)
                        .Number16(9)
                        .Byte(0)
                        .Number16(90)
                        .Byte(7)
                        .Done());
    seeds.push_back(Output()
                        .Byte(kEditedBatch)
                        .Byte(4)
                        .Byte(3)
                        .Append(AsBytes("headctx"))
                        .Byte(3)
                        .Byte(2)
                        .Append(AsBytes("ab"))
                        .Byte(0)
                        .Byte(4)
                        .Append(AsBytes("cdef"))
                        .Byte(edits)
                        .Byte(3)
                        .Number16(20)
                        .Byte(1)
                        .Byte(1)
                        .Number16(9)
                        .Done());
  }
  return seeds;
}

}  // namespace keywright::fuzz
