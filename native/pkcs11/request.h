#ifndef KEYWRIGHT_PKCS11_REQUEST_H_
#define KEYWRIGHT_PKCS11_REQUEST_H_

#include <array>
#include <cstdint>
#include <vector>

#include "core/private_allocator.h"
#include "core/private_buffer.h"
#include "pkcs11/failure.h"

namespace keywright::pkcs11 {

// What a token can be asked to do. The numbers are those of src/pkcs11/codes.ts.
enum class Operation : std::uint32_t {
  kGenerateRandom = 1,
  kGenerateSecretKey = 2,
  kGenerateKeyPair = 3,
  kFindKeys = 4,
  kDestroyKey = 5,
  kExportPublicKey = 6,
  kWrapKey = 7,
  kUnwrapKey = 8,
  kEncryptGcm = 9,
  kDecryptGcm = 10,
  kGenerateMac = 11,
  kVerifyMac = 12,
  kSign = 13,
  kVerify = 14,
  kRsaEncrypt = 15,
  kRsaDecrypt = 16,
  kAgree = 17,
  kImportPublicKey = 18,
};

// A thread makes them, another one does away with them.
using Items = std::vector<PrivateBuffer, PrivateAllocator<PrivateBuffer>>;

// One request, made by a binding, carried to a thread of the pool, and done there by Perform
// (perform.h). It owns all of its bytes.
//
// An operation with many items (a batch) is one request: `items` holds one entry per item, and the
// reply one output per item.
struct Request {
  Operation operation = Operation::kGenerateRandom;
  // CKA_ID of the key that works; empty for kGenerateRandom and kFindKeys of all.
  PrivateBuffer key_id;
  // What the operation's line in perform.h says.
  std::array<std::uint32_t, 4> numbers = {};
  // Data that goes with every item: AAD, a label, or the id of a second key.
  PrivateBuffer common;
  Items items;
};

// Of a batch, `outputs` has one entry per item; `failures` is empty when all went well, else has
// one entry per item. `failure` is that of the request as a whole, and then there are no outputs.
struct Reply {
  Failure failure;
  std::vector<PrivateBuffer> outputs;
  std::vector<Failure> failures;
  // Keys of the token were made or destroyed, and stay so whatever `failure` says.
  bool has_changed = false;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_REQUEST_H_
