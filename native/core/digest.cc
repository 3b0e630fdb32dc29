#include "core/digest.h"

#include "core/library_context.h"
#include "core/thread_contexts.h"

namespace keywright {

Status Digest(DigestAlgorithm algorithm, Bytes data, MutableBytes out) {
  if (out.size() != DigestSize(algorithm) || Overlaps(out, data)) {
    return Status::kInvalidArgument;
  }
  EvpMdCtxPtr& context = ThreadContexts::Current().digest;
  if (!context) {
    context.reset(EVP_MD_CTX_new());
  }
  unsigned int written = 0;
  if (context && EVP_DigestInit_ex2(context.get(), Library().digest(algorithm), nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1 &&
      EVP_DigestFinal_ex(context.get(), out.data(), &written) == 1 && written == out.size()) {
    return Status::kOk;
  }
  context.reset();
  return Fail(Status::kLibcryptoFailed);
}

}  // namespace keywright
