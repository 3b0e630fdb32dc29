#include "pkcs11/object_cache.h"

#include <algorithm>
#include <cstring>

namespace keywright::pkcs11 {

ObjectCache::Key ObjectCache::KeyOf(CK_OBJECT_CLASS object_class, Bytes id) {
  Key key;
  const std::size_t id_bytes = std::min(id.size(), kMaxIdBytes);
  std::memcpy(key.bytes.data(), &object_class, sizeof(object_class));
  std::copy_n(id.begin(), id_bytes, key.bytes.begin() + sizeof(object_class));
  key.length = sizeof(object_class) + id_bytes;
  return key;
}

std::optional<CK_OBJECT_HANDLE> ObjectCache::Find(CK_OBJECT_CLASS object_class, Bytes id) {
  if (id.size() > kMaxIdBytes) {
    return std::nullopt;
  }
  const Key key = KeyOf(object_class, id);
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(key.view());
  if (found == index_.end()) {
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->object;
}

std::uint64_t ObjectCache::version() {
  const std::lock_guard lock(mutex_);
  return version_;
}

void ObjectCache::Put(std::uint64_t version, CK_OBJECT_CLASS object_class, Bytes id,
                      CK_OBJECT_HANDLE object) {
  const Key key = KeyOf(object_class, id);
  const std::lock_guard lock(mutex_);
  if (version != version_ || id.size() > kMaxIdBytes || capacity_ == 0) {
    return;
  }
  if (const auto found = index_.find(key.view()); found != index_.end()) {
    found->second->object = object;
    return;
  }
  if (entries_.size() >= capacity_) {
    index_.erase(entries_.back().key.view());
    entries_.pop_back();
  }
  entries_.push_front({key, object});
  index_.emplace(entries_.front().key.view(), entries_.begin());
}

void ObjectCache::Forget(Bytes id) {
  const std::lock_guard lock(mutex_);
  ++version_;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    const Key key = KeyOf(object_class, id);
    if (const auto found = index_.find(key.view()); found != index_.end()) {
      const auto entry = found->second;
      index_.erase(found);
      entries_.erase(entry);
    }
  }
}

void ObjectCache::Clear() {
  const std::lock_guard lock(mutex_);
  ++version_;
  index_.clear();
  entries_.clear();
}

std::size_t ObjectCache::size() {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace keywright::pkcs11
