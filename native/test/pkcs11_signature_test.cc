#include "core/signature.h"

#include "core/key_pair_codec.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

struct Case {
  std::uint32_t pair_type;
  KeyType type;
  std::vector<SignatureAlgorithm> algorithms;
  std::size_t message_bytes;
};

// One digest length in each row.
const Case kCases[] = {
    {kPairRsa2048,
     KeyType::kRsa2048,
     {SignatureAlgorithm::kRsassaPssSha256, SignatureAlgorithm::kRsassaPkcs1V15Sha256},
     32},
    {kPairRsa2048,
     KeyType::kRsa2048,
     {SignatureAlgorithm::kRsassaPssSha384, SignatureAlgorithm::kRsassaPkcs1V15Sha384},
     48},
    {kPairRsa2048,
     KeyType::kRsa2048,
     {SignatureAlgorithm::kRsassaPssSha512, SignatureAlgorithm::kRsassaPkcs1V15Sha512},
     64},
    {kPairP256, KeyType::kP256, {SignatureAlgorithm::kEcdsaSha256}, 32},
    {5, KeyType::kP384, {SignatureAlgorithm::kEcdsaSha384}, 48},
    {6, KeyType::kP521, {SignatureAlgorithm::kEcdsaSha512}, 64},
    {7, KeyType::kSecp256k1, {SignatureAlgorithm::kEcdsaSha256}, 32},
    {8, KeyType::kEd25519, {SignatureAlgorithm::kEd25519Sha512}, 100},
    {11, KeyType::kMlDsa44, {SignatureAlgorithm::kMlDsaShake256}, 100},
    {12, KeyType::kMlDsa65, {SignatureAlgorithm::kMlDsaShake256}, 100},
    {13, KeyType::kMlDsa87, {SignatureAlgorithm::kMlDsaShake256}, 100},
};

class Pkcs11Signature : public Pkcs11Test {
 protected:
  // What the modules that these tests were written with do not have; there the refusal is tested.
  bool IsOffered(KeyType type) const {
    switch (type) {
      case KeyType::kSecp256k1:
        return IsSoftHsm();
      case KeyType::kEd25519:
        return IsSoftHsm() || IsKryoptic();
      case KeyType::kMlDsa44:
      case KeyType::kMlDsa65:
      case KeyType::kMlDsa87:
        return IsKryoptic();
      default:
        return true;
    }
  }
  static Request SignRequest(Bytes id, SignatureAlgorithm algorithm, const Vector& message) {
    return MakeRequest(Operation::kSign, id, {static_cast<std::uint32_t>(algorithm)}, {},
                       {message});
  }
  static Request VerifyRequest(Bytes id, SignatureAlgorithm algorithm, const Vector& message,
                               Bytes signature) {
    return MakeRequest(Operation::kVerify, id, {static_cast<std::uint32_t>(algorithm)}, signature,
                       {message});
  }
  static MessageType MessageOf(const Case& one) {
    return one.message_bytes == 100 ? MessageType::kRaw : MessageType::kDigest;
  }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11Signature);

TEST_P(Pkcs11Signature, AgreesWithTheCoreInBothDirections) {
  for (const Case& one : kCases) {
    if (!IsOffered(one.type)) {
      continue;
    }
    const TokenPair pair = MakePair(one.pair_type, one.type);
    const KeyPtr other = GenerateKeyPair(one.type).value();
    const Vector other_id = ImportPublic(*other);
    for (const SignatureAlgorithm algorithm : one.algorithms) {
      for (int round = 0; round < 10; ++round) {
        const Vector message = generator_.Octets(one.message_bytes);
        const Vector signature = One(SignRequest(pair.id, algorithm, message));
        EXPECT_TRUE(
            keywright::Verify(*pair.public_key, algorithm, MessageOf(one), message, signature)
                .value())
            << static_cast<int>(algorithm);
        EXPECT_EQ(ReasonOf(VerifyRequest(pair.id, algorithm, message, signature)), Reason::kNone);
        Vector theirs(kMaxSignatureBytes);
        theirs.resize(keywright::Sign(*other, algorithm, MessageOf(one), message, theirs).value());
        EXPECT_EQ(ReasonOf(VerifyRequest(other_id, algorithm, message, theirs)), Reason::kNone)
            << static_cast<int>(algorithm);
        EXPECT_EQ(ReasonOf(VerifyRequest(pair.id, algorithm, message, theirs)),
                  Reason::kAuthenticationFailed);
      }
    }
  }
}

TEST_P(Pkcs11Signature, SignsManyAndTellsWhichOfThemAreNoDigests) {
  for (const Case& one : kCases) {
    if (!IsOffered(one.type)) {
      continue;
    }
    const TokenPair pair = MakePair(one.pair_type, one.type);
    const bool takes_messages = MessageOf(one) == MessageType::kRaw;
    for (const SignatureAlgorithm algorithm : one.algorithms) {
      std::vector<Vector> messages;
      for (std::size_t i = 0; i < 5; ++i) {
        messages.push_back(generator_.Octets(one.message_bytes + (i == 2 ? 1 : 0)));
      }
      const Reply reply = Do(MakeRequest(Operation::kSign, pair.id,
                                         {static_cast<std::uint32_t>(algorithm)}, {}, messages));
      ASSERT_TRUE(reply.failure.ok()) << static_cast<int>(algorithm);
      ASSERT_EQ(reply.outputs.size(), messages.size());
      ASSERT_EQ(reply.failures.empty(), takes_messages);
      for (std::size_t i = 0; i < messages.size(); ++i) {
        if (i == 2 && !takes_messages) {
          EXPECT_EQ(reply.failures[i].reason, Reason::kInvalidArgument);
          EXPECT_TRUE(reply.outputs[i].bytes().empty());
          continue;
        }
        EXPECT_TRUE(keywright::Verify(*pair.public_key, algorithm, MessageOf(one), messages[i],
                                      reply.outputs[i].bytes())
                        .value())
            << static_cast<int>(algorithm);
      }
    }
  }
}

TEST_P(Pkcs11Signature, RefusesWhatIsChangedOrCut) {
  for (const Case& one : kCases) {
    if (!IsOffered(one.type)) {
      continue;
    }
    const TokenPair pair = MakePair(one.pair_type, one.type);
    for (const SignatureAlgorithm algorithm : one.algorithms) {
      const Vector message = generator_.Octets(one.message_bytes);
      const Vector signature = One(SignRequest(pair.id, algorithm, message));
      const auto expect_refusal = [&](const Vector& changed_message, Bytes changed) {
        EXPECT_EQ(ReasonOf(VerifyRequest(pair.id, algorithm, changed_message, changed)),
                  Reason::kAuthenticationFailed)
            << static_cast<int>(algorithm) << ", " << changed.size() << " bytes";
      };
      for (int round = 0; round < 30; ++round) {
        Vector changed = signature;
        changed[generator_.Number(0, changed.size() - 1)] ^=
            static_cast<std::uint8_t>(generator_.Number(1, 255));
        expect_refusal(message, changed);
      }
      for (const std::size_t length : {std::size_t{0}, std::size_t{1}, signature.size() - 1}) {
        expect_refusal(message, Bytes(signature).first(length));
      }
      expect_refusal(message, Concat({signature, Vector{0}}));
      Vector other = message;
      other[0] ^= 1;
      expect_refusal(other, signature);
      expect_refusal(message, Vector(signature.size()));
    }
  }
}

// A module that says it wrote more than there was room for.
CK_FUNCTION_LIST_PTR below = nullptr;

CK_RV SignBeyondTheEnd(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size,
                       CK_BYTE_PTR signature, CK_ULONG_PTR signature_size) {
  const CK_ULONG room = *signature_size;
  const CK_RV rv = below->C_Sign(session, data, size, signature, signature_size);
  *signature_size = room + 1;
  return rv;
}

TEST_P(Pkcs11Signature, ReadsNoFurtherThanTheRoomThatTheModuleHad) {
  const TokenPair pair = MakePair(kPairRsa2048, KeyType::kRsa2048);
  below = session().functions();
  CK_FUNCTION_LIST functions = *below;
  functions.C_Sign = SignBeyondTheEnd;
  session().set_functions(&functions);
  const Reply reply =
      Do(SignRequest(pair.id, SignatureAlgorithm::kRsassaPssSha256, generator_.Octets(32)));
  session().set_functions(below);
  EXPECT_EQ(reply.failure.reason, Reason::kModule);
  EXPECT_EQ(reply.failure.rv, CKR_BUFFER_TOO_SMALL);
  EXPECT_EQ(reply.failure.mechanism, CKM_RSA_PKCS_PSS);
}

TEST_P(Pkcs11Signature, TakesDigestsOfTheRightLengthOnly) {
  const TokenPair pair = MakePair(kPairP256, KeyType::kP256);
  for (const std::size_t length : {0U, 31U, 33U, 64U}) {
    EXPECT_EQ(ReasonOf(SignRequest(pair.id, SignatureAlgorithm::kEcdsaSha256, Vector(length))),
              Reason::kInvalidArgument);
  }
  // Of another curve: the token would sign what it can use of the digest.
  EXPECT_EQ(ReasonOf(SignRequest(pair.id, SignatureAlgorithm::kEcdsaSha384, Vector(48))),
            Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(SignRequest(FreshId(), SignatureAlgorithm::kEcdsaSha256, Vector(32))),
            Reason::kKeyNotFound);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kSign, pair.id, {99}, {}, {Vector(32)})),
            Reason::kInvalidArgument);
}

TEST_P(Pkcs11Signature, NamesTheMechanismThatTheTokenDoesNotOffer) {
  for (const Case& one : kCases) {
    if (!IsOffered(one.type)) {
      const Reply reply =
          Do(MakeRequest(Operation::kGenerateKeyPair, FreshId(), {one.pair_type, kSession}));
      // kryoptic does not say why it makes no keys on the curve.
      const bool tells_why = !IsKryoptic() || one.type != KeyType::kSecp256k1;
      EXPECT_EQ(reply.failure.reason, tells_why ? Reason::kNotOffered : Reason::kModule)
          << one.pair_type;
      EXPECT_NE(reply.failure.mechanism, kNoMechanism);
    }
  }
  if (!IsOffered(KeyType::kMlDsa44)) {
    const Reply reply = Do(SignRequest(FreshId(), SignatureAlgorithm::kMlDsaShake256, Vector(1)));
    EXPECT_EQ(reply.failure.reason, Reason::kNotOffered);
    EXPECT_EQ(reply.failure.mechanism, kMechanismMlDsa);
  }
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEd25519PhSha512, SignatureAlgorithm::kSm2Dsa}) {
    EXPECT_EQ(ReasonOf(SignRequest(FreshId(), algorithm, Vector(64))), Reason::kNotOffered);
  }
}

TEST_P(Pkcs11Signature, MakesPairsWhosePrivateKeysStayInTheToken) {
  for (const Case& one : kCases) {
    if (!IsOffered(one.type)) {
      continue;
    }
    const TokenPair pair = MakePair(one.pair_type, one.type);
    EXPECT_EQ(One(MakeRequest(Operation::kExportPublicKey, pair.id)), SpkiOf(*pair.public_key));
    const Reply records = Do(MakeRequest(Operation::kFindKeys, pair.id));
    ASSERT_EQ(records.outputs.size(), 2U);
    EXPECT_EQ(records.outputs[0].bytes()[3], CKO_PRIVATE_KEY);
    EXPECT_EQ(records.outputs[0].bytes()[8], 2);  // sensitive, and neither extractable nor stored
    EXPECT_EQ(records.outputs[1].bytes()[3], CKO_PUBLIC_KEY);
    EXPECT_EQ(
        ReasonOf(MakeRequest(Operation::kGenerateKeyPair, pair.id, {one.pair_type, kSession})),
        Reason::kKeyExists);
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, pair.id)), Reason::kNone);
    EXPECT_TRUE(Do(MakeRequest(Operation::kFindKeys, pair.id)).outputs.empty());
  }
  for (const std::uint32_t number : {0U, 14U}) {
    EXPECT_EQ(ReasonOf(MakeRequest(Operation::kGenerateKeyPair, FreshId(), {number, kSession})),
              Reason::kInvalidArgument);
  }
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kExportPublicKey, FreshId())), Reason::kKeyNotFound);
}

TEST_P(Pkcs11Signature, KeepsPairsInTheToken) {
  const Vector id = FreshId();
  ASSERT_EQ(ReasonOf(MakeRequest(Operation::kGenerateKeyPair, id, {kPairP256, 0}, AsBytes("a"))),
            Reason::kNone);
  const Reply records = Do(MakeRequest(Operation::kFindKeys, id));
  ASSERT_EQ(records.outputs.size(), 2U);
  EXPECT_EQ(records.outputs[0].bytes()[8], 3);  // in the token, and sensitive
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, id)), Reason::kNone);
}

}  // namespace
}  // namespace keywright::pkcs11
