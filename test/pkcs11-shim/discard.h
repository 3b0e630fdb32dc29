#ifndef KEYWRIGHT_TEST_PKCS11_SHIM_DISCARD_H_
#define KEYWRIGHT_TEST_PKCS11_SHIM_DISCARD_H_

#include <pkcs11.h>

#include <vector>

namespace keywright::shim {

// Ends an operation whose answer nobody gets: makes `call(output, size)` with memory of its own, as
// much as it wants.
template <typename Call>
void Discard(Call call) {
  std::vector<CK_BYTE> output(1U << 16U);
  auto size = static_cast<CK_ULONG>(output.size());
  while (call(output.data(), &size) == CKR_BUFFER_TOO_SMALL && size > output.size()) {
    output.resize(size);
  }
}

}  // namespace keywright::shim

#endif  // KEYWRIGHT_TEST_PKCS11_SHIM_DISCARD_H_
