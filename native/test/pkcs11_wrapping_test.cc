#include "core/aead.h"
#include "core/import_key.h"
#include "core/key_pair_codec.h"
#include "core/key_wrap.h"
#include "core/mac.h"
#include "core/public_encryption.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

// WRAP_CODES of src/pkcs11/codes.ts.
constexpr std::uint32_t kKw = 1;
constexpr std::uint32_t kKwp = 2;
constexpr std::uint32_t kOaepSha1 = 3;
constexpr std::uint32_t kOaepSha256 = 4;
constexpr std::uint32_t kRsaAesSha1 = 5;
constexpr std::uint32_t kRsaAesSha256 = 6;

class Pkcs11Wrapping : public Pkcs11Test {
 protected:
  static Request Wrap(Bytes wrapping_id, std::uint32_t method, Bytes id) {
    return MakeRequest(Operation::kWrapKey, wrapping_id, {method}, id);
  }
  static Request Unwrap(Bytes wrapping_id, std::uint32_t method, const Vector& wrapped, Bytes id,
                        std::uint32_t type = kAesGcm, std::uint32_t flags = kSession) {
    return MakeRequest(Operation::kUnwrapKey, wrapping_id,
                       {method, type, flags, static_cast<std::uint32_t>(id.size())},
                       Concat({id, AsBytes("label")}), {wrapped});
  }
  bool IsOffered(std::uint32_t method) const {
    return !IsSoftHsm() || (method != kOaepSha256 && method != kRsaAesSha256);
  }
  // Whether the token's key and the core's are the same.
  void ExpectSame(Bytes id, const Key& key) {
    const Vector sealed = One(MakeRequest(Operation::kEncryptGcm, id, {}, {}, {Vector{1, 2, 3}}));
    Vector opened(3);
    EXPECT_EQ(AeadDecrypt(key, sealed, {}, opened), Status::kOk);
  }
  // The key of the token in the core.
  static Result<KeyPtr> Open(const Key& kek, std::uint32_t method, Bytes wrapped, KeyType type) {
    return method == kKw ? KwUnwrap(kek, wrapped, type) : KwpUnwrap(kek, wrapped, type);
  }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11Wrapping);

TEST_P(Pkcs11Wrapping, WrapsUnderAesAsTheCoreDoes) {
  const Vector bytes = generator_.Octets(32);
  const Vector kek_id = ImportSecret(CKK_AES, bytes);
  for (const std::uint32_t method : {kKw, kKwp}) {
    const KeyType kek_type = method == kKw ? KeyType::kAesKw : KeyType::kAesKwp;
    const KeyPtr kek = MakeKey(kek_type, bytes);
    const Vector id = MakeSecret(kAesGcm, kSession | kExtractable);
    const Vector wrapped = One(Wrap(kek_id, method, id));
    EXPECT_EQ(wrapped.size(), 40U);
    const Result<KeyPtr> opened = Open(*kek, method, wrapped, KeyType::kAesGcm);
    ASSERT_TRUE(opened.ok()) << method;
    ExpectSame(id, *opened.value());

    const KeyPtr fresh = FreshKey(KeyType::kAesGcm);
    Vector theirs(40);
    ASSERT_EQ(method == kKw ? KwWrap(*kek, *fresh, theirs) : KwpWrap(*kek, *fresh, theirs),
              Status::kOk);
    const Vector new_id = FreshId();
    EXPECT_EQ(ReasonOf(Unwrap(kek_id, method, theirs, new_id)), Reason::kNone);
    ExpectSame(new_id, *fresh);
  }
}

TEST_P(Pkcs11Wrapping, PadsKeysOfEveryLengthAsRfc5649Says) {
  const Vector bytes = generator_.Octets(32);
  const Vector kek_id = ImportSecret(CKK_AES, bytes);
  const KeyPtr kek = MakeKey(KeyType::kAesKwp, bytes);
  for (std::uint32_t length = 16; length < 34; ++length) {
    const KeyPtr key = FreshKey(KeyType::kHmac, length);
    Vector wrapped(KwpWrappedSize(length));
    ASSERT_EQ(KwpWrap(*kek, *key, wrapped), Status::kOk);
    const Vector id = FreshId();
    ASSERT_EQ(ReasonOf(Unwrap(kek_id, kKwp, wrapped, id, kHmac, kSession | kExtractable)),
              Reason::kNone)
        << length;
    if (!IsSoftHsm()) {
      EXPECT_EQ(One(Wrap(kek_id, kKwp, id)), wrapped) << length;
    }
    if (length >= 32) {  // what SoftHSM asks for
      Vector mac(32);
      ASSERT_EQ(Hmac(*key, DigestAlgorithm::kSha256, {}, mac), Status::kOk);
      EXPECT_EQ(One(MakeRequest(Operation::kGenerateMac, id, {2}, {}, {Vector()})), mac);
    }
  }
}

// SoftHSM would wrap more than the key.
TEST_P(Pkcs11Wrapping, WrapsNothingThatAModuleWouldPadWrongly) {
  const Vector bytes = generator_.Octets(32);
  const Vector kek_id = ImportSecret(CKK_AES, bytes);
  const KeyPtr kek = MakeKey(KeyType::kAesKwp, bytes);
  for (std::uint32_t length = 32; length <= 48; ++length) {
    const Vector id = MakeSecret(kHmac, kSession | kExtractable, length);
    const Request request = Wrap(kek_id, kKwp, id);
    if (IsSoftHsm() && length % 8 != 0) {
      const Reply reply = Do(request);
      EXPECT_EQ(reply.failure.reason, Reason::kNotOffered);
      EXPECT_EQ(reply.failure.mechanism, CKM_AES_KEY_WRAP_PAD);
      continue;
    }
    const Result<KeyPtr> opened = KwpUnwrap(*kek, One(request), KeyType::kHmac);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened.value()->size(), length);
  }
}

TEST_P(Pkcs11Wrapping, WrapsUnderRsaAsTheCoreDoes) {
  const KeyPtr other = GenerateKeyPair(KeyType::kRsa2048).value();
  const Vector other_id = ImportPublic(*other);
  const TokenPair pair = MakePair(kPairRsa2048Wrap, KeyType::kRsa2048);
  for (const std::uint32_t method : {kOaepSha1, kOaepSha256, kRsaAesSha1, kRsaAesSha256}) {
    if (!IsOffered(method)) {
      continue;
    }
    const bool is_rsa_aes = method >= kRsaAesSha1;
    const bool is_sha1 = method == kOaepSha1 || method == kRsaAesSha1;
    const Vector id = MakeSecret(kAesGcm, kSession | kExtractable);
    const Vector wrapped = One(Wrap(other_id, method, id));
    EXPECT_EQ(wrapped.size(), is_rsa_aes ? 296U : 256U);
    const auto algorithm = static_cast<WrappingAlgorithm>(
        static_cast<std::uint32_t>(is_rsa_aes ? WrappingAlgorithm::kRsaAesKeyWrapSha1
                                              : WrappingAlgorithm::kRsaesOaepSha1) +
        (is_sha1 ? 0 : 1));
    const Result<KeyPtr> opened = UnwrapImported(*other, algorithm, wrapped, KeyType::kAesGcm, 32);
    ASSERT_TRUE(opened.ok()) << method;
    ExpectSame(id, *opened.value());

    const Vector secret = generator_.Octets(32);
    const Vector transport = generator_.Octets(32);
    Vector theirs(kMaxPublicCiphertextBytes);
    theirs.resize(PublicEncrypt(*pair.public_key,
                                is_sha1 ? EncryptionAlgorithm::kRsaesOaepSha1
                                        : EncryptionAlgorithm::kRsaesOaepSha256,
                                is_rsa_aes ? transport : secret, theirs)
                      .value());
    if (is_rsa_aes) {
      Vector tail(40);
      ASSERT_EQ(
          KwpWrap(*MakeKey(KeyType::kAesKwp, transport), *MakeKey(KeyType::kAesGcm, secret), tail),
          Status::kOk);
      theirs = Concat({theirs, tail});
    }
    const Vector new_id = FreshId();
    EXPECT_EQ(ReasonOf(Unwrap(pair.id, method, theirs, new_id)), Reason::kNone) << method;
    ExpectSame(new_id, *MakeKey(KeyType::kAesGcm, secret));
  }
}

TEST_P(Pkcs11Wrapping, RefusesWhatIsChangedOrCut) {
  const Vector kek_id = MakeSecret(kAesWrap);
  const TokenPair pair = MakePair(kPairRsa2048Wrap, KeyType::kRsa2048);
  const Vector id = MakeSecret(kAesGcm, kSession | kExtractable);
  const std::size_t before = Do(MakeRequest(Operation::kFindKeys, {})).outputs.size();
  for (const std::uint32_t method : {kKw, kKwp, kOaepSha1, kOaepSha256, kRsaAesSha1}) {
    if (!IsOffered(method)) {
      continue;
    }
    const Vector& wrapping_id = method <= kKwp ? kek_id : pair.id;
    const Vector wrapped = One(Wrap(wrapping_id, method, id));
    for (int round = 0; round < 20; ++round) {
      Vector changed = wrapped;
      changed[generator_.Number(0, changed.size() - 1)] ^=
          static_cast<std::uint8_t>(generator_.Number(1, 255));
      EXPECT_EQ(ReasonOf(Unwrap(wrapping_id, method, changed, FreshId())),
                Reason::kAuthenticationFailed)
          << method;
    }
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, wrapped.size() - 8, wrapped.size() - 1}) {
      const Reply reply =
          Do(Unwrap(wrapping_id, method,
                    Vector(wrapped.begin(), wrapped.begin() + static_cast<std::ptrdiff_t>(length)),
                    FreshId()));
      EXPECT_EQ(reply.failure.reason, Reason::kAuthenticationFailed)
          << method << " " << length << std::hex << " " << reply.failure.rv;
    }
  }
  // Nothing stays of them, nor of the keys in between.
  EXPECT_EQ(Do(MakeRequest(Operation::kFindKeys, {})).outputs.size(), before);
}

TEST_P(Pkcs11Wrapping, RefusesKeysOfLengthsThatItWouldNotMake) {
  const Vector bytes = generator_.Octets(32);
  const Vector kek_id = ImportSecret(CKK_AES, bytes);
  const KeyPtr kek = MakeKey(KeyType::kAesKwp, bytes);
  for (const auto& [type, length] : {std::pair(kAesGcm, 16U), std::pair(kAesWrap, 24U),
                                     std::pair(kHmac, 15U), std::pair(kHmac, 129U)}) {
    Vector wrapped(KwpWrappedSize(length));
    ASSERT_EQ(KwpWrap(*kek, *FreshKey(KeyType::kHmac, length), wrapped), Status::kOk);
    if (IsSoftHsm() && length == 15) {
      continue;  // it does not tell, and 16 bytes are wrapped in as many
    }
    const Vector id = FreshId();
    EXPECT_EQ(ReasonOf(Unwrap(kek_id, kKwp, wrapped, id, type)), Reason::kAuthenticationFailed)
        << length;
    EXPECT_TRUE(Do(MakeRequest(Operation::kFindKeys, id)).outputs.empty());
  }
}

TEST_P(Pkcs11Wrapping, KeepsKeysInTheTokenThatMustNotLeaveIt) {
  const Vector kek_id = MakeSecret(kAesWrap);
  const Vector id = MakeSecret(kAesGcm);
  const Reply reply = Do(Wrap(kek_id, kKwp, id));
  EXPECT_EQ(reply.failure.reason, Reason::kModule);
  EXPECT_EQ(reply.failure.rv, CKR_KEY_UNEXTRACTABLE);
  // One that came wrapped stays as well, unless it was to be extractable.
  const Vector wrapped = One(Wrap(kek_id, kKwp, MakeSecret(kAesGcm, kSession | kExtractable)));
  const Vector new_id = FreshId();
  ASSERT_EQ(ReasonOf(Unwrap(kek_id, kKwp, wrapped, new_id)), Reason::kNone);
  EXPECT_EQ(ReasonOf(Wrap(kek_id, kKwp, new_id)), Reason::kModule);
  EXPECT_EQ(ReasonOf(Unwrap(kek_id, kKwp, wrapped, new_id)), Reason::kKeyExists);
}

TEST_P(Pkcs11Wrapping, WrapsPrivateKeys) {
  const Vector bytes = generator_.Octets(32);
  const Vector kek_id = ImportSecret(CKK_AES, bytes);
  const Vector id = FreshId();
  const Vector spki =
      One(MakeRequest(Operation::kGenerateKeyPair, id, {kPairP256, kSession | kExtractable}));
  if (IsSoftHsm()) {
    EXPECT_EQ(ReasonOf(Wrap(kek_id, kKwp, id)), Reason::kNotOffered);
    return;
  }
  const Result<KeyPtr> opened =
      KwpUnwrap(*MakeKey(KeyType::kAesKwp, bytes), One(Wrap(kek_id, kKwp, id)), KeyType::kP256);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(SpkiOf(*opened.value()), spki);
}

TEST_P(Pkcs11Wrapping, TellsWhatIsMissing) {
  const Vector kek_id = MakeSecret(kAesWrap);
  const Vector id = MakeSecret(kAesGcm, kSession | kExtractable);
  EXPECT_EQ(ReasonOf(Wrap(FreshId(), kKwp, id)), Reason::kKeyNotFound);
  EXPECT_EQ(ReasonOf(Wrap(kek_id, kKwp, FreshId())), Reason::kKeyNotFound);
  EXPECT_EQ(ReasonOf(Wrap(kek_id, 0, id)), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Wrap(kek_id, 7, id)), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Unwrap(kek_id, kKwp, Vector(40), {})), Reason::kInvalidArgument);
  if (IsSoftHsm()) {
    const TokenPair pair = MakePair(kPairRsa2048Wrap, KeyType::kRsa2048);
    const Reply reply = Do(Wrap(pair.id, kOaepSha256, id));
    EXPECT_EQ(reply.failure.reason, Reason::kNotOffered);
    EXPECT_EQ(reply.failure.mechanism, CKM_RSA_PKCS_OAEP);
  }
  const Profile& own = session().profile();
  session().set_profile(*FindProfile(static_cast<std::uint32_t>(ProfileCode::kCloudHsm)));
  const Reply reply = Do(Wrap(kek_id, kKwp, id));
  session().set_profile(own);
  EXPECT_EQ(reply.failure.reason, Reason::kNotOffered);
  EXPECT_EQ(reply.failure.mechanism, kMechanismCloudHsmKeyWrapZeroPad);
}

TEST_P(Pkcs11Wrapping, KeepsKeysFromWrappingKeysThatNobodyTrusts) {
  const Vector kek_id = MakeSecret(kAesWrap);
  const Vector id = MakeSecret(kAesGcm, kSession | kExtractable | kTrustedWrap);
  EXPECT_EQ(ReasonOf(Wrap(kek_id, kKwp, id)), Reason::kModule);
}

}  // namespace
}  // namespace keywright::pkcs11
