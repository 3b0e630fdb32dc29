#include <algorithm>

#include "pkcs11/key_objects.h"
#include "test/pkcs11_testing.h"

namespace keywright::pkcs11 {
namespace {

class Pkcs11Keys : public Pkcs11Test {
 protected:
  static Request Generate(Bytes id, std::uint32_t type, std::uint32_t flags, std::uint32_t length) {
    return MakeRequest(Operation::kGenerateSecretKey, id, {type, flags, length}, AsBytes("label"));
  }
  CK_OBJECT_HANDLE SecretOf(Bytes id) {
    CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
    EXPECT_TRUE(session().FindObject(CKO_SECRET_KEY, id, &object).ok());
    return object;
  }
  bool FlagOf(Bytes id, CK_ATTRIBUTE_TYPE type) {
    bool value = false;
    EXPECT_TRUE(ReadFlag(session(), SecretOf(id), type, value).ok()) << std::hex << type;
    return value;
  }
  std::size_t Count(Bytes id) { return Do(MakeRequest(Operation::kFindKeys, id)).outputs.size(); }
};
KEYWRIGHT_FOR_EACH_MODULE(Pkcs11Keys);

TEST_P(Pkcs11Keys, MakesKeysThatCannotBeReadAndServeOnePurpose) {
  struct Usage {
    std::uint32_t type;
    std::vector<CK_ATTRIBUTE_TYPE> usages;
  };
  for (const Usage& usage :
       {Usage{kAesGcm, {CKA_ENCRYPT, CKA_DECRYPT}}, Usage{kAesWrap, {CKA_WRAP, CKA_UNWRAP}},
        Usage{kHmac, {CKA_SIGN, CKA_VERIFY}}}) {
    const Vector id = FreshId();
    ASSERT_EQ(ReasonOf(Generate(id, usage.type, kSession, 32)), Reason::kNone);
    for (const CK_ATTRIBUTE_TYPE flag :
         {CKA_PRIVATE, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE}) {
      EXPECT_TRUE(FlagOf(id, flag)) << std::hex << flag;
    }
    EXPECT_FALSE(FlagOf(id, CKA_EXTRACTABLE));
    EXPECT_FALSE(FlagOf(id, CKA_TOKEN));
    for (const CK_ATTRIBUTE_TYPE flag : {CKA_SIGN, CKA_VERIFY, CKA_DERIVE}) {
      EXPECT_EQ(FlagOf(id, flag), std::count(usage.usages.begin(), usage.usages.end(), flag) == 1);
    }
    if (usage.type != kHmac) {
      for (const CK_ATTRIBUTE_TYPE flag : {CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP}) {
        EXPECT_EQ(FlagOf(id, flag),
                  std::count(usage.usages.begin(), usage.usages.end(), flag) == 1);
      }
    }
    PrivateBuffer value;
    EXPECT_EQ(ReadAttribute(session(), SecretOf(id), CKA_VALUE, value).rv, CKR_ATTRIBUTE_SENSITIVE);
  }
}

TEST_P(Pkcs11Keys, MakesTokenKeysAndDestroysThem) {
  const Vector id = FreshId();
  ASSERT_EQ(ReasonOf(Generate(id, kAesGcm, 0, 32)), Reason::kNone);
  EXPECT_TRUE(FlagOf(id, CKA_TOKEN));
  EXPECT_EQ(Count(id), 1U);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, id)), Reason::kNone);
  EXPECT_EQ(Count(id), 0U);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, id)), Reason::kKeyNotFound);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kEncryptGcm, id, {}, {}, {Vector{1}})),
            Reason::kKeyNotFound);
  EXPECT_EQ(ReasonOf(MakeRequest(Operation::kDestroyKey, {})), Reason::kInvalidArgument);
}

TEST_P(Pkcs11Keys, DescribesKeys) {
  const Vector id = FreshId();
  ASSERT_EQ(ReasonOf(Generate(id, kHmac, kSession | kExtractable, 64)), Reason::kNone);
  const Vector expected = Concat({FromHex("00000004"  // CKO_SECRET_KEY
                                          "00000010"  // CKK_GENERIC_SECRET
                                          "06"        // sensitive and extractable, not in the token
                                          "0010"),
                                  id, AsBytes("label")});
  EXPECT_EQ(One(MakeRequest(Operation::kFindKeys, id)), expected);
  const Reply all = Do(MakeRequest(Operation::kFindKeys, {}));
  EXPECT_TRUE(all.failure.ok());
  EXPECT_EQ(std::count_if(all.outputs.begin(), all.outputs.end(),
                          [&](const PrivateBuffer& record) { return Copy(record) == expected; }),
            1);
}

TEST_P(Pkcs11Keys, KeepsIdsUnique) {
  const Vector id = FreshId();
  ASSERT_EQ(ReasonOf(Generate(id, kAesGcm, kSession, 32)), Reason::kNone);
  EXPECT_EQ(ReasonOf(Generate(id, kHmac, kSession, 32)), Reason::kKeyExists);
  EXPECT_EQ(Count(id), 1U);
}

TEST_P(Pkcs11Keys, RefusesPlansThatMakeNoSense) {
  const Vector id = FreshId();
  EXPECT_EQ(ReasonOf(Generate({}, kAesGcm, kSession, 32)), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Generate(Vector(65), kAesGcm, kSession, 32)), Reason::kInvalidArgument);
  for (const std::uint32_t length : {0U, 16U, 31U, 33U}) {
    EXPECT_EQ(ReasonOf(Generate(id, kAesGcm, kSession, length)), Reason::kInvalidArgument);
  }
  for (const std::uint32_t length : {0U, 15U, 129U}) {
    EXPECT_EQ(ReasonOf(Generate(id, kHmac, kSession, length)), Reason::kInvalidArgument);
  }
  for (const std::uint32_t type : {0U, 4U}) {
    EXPECT_EQ(ReasonOf(Generate(id, type, kSession, 32)), Reason::kInvalidArgument);
  }
  EXPECT_EQ(ReasonOf(Generate(id, kAesGcm, 8, 32)), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Generate(id, kAesGcm, kTrustedWrap, 32)), Reason::kInvalidArgument);
  EXPECT_EQ(Count(id), 0U);
}

// A module that makes keys which can be taken out, whatever it was asked for.
CK_FUNCTION_LIST_PTR below = nullptr;

CK_RV GenerateExtractable(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                          CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE_PTR key) {
  CK_BBOOL yes = CK_TRUE;
  for (CK_ULONG i = 0; i < count; ++i) {
    if (attributes[i].type == CKA_EXTRACTABLE) {
      attributes[i].pValue = &yes;
    }
  }
  return below->C_GenerateKey(session, mechanism, attributes, count, key);
}

TEST_P(Pkcs11Keys, DestroysAKeyThatIsNotProtected) {
  const Vector id = FreshId();
  below = session().functions();
  CK_FUNCTION_LIST functions = *below;
  functions.C_GenerateKey = GenerateExtractable;
  session().set_functions(&functions);
  EXPECT_EQ(ReasonOf(Generate(id, kAesGcm, kSession, 32)), Reason::kNotProtected);
  session().set_functions(below);
  EXPECT_EQ(Count(id), 0U);
}

TEST_P(Pkcs11Keys, GivesRandomBytes) {
  const auto random = [&](std::uint32_t length) {
    return MakeRequest(Operation::kGenerateRandom, {}, {length});
  };
  const Vector first = One(random(32));
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, One(random(32)));
  EXPECT_EQ(One(random(65536)).size(), 65536U);
  EXPECT_EQ(ReasonOf(random(0)), Reason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(random(65537)), Reason::kInvalidArgument);
}

TEST_P(Pkcs11Keys, RefusesAnOperationThatThereIsNot) {
  Request request = MakeRequest(Operation::kGenerateRandom, {}, {1});
  request.operation = static_cast<Operation>(99);
  EXPECT_EQ(ReasonOf(request), Reason::kInvalidArgument);
}

}  // namespace
}  // namespace keywright::pkcs11
