#ifndef KEYWRIGHT_TEST_PKCS11_TESTING_H_
#define KEYWRIGHT_TEST_PKCS11_TESTING_H_

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "pkcs11/perform.h"
#include "pkcs11/template.h"
#include "test/testing.h"

// Throw-away tokens of real modules, for tests of Perform.

namespace keywright::pkcs11 {

// The numbers of src/pkcs11/codes.ts that requests are made of.
inline constexpr std::uint32_t kAesGcm = 1;
inline constexpr std::uint32_t kAesWrap = 2;
inline constexpr std::uint32_t kHmac = 3;
inline constexpr std::uint32_t kPairRsa2048 = 1;
inline constexpr std::uint32_t kPairP256 = 4;
inline constexpr std::uint32_t kPairRsa2048Wrap = 9;
inline constexpr std::uint32_t kSession = 1;
inline constexpr std::uint32_t kExtractable = 2;
inline constexpr std::uint32_t kTrustedWrap = 4;

// A session of a test: opens, caches and answers as that of the pool does.
class TestSession : public Session {
 public:
  TestSession(CK_FUNCTION_LIST_PTR functions, CK_SLOT_ID slot, CK_SESSION_HANDLE handle,
              const Profile& profile)
      : functions_(functions), slot_(slot), handle_(handle), profile_(&profile) {}

  CK_FUNCTION_LIST_PTR functions() const override { return functions_; }
  CK_SESSION_HANDLE handle() const override { return handle_; }
  const Profile& profile() const override { return *profile_; }
  bool Offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS flags) const override;
  Failure FindObject(CK_OBJECT_CLASS object_class, Bytes id, CK_OBJECT_HANDLE* object) override;
  void ForgetObjects(Bytes id) override;

  void set_profile(const Profile& profile) { profile_ = &profile; }
  // Stands between Perform and the module.
  void set_functions(CK_FUNCTION_LIST_PTR functions) { functions_ = functions; }

 private:
  CK_FUNCTION_LIST_PTR functions_;
  CK_SLOT_ID slot_;
  CK_SESSION_HANDLE handle_;
  const Profile* profile_;
  std::map<std::pair<CK_OBJECT_CLASS, std::string>, CK_OBJECT_HANDLE> cache_;
};

// kCloudHsm is the module of test/pkcs11-shim, which refuses what AWS CloudHSM refuses, before a
// SoftHSM of its own.
enum class TestModule : std::uint8_t { kSoftHsm, kNss, kKryoptic, kCloudHsm };

inline std::string NameOf(TestModule module) {
  constexpr std::array kNames = {"SoftHsm", "Nss", "Kryoptic", "CloudHsm"};
  return kNames[static_cast<std::size_t>(module)];
}
inline void PrintTo(TestModule module, std::ostream* out) { *out << NameOf(module); }

// A test for each module. One token of each lives as long as the process; a module that is not
// installed skips its tests, and fails them where CI=true.
class Pkcs11Test : public testing::TestWithParam<TestModule> {
 protected:
  void SetUp() override;

  bool IsSoftHsm() const { return GetParam() == TestModule::kSoftHsm; }
  bool IsKryoptic() const { return GetParam() == TestModule::kKryoptic; }
  TestSession& session() { return *session_; }

  Reply Do(const Request& request) { return Perform(*session_, request); }
  // What is left of a reply that must have one output and no failure.
  Vector One(const Request& request);
  Reason ReasonOf(const Request& request);

  static Vector FreshId();
  // A session key that must be possible to make.
  Vector MakeSecret(std::uint32_t type, std::uint32_t flags = kSession, std::uint32_t length = 32);
  // A secret key with known bytes, which no token that matters would hold.
  Vector ImportSecret(CK_KEY_TYPE type, Bytes value);
  Vector ImportObject(Template& attributes);
  // The public part of a key of the core: RSA, on a curve, or ML-DSA.
  Vector ImportPublic(const Key& key);
  // A session pair, and its public part in the core.
  struct TokenPair {
    Vector id;
    KeyPtr public_key;
  };
  TokenPair MakePair(std::uint32_t pair_type, KeyType type);

  Generator generator_;

 private:
  TestSession* session_ = nullptr;
};

#define KEYWRIGHT_FOR_EACH_MODULE(suite)                                              \
  INSTANTIATE_TEST_SUITE_P(                                                           \
      Module, suite,                                                                  \
      testing::Values(TestModule::kSoftHsm, TestModule::kNss, TestModule::kKryoptic), \
      [](const auto& test) { return NameOf(test.param); })

PrivateBuffer Buffer(Bytes bytes);
Request MakeRequest(Operation operation, Bytes key_id, std::array<std::uint32_t, 4> numbers = {},
                    Bytes common = {}, const std::vector<Vector>& items = {});
// SubjectPublicKeyInfo.
Vector SpkiOf(const Key& key);
inline Vector Copy(const PrivateBuffer& buffer) { return keywright::Copy(buffer.bytes()); }

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_TEST_PKCS11_TESTING_H_
