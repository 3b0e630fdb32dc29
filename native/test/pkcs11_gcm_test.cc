#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/aead.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

class Pkcs11Gcm : public Pkcs11Test {
 protected:
  static Request Encrypt(Bytes id, Bytes aad, const std::vector<Vector>& plaintexts) {
    return MakeRequest(Operation::kEncryptGcm, id, {}, aad, plaintexts);
  }
  static Request Decrypt(Bytes id, Bytes aad, const std::vector<Vector>& sealed) {
    return MakeRequest(Operation::kDecryptGcm, id, {}, aad, sealed);
  }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11Gcm);

constexpr Sizes kLengths = {0, 1, 15, 16, 17, 4096, 70000};

TEST_P(Pkcs11Gcm, DecryptsWhatItEncrypted) {
  const Vector id = MakeSecret(kAesGcm);
  for (const std::size_t length : kLengths) {
    const Vector plaintext = generator_.Octets(length);
    const Vector aad = generator_.Octets(0, 40);
    const Vector sealed = One(Encrypt(id, aad, {plaintext}));
    EXPECT_EQ(sealed.size(), length + kAeadOverheadBytes);
    EXPECT_EQ(One(Decrypt(id, aad, {sealed})), plaintext);
  }
}

TEST_P(Pkcs11Gcm, AgreesWithTheCoreInBothDirections) {
  const Vector bytes = generator_.Octets(32);
  const KeyPtr key = MakeKey(KeyType::kAesGcm, bytes);
  const Vector id = ImportSecret(CKK_AES, bytes);
  for (const std::size_t length : kLengths) {
    const Vector plaintext = generator_.Octets(length);
    const Vector aad = generator_.Octets(0, 40);
    Vector opened(length);
    EXPECT_EQ(AeadDecrypt(*key, One(Encrypt(id, aad, {plaintext})), aad, opened), Status::kOk);
    EXPECT_EQ(opened, plaintext);
    Vector sealed(length + kAeadOverheadBytes);
    ASSERT_EQ(AeadEncrypt(*key, plaintext, aad, sealed), Status::kOk);
    EXPECT_EQ(One(Decrypt(id, aad, {sealed})), plaintext);
  }
}

TEST_P(Pkcs11Gcm, RefusesEveryChangedByte) {
  const Vector id = MakeSecret(kAesGcm);
  const Vector aad = {1, 2, 3};
  const Vector sealed = One(Encrypt(id, aad, {generator_.Octets(20)}));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Vector changed = sealed;
    changed[i] ^= static_cast<std::uint8_t>(generator_.Number(1, 255));
    EXPECT_EQ(ReasonOf(Decrypt(id, aad, {changed})), Reason::kAuthenticationFailed) << i;
  }
  EXPECT_EQ(ReasonOf(Decrypt(id, Vector{1, 2}, {sealed})), Reason::kAuthenticationFailed);
  EXPECT_EQ(ReasonOf(Decrypt(MakeSecret(kAesGcm), aad, {sealed})), Reason::kAuthenticationFailed);
  EXPECT_EQ(One(Decrypt(id, aad, {sealed})).size(), 20U);
}

// SoftHSM would take tags of no bytes at all.
TEST_P(Pkcs11Gcm, RefusesWhatIsTooShortToHaveIvAndTag) {
  const Vector id = MakeSecret(kAesGcm);
  const Vector sealed = One(Encrypt(id, {}, {Vector()}));
  ASSERT_EQ(sealed.size(), kAeadOverheadBytes);
  for (std::size_t length = 0; length < sealed.size(); ++length) {
    const Vector cut(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(ReasonOf(Decrypt(id, {}, {cut})), Reason::kAuthenticationFailed);
  }
}

TEST_P(Pkcs11Gcm, NeverUsesAnIvTwice) {
  const Vector id = MakeSecret(kAesGcm);
  std::map<std::string, int> ivs;
  const Reply reply = Do(Encrypt(id, {}, std::vector<Vector>(200, Vector{7})));
  for (const PrivateBuffer& sealed : reply.outputs) {
    ++ivs[AsString(sealed.bytes().first(12))];
  }
  EXPECT_EQ(ivs.size(), 200U);
}

TEST_P(Pkcs11Gcm, TellsWhichItemsOfABatchDoNotOpen) {
  const Vector id = MakeSecret(kAesGcm);
  std::vector<Vector> plaintexts;
  for (std::size_t i = 0; i < 9; ++i) {
    plaintexts.push_back(generator_.Octets(0, 100));
  }
  const Vector aad = {9};
  const Reply encrypted = Do(Encrypt(id, aad, plaintexts));
  ASSERT_EQ(encrypted.outputs.size(), plaintexts.size());
  EXPECT_TRUE(encrypted.failures.empty());
  std::vector<Vector> sealed;
  for (const PrivateBuffer& output : encrypted.outputs) {
    sealed.push_back(Copy(output));
  }
  sealed[3].back() ^= 1;
  sealed[8].clear();
  const Reply opened = Do(Decrypt(id, aad, sealed));
  EXPECT_TRUE(opened.failure.ok());
  ASSERT_EQ(opened.failures.size(), sealed.size());
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    const bool is_changed = i == 3 || i == 8;
    EXPECT_EQ(opened.failures[i].reason,
              is_changed ? Reason::kAuthenticationFailed : Reason::kNone);
    EXPECT_EQ(Copy(opened.outputs[i]), is_changed ? Vector() : plaintexts[i]);
  }
}

TEST_P(Pkcs11Gcm, TellsOfAKeyThatIsNotThereAndOfOneForOtherUses) {
  EXPECT_EQ(ReasonOf(Encrypt(FreshId(), {}, {Vector{1}})), Reason::kKeyNotFound);
  const Vector wrapping = MakeSecret(kAesWrap);
  const Reply reply = Do(Encrypt(wrapping, {}, {Vector{1}}));
  EXPECT_EQ(reply.failure.reason, Reason::kModule);
  EXPECT_EQ(reply.failure.mechanism, CKM_AES_GCM);
  EXPECT_NE(reply.failure.rv, CKR_OK);
}

// An HSM that makes IVs, in place of the module's own function.
CK_FUNCTION_LIST_PTR below = nullptr;
bool forgets_iv = false;

CK_RV EncryptInitMakingIv(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                          CK_OBJECT_HANDLE key) {
  auto* parameters = static_cast<CK_GCM_PARAMS*>(mechanism->pParameter);
  const std::uint8_t zero[12] = {};
  if (parameters->ulIvLen != sizeof(zero) ||
      !std::equal(std::begin(zero), std::end(zero), parameters->pIv)) {
    return CKR_MECHANISM_PARAM_INVALID;
  }
  if (!forgets_iv) {
    std::memset(parameters->pIv, 0x42, sizeof(zero));
  }
  return below->C_EncryptInit(session, mechanism, key);
}

TEST_P(Pkcs11Gcm, TakesTheIvThatAnHsmMakesAndRefusesNone) {
  const Vector id = MakeSecret(kAesGcm);
  const Profile& own = session().profile();
  Profile profile = own;
  profile.makes_gcm_iv = true;
  profile.max_data_bytes = 100;
  below = session().functions();
  CK_FUNCTION_LIST functions = *below;
  functions.C_EncryptInit = EncryptInitMakingIv;
  session().set_profile(profile);
  session().set_functions(&functions);
  forgets_iv = false;
  const Vector sealed = One(Encrypt(id, {}, {Vector(100)}));
  EXPECT_EQ(Vector(sealed.begin(), sealed.begin() + 12), Vector(12, 0x42));
  EXPECT_EQ(One(Decrypt(id, {}, {sealed})), Vector(100));
  // The limit is the HSM's, and is not left to it.
  EXPECT_EQ(ReasonOf(Encrypt(id, {}, {Vector(101)})), Reason::kTooLong);
  EXPECT_EQ(ReasonOf(Decrypt(id, {}, {Vector(129)})), Reason::kTooLong);
  forgets_iv = true;
  EXPECT_EQ(ReasonOf(Encrypt(id, {}, {Vector(100)})), Reason::kNotOffered);
  session().set_functions(below);
  session().set_profile(own);
}

}  // namespace
}  // namespace keywright::pkcs11
