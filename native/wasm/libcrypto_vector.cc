// What libcrypto of the WebAssembly build calls for AES and GHASH (script/openssl), in place of its
// own that look tables up: by the names of its C and assembler modules, which it then does not
// need. Every use of AES in libcrypto goes through here.

// These functions are deprecated for applications; this is the other side of them.
#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/aes.h>

#include "vector/aes.h"
#include "vector/ghash.h"

namespace {

using keywright::vector::AesSchedule;

// AES_KEY is memory for our schedule; only these functions know what is in it.
static_assert(sizeof(AesSchedule) <= sizeof(AES_KEY) && alignof(AesSchedule) <= alignof(AES_KEY));
AesSchedule& ScheduleIn(AES_KEY* key) { return *reinterpret_cast<AesSchedule*>(key); }
const AesSchedule& ScheduleIn(const AES_KEY* key) {
  return *reinterpret_cast<const AesSchedule*>(key);
}

template <auto kExpand>
int SetKey(const unsigned char* user_key, int bits, AES_KEY* key) {
  if (user_key == nullptr || key == nullptr) {
    return -1;
  }
  if (bits != 128 && bits != 192 && bits != 256) {
    return -2;
  }
  kExpand(user_key, static_cast<std::size_t>(bits) / 8, ScheduleIn(key));
  return 0;
}

}  // namespace

extern "C" {

int AES_set_encrypt_key(const unsigned char* user_key, int bits, AES_KEY* key) {
  return SetKey<keywright::vector::AesExpandForEncryption>(user_key, bits, key);
}

int AES_set_decrypt_key(const unsigned char* user_key, int bits, AES_KEY* key) {
  return SetKey<keywright::vector::AesExpandForDecryption>(user_key, bits, key);
}

void AES_encrypt(const unsigned char* in, unsigned char* out, const AES_KEY* key) {
  keywright::vector::AesEncryptBlock(ScheduleIn(key), in, out);
}

void AES_decrypt(const unsigned char* in, unsigned char* out, const AES_KEY* key) {
  keywright::vector::AesDecryptBlock(ScheduleIn(key), in, out);
}

// The names below are declared in private headers of libcrypto.

void AES_ctr32_encrypt(const unsigned char* in, unsigned char* out, std::size_t blocks,
                       const AES_KEY* key, const unsigned char* counter_block) {
  keywright::vector::AesCounterMode(ScheduleIn(key), counter_block, in, out, blocks);
}

void gcm_gmult_4bit(std::uint8_t* hash, const std::uint8_t* products) {
  keywright::vector::GhashMultiply(products, hash);
}

// `length` is in bytes, of whole blocks.
void gcm_ghash_4bit(std::uint8_t* hash, const std::uint8_t* products, const std::uint8_t* in,
                    std::size_t length) {
  keywright::vector::GhashUpdate(products, hash, in, length / AES_BLOCK_SIZE);
}

}  // extern "C"
