// A PKCS#11 module that stands before another one: it refuses what the HSM of its personality
// refuses, and fails as a control file says. README.md has the environment variables and the format
// of that file.
#include <dlfcn.h>
#include <pkcs11.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "cloudhsm.h"
#include "faults.h"
#include "serial.h"

namespace keywright::shim {
namespace {

const CK_FUNCTION_LIST* LoadModule(const char* path) {
  // Apart from the symbols of the process: Node.js brings an OpenSSL of its own.
  void* const module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (module == nullptr) {
    std::cerr << "pkcs11-shim: " << dlerror() << '\n';
    return nullptr;
  }
  const auto get_list = reinterpret_cast<CK_C_GetFunctionList>(dlsym(module, "C_GetFunctionList"));
  CK_FUNCTION_LIST* list = nullptr;
  if (get_list == nullptr || get_list(&list) != CKR_OK) {
    std::cerr << "pkcs11-shim: " << path << " is no PKCS#11 module\n";
    return nullptr;
  }
  return list;
}

const CK_FUNCTION_LIST* Stack() {
  const char* const path = std::getenv("KEYWRIGHT_SHIM_MODULE");
  if (path == nullptr) {
    std::cerr << "pkcs11-shim: KEYWRIGHT_SHIM_MODULE names no module\n";
    return nullptr;
  }
  const CK_FUNCTION_LIST* module = LoadModule(path);
  if (module != nullptr && std::getenv("KEYWRIGHT_SHIM_SERIAL") != nullptr) {
    module = OneCallAtATime(module);
  }
  const char* const personality = std::getenv("KEYWRIGHT_SHIM_PERSONALITY");
  if (module != nullptr && personality != nullptr) {
    const std::string_view name(personality);
    if (name != "cloudhsm" && name != "cloudhsm-single-hsm") {
      std::cerr << "pkcs11-shim: there is no personality " << name << '\n';
      return nullptr;
    }
    module = WithCloudHsm(module, name == "cloudhsm-single-hsm");
  }
  return module == nullptr ? nullptr
                           : WithFaults(module, std::getenv("KEYWRIGHT_SHIM_FAULTS"),
                                        std::getenv("KEYWRIGHT_SHIM_COUNTS"));
}

}  // namespace
}  // namespace keywright::shim

// The only symbol of the library. The environment is read here, so whoever loads the module anew
// may change it.
extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(
    CK_FUNCTION_LIST_PTR_PTR ppFunctionList) {
  if (ppFunctionList == nullptr) {
    return CKR_ARGUMENTS_BAD;
  }
  const CK_FUNCTION_LIST* const list = keywright::shim::Stack();
  if (list == nullptr) {
    return CKR_GENERAL_ERROR;
  }
  *ppFunctionList = const_cast<CK_FUNCTION_LIST_PTR>(list);
  return CKR_OK;
}
