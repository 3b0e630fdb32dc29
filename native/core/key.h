#ifndef KEYWRIGHT_CORE_KEY_H_
#define KEYWRIGHT_CORE_KEY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "core/hmac_midstate.h"
#include "core/key_type.h"
#include "core/result.h"
#include "core/secure_buffer.h"

namespace keywright {

class Key;
class KeyPair;
using KeyPtr = std::shared_ptr<const Key>;

// Number of a key that no other key of this process ever gets, unlike its address.
using KeyId = std::uint64_t;

// A symmetric key in the secure heap, or a key pair of libcrypto. Immutable, shared by threads;
// wiped with the last reference. Its bytes can be read through key_access.h only, which bindings do
// not include.
class Key {
 public:
  // kInvalidArgument when `type` has no keys of that length.
  static Result<KeyPtr> Import(KeyType type, Bytes bytes);
  static Result<KeyPtr> Generate(KeyType type, std::size_t length);
  static Result<KeyPtr> Adopt(KeyType type, SecureBuffer bytes);

  // A key pair, or a public key alone; of an asymmetric `type`, which the caller has checked.
  static KeyPtr AdoptPair(KeyType type, std::unique_ptr<const KeyPair> pair);

  // For std::make_shared; Unforgeable makes Adopt the only way in.
  class Unforgeable {
    friend class Key;
    Unforgeable() = default;
  };
  Key(Unforgeable, KeyType type, SecureBuffer bytes, SecureBuffer midstate);
  Key(Unforgeable, KeyType type, std::unique_ptr<const KeyPair> pair);
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key();

  KeyType type() const { return type_; }
  KeyId id() const { return id_; }
  // Bytes of a symmetric key; 0 for others.
  std::size_t size() const { return bytes_.size(); }
  // True for the public part of a key pair, which signs, decrypts and exports nothing secret.
  bool is_public() const;

 private:
  friend class KeyAccess;

  KeyType type_;
  KeyId id_;
  SecureBuffer bytes_;
  SecureBuffer midstate_;                // an HmacMidstate, for a backing key
  std::unique_ptr<const KeyPair> pair_;  // of an asymmetric type
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_H_
