#ifndef KEYWRIGHT_CORE_KEY_PAIR_H_
#define KEYWRIGHT_CORE_KEY_PAIR_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "core/ossl_ptr.h"

namespace keywright {

// What a prepared EVP_PKEY_CTX does: an operation, and the algorithm in the numbers of its module.
enum class PairOperation : std::uint8_t {
  kSign,
  kVerify,
  kEncrypt,
  kDecrypt,
  kDerive,
  kEncapsulate,
  kDecapsulate,
};

struct PairUse {
  PairOperation operation;
  std::uint8_t algorithm = 0;
  std::uint8_t variant = 0;

  friend bool operator==(const PairUse&, const PairUse&) = default;
};

// The libcrypto side of an asymmetric key: the EVP_PKEY, and contexts that were prepared for it.
// Preparing one costs 1 to 3 µs, a tenth of a P-256 signature, so each is kept for the next call.
// They live here, and not with the thread as those of symmetric keys do, because they hold a
// reference to the private key: it must go when the key goes. Used by several threads at a time;
// a context is lent to one of them.
class KeyPair {
 public:
  KeyPair(EvpPkeyPtr pkey, bool is_public) : pkey_(std::move(pkey)), is_public_(is_public) {}
  KeyPair(const KeyPair&) = delete;
  KeyPair& operator=(const KeyPair&) = delete;
  ~KeyPair() = default;

  // libcrypto takes keys through pointers to non-const, and locks what it caches in them.
  EVP_PKEY* pkey() const { return pkey_.get(); }
  bool is_public() const { return is_public_; }

  // A context lent for one operation. GiveBack keeps it; without that it is freed, which is what a
  // failed operation wants.
  class Loan {
   public:
    Loan(const KeyPair& pair, PairUse use, EvpPkeyCtxPtr context)
        : pair_(&pair), use_(use), context_(std::move(context)) {}
    explicit operator bool() const { return context_ != nullptr; }
    EVP_PKEY_CTX* get() const { return context_.get(); }
    void GiveBack() { pair_->Keep(use_, std::move(context_)); }

   private:
    const KeyPair* pair_;
    PairUse use_;
    EvpPkeyCtxPtr context_;
  };

  // A context for `use`, made and prepared when none is idle: `prepare(EVP_PKEY_CTX*)` answers
  // whether it went well. Empty when it did not.
  template <typename Prepare>
  Loan Borrow(PairUse use, Prepare prepare) const {
    EvpPkeyCtxPtr context = TakeIdle(use);
    if (!context) {
      context = NewContext();
      if (context && !prepare(context.get())) {
        context.reset();
      }
    }
    return {*this, use, std::move(context)};
  }

 private:
  struct Idle {
    PairUse use;
    EvpPkeyCtxPtr context;
  };

  EvpPkeyCtxPtr NewContext() const;
  EvpPkeyCtxPtr TakeIdle(PairUse use) const;
  void Keep(PairUse use, EvpPkeyCtxPtr context) const;

  EvpPkeyPtr pkey_;
  bool is_public_;
  mutable std::mutex mutex_;
  mutable std::vector<Idle> idle_;
};

}  // namespace keywright

#endif  // KEYWRIGHT_CORE_KEY_PAIR_H_
