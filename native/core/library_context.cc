#include "core/library_context.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>

#include <algorithm>
#include <memory>

#include "core/ossl_ptr.h"
#include "core/private_heap.h"
#include "core/secure_heap.h"

namespace keywright {
namespace {

static_assert(OPENSSL_VERSION_NUMBER >= 0x30500000L, "OpenSSL 3.5 or newer is needed");

struct OwnedLibrary {
  OsslLibCtxPtr context;
  OsslProviderPtr provider;
  EvpCipherPtr aes_128_gcm;
  EvpCipherPtr aes_256_gcm;
  EvpCipherPtr aes_256_ecb;
  EvpCipherPtr aes_256_cbc;
  EvpKdfPtr kbkdf;
  EvpKdfPtr hkdf;
  EvpKdfPtr argon2id;
  std::array<EvpMdPtr, kDigestAlgorithmCount> digests;
  LibraryContext view;
};

// Never freed, see LibraryContext.
OwnedLibrary* library = nullptr;

bool Fetch(OwnedLibrary& owned) {
  owned.context.reset(OSSL_LIB_CTX_new());
  OSSL_LIB_CTX* context = owned.context.get();
  if (context == nullptr) {
    return false;
  }
  owned.provider.reset(OSSL_PROVIDER_load(context, "default"));
  owned.aes_128_gcm.reset(EVP_CIPHER_fetch(context, "AES-128-GCM", nullptr));
  owned.aes_256_gcm.reset(EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr));
  owned.aes_256_ecb.reset(EVP_CIPHER_fetch(context, "AES-256-ECB", nullptr));
  owned.aes_256_cbc.reset(EVP_CIPHER_fetch(context, "AES-256-CBC", nullptr));
  owned.kbkdf.reset(EVP_KDF_fetch(context, "KBKDF", nullptr));
  owned.hkdf.reset(EVP_KDF_fetch(context, "HKDF", nullptr));
  owned.argon2id.reset(EVP_KDF_fetch(context, "ARGON2ID", nullptr));
  for (const DigestAlgorithm algorithm : kDigestAlgorithms) {
    owned.digests[DigestIndex(algorithm)].reset(
        EVP_MD_fetch(context, DigestName(algorithm), nullptr));
  }
  return owned.provider && owned.aes_128_gcm && owned.aes_256_gcm && owned.aes_256_ecb &&
         owned.aes_256_cbc && owned.kbkdf && owned.hkdf && owned.argon2id &&
         std::all_of(owned.digests.begin(), owned.digests.end(),
                     [](const EvpMdPtr& digest) { return digest != nullptr; });
}

LibraryContext View(const OwnedLibrary& owned) {
  LibraryContext view{.context = owned.context.get(),
                      .aes_128_gcm = owned.aes_128_gcm.get(),
                      .aes_256_gcm = owned.aes_256_gcm.get(),
                      .aes_256_ecb = owned.aes_256_ecb.get(),
                      .aes_256_cbc = owned.aes_256_cbc.get(),
                      .kbkdf = owned.kbkdf.get(),
                      .hkdf = owned.hkdf.get(),
                      .argon2id = owned.argon2id.get(),
                      .digests = {}};
  for (std::size_t i = 0; i < kDigestAlgorithmCount; ++i) {
    view.digests[i] = owned.digests[i].get();
  }
  return view;
}

Status InitializeOnce(std::size_t secure_heap_bytes) {
  // Its first use of memory comes after this. Without the heap everything works, less protected.
  InstallPrivateHeap();
  // No atexit handler, which would free what other threads still use. No openssl.cnf: what this
  // library does must not depend on a file or variable that is meant for another OpenSSL of the
  // machine.
  if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1) {
    return Status::kLibcryptoFailed;
  }
  if (!InitializeSecureHeap(secure_heap_bytes)) {
    return Fail(Status::kOutOfSecureMemory);
  }
  auto owned = std::make_unique<OwnedLibrary>();
  if (!Fetch(*owned)) {
    return Fail(Status::kLibcryptoFailed);
  }
  owned->view = View(*owned);
  library = owned.release();
  return Status::kOk;
}

}  // namespace

Status InitializeLibrary(std::size_t secure_heap_bytes) {
  static const Status status = InitializeOnce(secure_heap_bytes);
  return status;
}

const LibraryContext& Library() { return library->view; }

Status Fail(Status status) {
  ERR_clear_error();
  return status;
}

}  // namespace keywright
