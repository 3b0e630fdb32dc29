#include "test/pkcs11_testing.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/asymmetric_type.h"
#include "core/der.h"
#include "core/key_pair_codec.h"
#include "pkcs11/der_integer.h"
#include "pkcs11/key_objects.h"
#include "pkcs11/public_key_der.h"

namespace keywright::pkcs11 {
namespace {

// As CloudHSM wants it: the name of a user, and a password.
constexpr std::string_view kPin = "keywright:correct-horse";
constexpr std::string_view kLabel = "keywright test";

// Where distributions put them, and builds from source.
constexpr std::array kSoftHsmPaths = {
    "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"};

// Removed with the process.
class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "keywright-pkcs11-XXXXXX";
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

CK_UTF8CHAR_PTR Text(std::string_view text) {
  return reinterpret_cast<CK_UTF8CHAR_PTR>(const_cast<char*>(text.data()));
}

// A module with one token, and a session in it.
class Token {
 public:
  explicit Token(TestModule module) {
    switch (module) {
      case TestModule::kSoftHsm:
        problem_ = OpenSoftHsm();
        break;
      case TestModule::kNss:
        problem_ = OpenNss();
        break;
      case TestModule::kKryoptic:
        problem_ = OpenKryoptic();
        break;
      case TestModule::kCloudHsm:
        problem_ = OpenCloudHsm();
        break;
    }
    if (problem_.empty()) {
      problem_ = Login(module);
    }
  }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() {
    if (functions_ != nullptr) {
      functions_->C_Finalize(nullptr);
    }
  }

  // Empty when there is a session.
  const std::string& problem() const { return problem_; }
  TestSession* session() const { return session_.get(); }

 private:
  std::string Load(const char* path, void* reserved = nullptr) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return std::string("not installed: ") + path;
    }
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    CK_C_INITIALIZE_ARGS arguments = {};
    arguments.flags = CKF_OS_LOCKING_OK;
    arguments.pReserved = reserved;
    if (get == nullptr || get(&functions_) != CKR_OK ||
        functions_->C_Initialize(&arguments) != CKR_OK) {
      functions_ = nullptr;
      return "the module does not start";
    }
    return "";
  }

  // Loads a copy, so that a process has several modules, and makes a token with `pin_`.
  std::string OpenSoftHsm() {
    const auto* const path =
        std::find_if(kSoftHsmPaths.begin(), kSoftHsmPaths.end(),
                     [](const char* candidate) { return std::filesystem::exists(candidate); });
    if (path == kSoftHsmPaths.end()) {
      return std::string("not installed: ") + kSoftHsmPaths[0];
    }
    const std::string configuration = folder_.path() + "/softhsm2.conf";
    softhsm_ = folder_.path() + "/libsofthsm2.so";
    std::filesystem::copy_file(*path, softhsm_);
    std::filesystem::create_directory(folder_.path() + "/tokens");
    std::ofstream(configuration) << "directories.tokendir = " << folder_.path() << "/tokens\n"
                                 << "log.level = ERROR\n";
    setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
    if (std::string problem = Load(softhsm_.c_str()); !problem.empty()) {
      return problem;
    }
    return InitializeToken(0);
  }

  std::string OpenKryoptic() {
    const char* path = std::getenv("KEYWRIGHT_KRYOPTIC");
    if (path == nullptr) {
      return "KEYWRIGHT_KRYOPTIC does not name the module that script/kryoptic builds";
    }
    const std::string configuration = folder_.path() + "/kryoptic.toml";
    std::ofstream(configuration) << "[[slots]]\nslot = 7\ndbtype = \"sqlite\"\ndbargs = \""
                                 << folder_.path() << "/token.sql\"\n";
    setenv("KRYOPTIC_CONF", configuration.c_str(), 1);
    const std::string problem = Load(path);
    return problem.empty() ? InitializeToken(7) : problem;
  }

  std::string InitializeToken(CK_SLOT_ID slot) {
    std::array<CK_UTF8CHAR, 32> label;
    label.fill(' ');
    std::copy(kLabel.begin(), kLabel.end(), label.begin());
    if (functions_->C_InitToken(slot, Text(kPin), kPin.size(), label.data()) != CKR_OK) {
      return "the module makes no token";
    }
    FindSlot();
    return InitializePin(kPin);
  }

  // SoftHSM's token has another slot once it is initialised.
  void FindSlot() {
    std::array<CK_SLOT_ID, 2> slots;
    CK_ULONG count = slots.size();
    functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    slot_ = slots[0];
  }

  std::string OpenCloudHsm() {
    const char* shim = std::getenv("KEYWRIGHT_PKCS11_SHIM");
    if (shim == nullptr) {
      return "KEYWRIGHT_PKCS11_SHIM does not name the module of test/pkcs11-shim";
    }
    if (std::string problem = OpenSoftHsm(); !problem.empty()) {
      return problem;
    }
    functions_->C_Finalize(nullptr);
    setenv("KEYWRIGHT_SHIM_MODULE", softhsm_.c_str(), 1);
    setenv("KEYWRIGHT_SHIM_PERSONALITY", "cloudhsm", 1);
    if (std::string problem = Load(shim); !problem.empty()) {
      return problem;
    }
    FindSlot();
    return OpenSession();
  }

  std::string OpenNss() {
    std::string parameters = "configdir='sql:" + folder_.path() +
                             "' certPrefix='' keyPrefix='' secmod='secmod.db' flags=";
    if (std::string problem = Load("libsoftokn3.so", parameters.data()); !problem.empty()) {
      return problem;
    }
    slot_ = 2;  // that with keys; the first one only computes
    return InitializePin("");
  }

  std::string OpenSession() {
    return functions_->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                     &handle_) == CKR_OK
               ? ""
               : "the token opens no session";
  }

  std::string InitializePin(std::string_view so_pin) {
    if (std::string problem = OpenSession(); !problem.empty()) {
      return problem;
    }
    return functions_->C_Login(handle_, CKU_SO, Text(so_pin), so_pin.size()) == CKR_OK &&
                   functions_->C_InitPIN(handle_, Text(kPin), kPin.size()) == CKR_OK &&
                   functions_->C_Logout(handle_) == CKR_OK
               ? ""
               : "the token takes no PIN";
  }

  std::string Login(TestModule module) {
    if (functions_->C_Login(handle_, CKU_USER, Text(kPin), kPin.size()) != CKR_OK) {
      return "the token lets nobody in";
    }
    constexpr std::array kProfiles = {ProfileCode::kSoftHsm, ProfileCode::kNss,
                                      ProfileCode::kGeneric, ProfileCode::kCloudHsm};
    const ProfileCode code = kProfiles[static_cast<std::size_t>(module)];
    profile_ = *FindProfile(static_cast<std::uint32_t>(code));
    if (module == TestModule::kKryoptic) {
      profile_.bad_ciphertext = CKR_DEVICE_ERROR;
    }
    if (module == TestModule::kCloudHsm) {
      // What AWS does not document is answered by the SoftHSM behind.
      profile_.bad_ciphertext = CKR_GENERAL_ERROR;
    }
    session_ = std::make_unique<TestSession>(functions_, slot_, handle_, profile_);
    return "";
  }

  Folder folder_;
  std::string softhsm_;
  CK_FUNCTION_LIST_PTR functions_ = nullptr;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
  Profile profile_ = {};
  std::unique_ptr<TestSession> session_;
  std::string problem_;
};

// Modules are finalised before the process ends: what ends it takes down their libraries too.
class Tokens : public testing::Environment {
 public:
  static Token& Of(TestModule module) {
    std::unique_ptr<Token>& token = tokens_[module];
    if (!token) {
      token = std::make_unique<Token>(module);
    }
    return *token;
  }
  void TearDown() override { tokens_.clear(); }

 private:
  static inline std::map<TestModule, std::unique_ptr<Token>> tokens_;
};

const testing::Environment* const kTokens = testing::AddGlobalTestEnvironment(new Tokens);

}  // namespace

bool TestSession::Offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const {
  CK_MECHANISM_INFO info;
  return functions_->C_GetMechanismInfo(slot_, mechanism, &info) == CKR_OK &&
         (info.flags & flags) == flags;
}

Failure TestSession::FindObject(CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE* object) {
  const auto key = std::make_pair(object_class, AsString(id));
  if (const auto known = cache_.find(key); known != cache_.end()) {
    *object = known->second;
    return {};
  }
  std::vector<CK_OBJECT_HANDLE> found;
  const Failure failure = SearchClass(*this, object_class, id, 1, found);
  if (!failure.ok() || found.empty()) {
    return failure.ok() ? Failure{.reason = Reason::kKeyNotFound} : failure;
  }
  *object = cache_[key] = found[0];
  return {};
}

void TestSession::ForgetObjects(Bytes id) {
  for (const CK_OBJECT_CLASS object_class : kKeyClasses) {
    cache_.erase({object_class, AsString(id)});
  }
}

void Pkcs11Test::SetUp() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  if (GetParam() == TestModule::kCloudHsm) {
    GTEST_SKIP() << "the module of test/pkcs11-shim binds deeply, which sanitizers refuse";
  }
#endif
  Token& token = Tokens::Of(GetParam());
  session_ = token.session();
  if (session_ != nullptr) {
    return;
  }
  const char* ci = std::getenv("CI");
  if (ci != nullptr && std::string_view(ci) == "true") {
    FAIL() << token.problem();
  }
  GTEST_SKIP() << token.problem();
}

Vector Pkcs11Test::One(const Request& request) {
  const Reply reply = Do(request);
  EXPECT_EQ(reply.failure.reason, Reason::kNone)
      << std::hex << reply.failure.rv << " of mechanism " << reply.failure.mechanism;
  EXPECT_TRUE(reply.failures.empty());
  EXPECT_EQ(reply.outputs.size(), 1U);
  return reply.outputs.empty() ? Vector() : Copy(reply.outputs[0]);
}

Reason Pkcs11Test::ReasonOf(const Request& request) {
  const Reply reply = Do(request);
  if (!reply.failure.ok()) {
    EXPECT_TRUE(reply.outputs.empty());
    return reply.failure.reason;
  }
  return reply.failures.empty() ? Reason::kNone : reply.failures[0].reason;
}

// The same in no two tests, which share a token.
Vector Pkcs11Test::FreshId() {
  static std::uint32_t number = 0;
  Vector id(16);
  StoreBigEndian32(++number, id.data());
  return id;
}

Vector Pkcs11Test::MakeSecret(std::uint32_t type, std::uint32_t flags, std::uint32_t length) {
  const Vector id = FreshId();
  const Reply reply = Do(MakeRequest(Operation::kGenerateSecretKey, id, {type, flags, length}));
  EXPECT_EQ(reply.failure.reason, Reason::kNone) << std::hex << reply.failure.rv;
  return id;
}

Vector Pkcs11Test::ImportSecret(CK_KEY_TYPE type, Bytes value) {
  Template attributes;
  attributes.AddNumber(CKA_CLASS, CKO_SECRET_KEY);
  attributes.AddNumber(CKA_KEY_TYPE, type);
  attributes.AddBytes(CKA_VALUE, value);
  attributes.AddFlag(CKA_EXTRACTABLE, true);
  for (const CK_ATTRIBUTE_TYPE usage :
       {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY}) {
    attributes.AddFlag(usage, true);
  }
  return ImportObject(attributes);
}

Vector Pkcs11Test::ImportObject(Template& attributes) {
  Vector id = FreshId();
  attributes.AddFlag(CKA_TOKEN, false);
  attributes.AddBytes(CKA_ID, id);
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  EXPECT_EQ(session_->functions()->C_CreateObject(session_->handle(), attributes.data(),
                                                  attributes.size(), &object),
            CKR_OK);
  return id;
}

Vector SpkiOf(const Key& key) {
  Vector spki(kMaxSpkiBytes);
  spki.resize(keywright::ExportPublicKey(key, spki).value());
  return spki;
}

Vector Pkcs11Test::ImportPublic(const Key& key) {
  const Vector spki = SpkiOf(key);
  const AsymmetricType& type = AsymmetricTypeOf(key.type());
  Template attributes;
  attributes.AddNumber(CKA_CLASS, CKO_PUBLIC_KEY);
  attributes.AddFlag(CKA_VERIFY, true);
  DerBytes point;
  if (type.family == Family::kRsa) {
    const RsaNumbers rsa = RsaNumbersOf(spki).value();
    attributes.AddNumber(CKA_KEY_TYPE, CKK_RSA);
    attributes.AddBytes(CKA_MODULUS, rsa.modulus);
    attributes.AddBytes(CKA_PUBLIC_EXPONENT, rsa.public_exponent);
    attributes.AddFlag(CKA_ENCRYPT, true);
    attributes.AddFlag(CKA_WRAP, true);
  } else if (type.family == Family::kMlDsa) {
    attributes.AddNumber(CKA_KEY_TYPE, kKeyTypeMlDsa);
    attributes.AddNumber(kAttributeParameterSet, static_cast<CK_ULONG>(key.type()) -
                                                     static_cast<CK_ULONG>(KeyType::kMlDsa44) + 1);
    attributes.AddBytes(CKA_VALUE, Bytes(spki).last(type.public_bytes));
  } else {
    point = DerValue(DerTag::kOctetString, {Bytes(spki).last(type.public_bytes)});
    attributes.AddNumber(CKA_KEY_TYPE, type.family == Family::kEc ? CKK_EC : kKeyTypeEcEdwards);
    attributes.AddBytes(CKA_EC_PARAMS, EcParametersOf(key.type()));
    attributes.AddBytes(CKA_EC_POINT, point);
  }
  return ImportObject(attributes);
}

Pkcs11Test::TokenPair Pkcs11Test::MakePair(std::uint32_t pair_type, KeyType type) {
  const Vector id = FreshId();
  const Vector spki = One(MakeRequest(Operation::kGenerateKeyPair, id, {pair_type, kSession}));
  Result<KeyPtr> key = ImportPublicKey(type, spki);
  EXPECT_TRUE(key.ok());
  return {.id = id, .public_key = key.ok() ? key.value() : nullptr};
}

PrivateBuffer Buffer(Bytes bytes) { return PrivateBuffer::CopyOf(bytes).value(); }

Request MakeRequest(Operation operation, Bytes key_id, std::array<std::uint32_t, 4> numbers,
                    Bytes common, const std::vector<Vector>& items) {
  Request request;
  request.operation = operation;
  request.key_id = Buffer(key_id);
  request.numbers = numbers;
  request.common = Buffer(common);
  for (const Vector& item : items) {
    request.items.push_back(Buffer(item));
  }
  return request;
}

}  // namespace keywright::pkcs11
