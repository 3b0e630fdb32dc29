#ifndef KEYWRIGHT_PKCS11_OBJECT_CACHE_H_
#define KEYWRIGHT_PKCS11_OBJECT_CACHE_H_

#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "core/bytes.h"
#include "pkcs11/cryptoki.h"

namespace keywright::pkcs11 {

// Handles of objects by class and CKA_ID, for all sessions of a token: those used last, at most
// `capacity`. A search costs the token as much as a hundred encryptions.
class ObjectCache {
 public:
  static constexpr std::size_t kMaxIdBytes = 64;

  explicit ObjectCache(std::size_t capacity) : capacity_(capacity) {}

  std::optional<CK_OBJECT_HANDLE> Find(CK_OBJECT_CLASS object_class, Bytes id);
  // Changes whenever handles are forgotten; a handle that was found before is not put in after.
  std::uint64_t version();
  void Put(std::uint64_t version, CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE object);
  void Forget(Bytes id);
  void Clear();
  std::size_t size();

 private:
  struct Key {
    std::array<char, sizeof(CK_OBJECT_CLASS) + kMaxIdBytes> bytes;
    std::size_t length;
    std::string_view view() const { return {bytes.data(), length}; }
  };
  struct Entry {
    Key key;
    CK_OBJECT_HANDLE object;
  };

  static Key KeyOf(CK_OBJECT_CLASS object_class, Bytes id);

  const std::size_t capacity_;
  std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::list<Entry> entries_;  // the one used last comes first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  // over keys of entries_
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_OBJECT_CACHE_H_
