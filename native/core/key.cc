#include "core/key.h"

#include <atomic>
#include <new>
#include <utility>

#include "core/key_pair.h"
#include "core/random.h"
#include "core/thread_contexts.h"

namespace keywright {
namespace {

std::atomic<KeyId> last_key_id{0};

Result<SecureBuffer> MidstateFor(KeyType type, Bytes key) {
  if (type != KeyType::kBacking) {
    return SecureBuffer();
  }
  Result<SecureBuffer> buffer = SecureBuffer::Allocate(sizeof(HmacMidstate));
  if (!buffer.ok()) {
    return buffer.status();
  }
  ComputeHmacMidstate(key, *new (buffer.value().bytes().data()) HmacMidstate);
  return buffer;
}

}  // namespace

Key::Key(Unforgeable /*token*/, KeyType type, SecureBuffer bytes, SecureBuffer midstate)
    : type_(type), id_(++last_key_id), bytes_(std::move(bytes)), midstate_(std::move(midstate)) {}

Key::Key(Unforgeable /*token*/, KeyType type, std::unique_ptr<const KeyPair> pair)
    : type_(type), id_(++last_key_id), pair_(std::move(pair)) {}

Key::~Key() { ThreadContexts::Forget(type_, id_); }

bool Key::is_public() const { return pair_ != nullptr && pair_->is_public(); }

KeyPtr Key::AdoptPair(KeyType type, std::unique_ptr<const KeyPair> pair) {
  return std::make_shared<const Key>(Unforgeable(), type, std::move(pair));
}

Result<KeyPtr> Key::Import(KeyType type, Bytes bytes) {
  if (!IsKeyLength(type, bytes.size())) {
    return Status::kInvalidArgument;
  }
  Result<SecureBuffer> copy = SecureBuffer::CopyOf(bytes);
  if (!copy.ok()) {
    return copy.status();
  }
  return Adopt(type, std::move(copy).value());
}

Result<KeyPtr> Key::Generate(KeyType type, std::size_t length) {
  if (!IsKeyLength(type, length)) {
    return Status::kInvalidArgument;
  }
  Result<SecureBuffer> bytes = SecureBuffer::Allocate(length);
  if (!bytes.ok()) {
    return bytes.status();
  }
  if (const Status status = RandomSecret(bytes.value().bytes()); status != Status::kOk) {
    return status;
  }
  return Adopt(type, std::move(bytes).value());
}

Result<KeyPtr> Key::Adopt(KeyType type, SecureBuffer bytes) {
  if (!IsKeyLength(type, bytes.size())) {
    return Status::kInvalidArgument;
  }
  Result<SecureBuffer> midstate = MidstateFor(type, bytes.bytes());
  if (!midstate.ok()) {
    return midstate.status();
  }
  return KeyPtr(std::make_shared<const Key>(Unforgeable(), type, std::move(bytes),
                                            std::move(midstate).value()));
}

}  // namespace keywright
