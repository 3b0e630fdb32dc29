#include "pkcs11/module.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace keywright::pkcs11 {

// The modules of this process by path. Never destroyed: threads outlive static objects.
struct ModuleRegistry {
  static ModuleRegistry& Get() {
    static auto* registry = new ModuleRegistry;
    return *registry;
  }

  // Null when the module is there with other arguments.
  std::shared_ptr<Module> Take(const ModuleLocation& location) {
    const std::lock_guard lock(mutex);
    Module*& module = modules[location.path];
    if (module == nullptr) {
      module = new Module(location);
    } else if (module->location_.init_args != location.init_args) {
      return nullptr;
    }
    ++module->users_;
    return {module, [](Module* used) { Get().Return(used); }};
  }

  // Finalises under the lock, so that nobody initialises the module meanwhile.
  void Return(Module* module) {
    const std::lock_guard lock(mutex);
    if (--module->users_ == 0) {
      modules.erase(module->location_.path);
      delete module;
    }
  }

  std::mutex mutex;
  std::map<std::string, Module*, std::less<>> modules;
};

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// How long a reload waits for the threads that are in the module.
constexpr std::chrono::milliseconds kGatePatience(1000);

std::string CanonicalPath(const std::string& path) {
  // A bare name is looked up by the dynamic linker.
  if (path.find('/') == std::string::npos) {
    return path;
  }
  std::error_code failure;
  const std::filesystem::path canonical = std::filesystem::canonical(path, failure);
  return failure ? path : canonical.string();
}

#ifdef RTLD_DEEPBIND
// Whether a function of the allocator is libc's, as far as its address tells. In an executable that
// takes the address of malloc itself, all objects see that of a stub in the executable.
bool IsOfLibc(const char* function) {
  Dl_info info;
  const ElfW(Sym)* symbol = nullptr;
  void* address = dlsym(RTLD_DEFAULT, function);
  if (address == nullptr ||
      dladdr1(address, &info, const_cast<void**>(reinterpret_cast<const void**>(&symbol)),
              RTLD_DL_SYMENT) == 0) {
    return false;
  }
  if (symbol != nullptr && symbol->st_shndx == SHN_UNDEF) {
    return true;
  }
  std::string_view name(info.dli_fname);
  name = name.substr(name.rfind('/') + 1);  // the whole name when there is no slash
  return name.starts_with("libc.so") || name.starts_with("libc-");
}

// Whoever replaces malloc replaces the second one too, which nobody takes the address of.
bool IsAllocatorOfLibc() { return IsOfLibc("malloc") && IsOfLibc("malloc_usable_size"); }
#else
bool IsAllocatorOfLibc() { return false; }
#endif

int OpenFlags(Bind bind) {
  int flags = RTLD_NOW | RTLD_LOCAL;
#ifdef RTLD_DEEPBIND
  if (bind != Bind::kLocal && CanBindDeep()) {
    flags |= RTLD_DEEPBIND;
  }
#else
  static_cast<void>(bind);
#endif
  return flags;
}

}  // namespace

bool CanBindDeep() {
  static const bool can_bind = !kIsSanitized && IsAllocatorOfLibc();
  return can_bind;
}

Module::Module(ModuleLocation location) : location_(std::move(location)), process_(getpid()) {}

Module::~Module() {
  if (is_ours_ && process_ == getpid()) {
    functions_->C_Finalize(nullptr);
  }
}

Failure Module::Load(const ModuleLocation& location, std::shared_ptr<Module>* module) {
  ModuleLocation canonical = location;
  canonical.path = CanonicalPath(location.path);
  std::shared_ptr<Module> loaded = ModuleRegistry::Get().Take(canonical);
  if (!loaded) {
    return {.reason = Reason::kNoModule, .rv = CKR_CRYPTOKI_ALREADY_INITIALIZED};
  }
  const Failure failure = loaded->LoadOnce();
  if (failure.ok()) {
    *module = std::move(loaded);
  }
  return failure;
}

std::shared_ptr<Module> Module::Over(CK_FUNCTION_LIST_PTR functions) {
  auto module = std::shared_ptr<Module>(new Module({}));
  module->functions_ = functions;
  module->is_loaded_ = true;
  return module;
}

Failure Module::LoadOnce() {
  const std::lock_guard lock(loading_);
  if (process_ != getpid()) {
    return {.reason = Reason::kNoModule, .rv = CKR_FUNCTION_FAILED};
  }
  if (!is_loaded_) {
    void* library = dlopen(location_.path.c_str(), OpenFlags(location_.bind));
    if (library == nullptr) {
      return {.reason = Reason::kNoModule};
    }
    auto get_functions =
        reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    if (get_functions == nullptr || get_functions(&functions_) != CKR_OK || functions_ == nullptr ||
        functions_->version.major < 2) {
      return {.reason = Reason::kNoModule};
    }
    is_loaded_ = true;
  }
  const CK_RV rv = Initialize();
  return rv == CKR_OK ? Failure{} : Failure{.reason = Reason::kModule, .rv = rv};
}

CK_RV Module::CallInitialize() {
  CK_C_INITIALIZE_ARGS args = {};
  args.flags = CKF_OS_LOCKING_OK;
  if (!location_.init_args.empty()) {
    args.pReserved = const_cast<char*>(location_.init_args.c_str());
  }
  const CK_RV rv = functions_->C_Initialize(&args);
  if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) {
    return CKR_OK;
  }
  if (rv == CKR_OK) {
    is_ours_ = true;
    ++epoch_;
  }
  return rv;
}

CK_RV Module::Initialize() {
  // Without the lock: threads that do not come back from the module hold it.
  if (epoch_ != 0) {
    return CKR_OK;
  }
  const std::lock_guard lock(gate_);
  const CK_RV rv = CallInitialize();
  if (rv == CKR_OK && epoch_ == 0) {
    epoch_ = 1;
  }
  return rv;
}

CK_RV Module::Reload(std::uint64_t epoch, bool finalize) {
  std::unique_lock lock(gate_, std::defer_lock);
  const auto deadline = std::chrono::steady_clock::now() + kGatePatience;
  while (!lock.try_lock()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return CKR_FUNCTION_FAILED;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (epoch_ != epoch) {
    return CKR_OK;
  }
  if (finalize) {
    if (!is_ours_) {
      return CKR_FUNCTION_FAILED;
    }
    functions_->C_Finalize(nullptr);
  }
  return CallInitialize();
}

}  // namespace keywright::pkcs11
