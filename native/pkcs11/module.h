#ifndef KEYWRIGHT_PKCS11_MODULE_H_
#define KEYWRIGHT_PKCS11_MODULE_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "pkcs11/cryptoki.h"
#include "pkcs11/failure.h"

namespace keywright::pkcs11 {

// How the symbols of a module are bound. The numbers are those of src/pkcs11/codes.ts.
enum class Bind : std::uint32_t { kDefault = 0, kDeep = 1, kLocal = 2 };

// Whether modules can keep their symbols to themselves (RTLD_DEEPBIND) in this process: not when
// malloc is another one than that of libc, which libc itself would then mix with its own, and not
// under sanitizers.
bool CanBindDeep();

struct ModuleLocation {
  std::string path;
  // pReserved of C_Initialize, as NSS softokn takes it; null pointer when empty.
  std::string init_args;
  Bind bind = Bind::kDefault;
};

// A module, loaded and initialised once in a process, whatever number of tokens and JavaScript
// environments use it. It is finalised when the last of them goes, unless somebody else had
// initialised it. It stays in memory: threads that are still ending may run its code.
//
// Every call into the module happens inside a Use.
class Module {
 public:
  // The module of `location`, initialised; the one that is loaded already when there is one. Blocks
  // as long as the module does. kNoModule when it cannot be loaded, or is loaded with other
  // arguments; kModule with what C_Initialize answered.
  static Failure Load(const ModuleLocation& location, std::shared_ptr<Module>* module);
  // One over `functions`, which live on; for tests.
  static std::shared_ptr<Module> Over(CK_FUNCTION_LIST_PTR functions);

  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  CK_FUNCTION_LIST_PTR functions() const { return functions_; }

  // Keeps the module from being reloaded while a thread is in it.
  class Use {
   public:
    explicit Use(Module& module) : lock_(module.gate_), epoch_(module.epoch_) {}
    // Changes when the module is initialised again: sessions and handles of before mean nothing.
    std::uint64_t epoch() const { return epoch_; }

   private:
    std::shared_lock<std::shared_mutex> lock_;
    std::uint64_t epoch_;
  };

  CK_RV Initialize();

  // Initialises the module again, when nobody has since `epoch`; with `finalize` it is finalised
  // before. CKR_FUNCTION_FAILED when threads do not come back from the module, or when it may not
  // be finalised because it is somebody else's.
  CK_RV Reload(std::uint64_t epoch, bool finalize);

 private:
  friend struct ModuleRegistry;

  explicit Module(ModuleLocation location);

  Failure LoadOnce();
  CK_RV CallInitialize();

  const ModuleLocation location_;
  const pid_t process_;
  std::size_t users_ = 0;  // guarded by the registry

  std::mutex loading_;
  bool is_loaded_ = false;
  CK_FUNCTION_LIST_PTR functions_ = nullptr;

  std::shared_mutex gate_;
  std::atomic<std::uint64_t> epoch_ = 0;
  // Whether it was we who initialised it.
  bool is_ours_ = false;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_MODULE_H_
