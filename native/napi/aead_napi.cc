#include "core/aead.h"
#include "napi/arguments.h"
#include "napi/functions.h"

namespace keywright {
namespace {

// (key, plaintext, aad, out, outOffset)
std::int32_t EncryptInto(Arguments& arguments) {
  const Bytes plaintext = arguments.BytesAt(1);
  const Bytes aad = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const std::size_t offset = arguments.NumberAt(4);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const std::size_t size = plaintext.size() + kAeadOverheadBytes;
  const Result<MutableBytes> region = RegionOf(out, offset, size);
  if (!region.ok()) {
    return CodeOf(region.status());
  }
  return CodeOf(AeadEncrypt(*key, plaintext, aad, region.value()), size);
}

// (key, sealed, aad, out, outOffset)
std::int32_t DecryptInto(Arguments& arguments) {
  const Bytes sealed = arguments.BytesAt(1);
  const Bytes aad = arguments.BytesAt(2);
  const MutableBytes out = arguments.WritableAt(3);
  const std::size_t offset = arguments.NumberAt(4);
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  const std::size_t size =
      sealed.size() < kAeadOverheadBytes ? 0 : sealed.size() - kAeadOverheadBytes;
  const Result<MutableBytes> region = RegionOf(out, offset, size);
  if (!region.ok()) {
    return CodeOf(region.status());
  }
  return CodeOf(AeadDecrypt(*key, sealed, aad, region.value()), size);
}

using Batch = Result<std::size_t> (*)(const Key&, const PackedItems&, Bytes, const PackedOutput&);

// (key, data, ends, aad, out, outEnds)
template <Batch kBatch>
std::int32_t BatchInto(Arguments& arguments) {
  const PackedItems items{.data = arguments.BytesAt(1), .ends = arguments.Uint32ArrayAt(2)};
  const Bytes aad = arguments.BytesAt(3);
  const PackedOutput out{.data = arguments.WritableAt(4), .ends = arguments.Uint32ArrayAt(5)};
  const Key* key = arguments.KeyAt(0);
  if (!arguments.ok()) {
    return CodeOf(Status::kInvalidArgument);
  }
  if (key == nullptr) {
    return CodeOf(Status::kDestroyedKey);
  }
  return CodeOf(kBatch(*key, items, aad, out));
}

constexpr NamedFunction kFunctions[] = {
    {"encryptInto", Call<EncryptInto>},
    {"decryptInto", Call<DecryptInto>},
    {"encryptBatchInto", Call<BatchInto<AeadEncryptBatch>>},
    {"decryptBatchInto", Call<BatchInto<AeadDecryptBatch>>},
};

}  // namespace

std::span<const NamedFunction> AeadFunctions() { return kFunctions; }

}  // namespace keywright
