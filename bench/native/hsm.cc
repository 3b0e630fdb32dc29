// How fast a PKCS#11 module itself is: one operation in plain loops, each thread with a session of
// its own and its handles, mechanism and buffers made beforehand; no queue, no copies, no binding.
//
//   hsm MODULE TOKEN_LABEL OPERATION KEYS THREADS MINIMUM_MS SAMPLES <PIN
//
// OPERATION: encryptGcm32 encryptGcm4096 decryptGcm32 hmac signP256 signRsa2048 wrapAesKw; KEYS:
// `session`, or `token` for keys that are kept in the token (and destroyed at the end). What
// modules such as NSS softokn take at C_Initialize is in the environment,
// KEYWRIGHT_PKCS11_INIT_ARGS.
//
// Prints JSON: {"samples": [{"ns", "cpuNs"}, …], "latencies": [[bucket, count], …]}: nanoseconds
// per operation over all threads, each sample over at least MINIMUM_MS milliseconds. Latencies are
// taken in a run of their own; bucket b holds those around 2^(b/32) ns. {"refused": "…"} where the
// token does not do it. Without samples it only shows that it works.

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include "loop.h"
#include <pkcs11/pkcs11.h>

namespace {

using bench::Clock;
using bench::Operation;
using Byte = std::uint8_t;
using Buffer = std::vector<Byte>;
using Histogram = std::map<int, std::size_t>;

constexpr double kBucketsPerOctave = 32;
constexpr std::size_t kGcmTagBytes = 16;
constexpr std::size_t kAadBytes = 32;
constexpr std::size_t kMaxResultBytes = 512;

CK_FUNCTION_LIST_PTR module = nullptr;

// The token says no: that is an answer, and none is measured.
void Check(CK_RV rv, const char* what) {
  if (rv != CKR_OK) {
    std::printf("{\"refused\": \"%s: 0x%lx\"}\n", what, rv);
    std::fflush(stdout);
    std::_Exit(0);
  }
}

void Require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "hsm: %s\n", what);
    std::exit(1);
  }
}

void Load(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  Require(library != nullptr, "the module cannot be loaded");
  CK_C_GetFunctionList get = nullptr;
  *reinterpret_cast<void**>(&get) = dlsym(library, "C_GetFunctionList");
  Require(get != nullptr && get(&module) == CKR_OK, "no PKCS#11 module");
  CK_C_INITIALIZE_ARGS arguments = {};
  arguments.flags = CKF_OS_LOCKING_OK;
  arguments.pReserved = std::getenv("KEYWRIGHT_PKCS11_INIT_ARGS");
  Require(module->C_Initialize(&arguments) == CKR_OK, "C_Initialize");
}

CK_SLOT_ID SlotOf(std::string label) {
  CK_ULONG count = 0;
  Require(module->C_GetSlotList(CK_TRUE, nullptr, &count) == CKR_OK, "C_GetSlotList");
  std::vector<CK_SLOT_ID> slots(count);
  Require(module->C_GetSlotList(CK_TRUE, slots.data(), &count) == CKR_OK, "C_GetSlotList");
  label.resize(sizeof(CK_TOKEN_INFO::label), ' ');
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO info = {};
    if (module->C_GetTokenInfo(slot, &info) == CKR_OK &&
        std::memcmp(info.label, label.data(), label.size()) == 0) {
      return slot;
    }
  }
  Require(false, "no token has the label");
  return 0;
}

CK_SESSION_HANDLE OpenSession(CK_SLOT_ID slot) {
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  Require(module->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                &session) == CKR_OK,
          "C_OpenSession");
  return session;
}

CK_BBOOL yes = CK_TRUE;
CK_BBOOL no = CK_FALSE;

CK_ATTRIBUTE Flag(CK_ATTRIBUTE_TYPE type, bool value) {
  return {type, value ? &yes : &no, sizeof(CK_BBOOL)};
}

// Makes keys, and destroys those of the token again.
class Keys {
 public:
  Keys(CK_SESSION_HANDLE session, bool in_token) : session_(session), in_token_(in_token) {}
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() {
    for (const CK_OBJECT_HANDLE key : made_) {
      module->C_DestroyObject(session_, key);
    }
  }

  CK_OBJECT_HANDLE Secret(CK_MECHANISM_TYPE type, std::vector<CK_ATTRIBUTE> uses, bool leaves) {
    CK_ULONG length = 32;
    uses.push_back({CKA_VALUE_LEN, &length, sizeof(length)});
    AddProtection(uses, leaves);
    CK_MECHANISM mechanism = {type, nullptr, 0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    Check(module->C_GenerateKey(session_, &mechanism, uses.data(), uses.size(), &key),
          "C_GenerateKey");
    made_.push_back(key);
    return key;
  }

  CK_OBJECT_HANDLE SigningPair(CK_MECHANISM_TYPE type, std::vector<CK_ATTRIBUTE> parameters) {
    parameters.push_back(Flag(CKA_TOKEN, in_token_));
    parameters.push_back(Flag(CKA_VERIFY, true));
    std::vector<CK_ATTRIBUTE> secret = {Flag(CKA_SIGN, true)};
    AddProtection(secret, false);
    CK_MECHANISM mechanism = {type, nullptr, 0};
    CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    Check(module->C_GenerateKeyPair(session_, &mechanism, parameters.data(), parameters.size(),
                                    secret.data(), secret.size(), &public_key, &key),
          "C_GenerateKeyPair");
    made_.push_back(public_key);
    made_.push_back(key);
    return key;
  }

 private:
  void AddProtection(std::vector<CK_ATTRIBUTE>& attributes, bool leaves) const {
    attributes.push_back(Flag(CKA_TOKEN, in_token_));
    attributes.push_back(Flag(CKA_PRIVATE, true));
    attributes.push_back(Flag(CKA_SENSITIVE, true));
    attributes.push_back(Flag(CKA_EXTRACTABLE, leaves));
  }

  CK_SESSION_HANDLE session_;
  bool in_token_;
  std::vector<CK_OBJECT_HANDLE> made_;
};

// Nonces are counted: an HSM takes any.
struct Gcm {
  std::array<Byte, 12> iv = {};
  std::array<Byte, kAadBytes> aad = {};
  CK_GCM_PARAMS parameters = {};
  CK_MECHANISM mechanism = {};

  CK_MECHANISM_PTR Get() {
    parameters = {.pIv = iv.data(),
                  .ulIvLen = iv.size(),
                  .ulIvBits = iv.size() * 8,
                  .pAAD = aad.data(),
                  .ulAADLen = aad.size(),
                  .ulTagBits = kGcmTagBytes * 8};
    mechanism = {CKM_AES_GCM, &parameters, sizeof(parameters)};
    return &mechanism;
  }
  void Count() {
    for (Byte& byte : iv) {
      if (++byte != 0) {
        return;
      }
    }
  }
};

using Make = std::function<Operation(CK_SESSION_HANDLE)>;

void Encrypt(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, Gcm& gcm, Buffer& in, Buffer& out) {
  CK_ULONG size = out.size();
  Check(module->C_EncryptInit(session, gcm.Get(), key), "C_EncryptInit");
  Check(module->C_Encrypt(session, in.data(), in.size(), out.data(), &size), "C_Encrypt");
}

Make EncryptGcm(Keys& keys, std::size_t bytes) {
  const CK_OBJECT_HANDLE key =
      keys.Secret(CKM_AES_KEY_GEN, {Flag(CKA_ENCRYPT, true), Flag(CKA_DECRYPT, true)}, false);
  return [key, bytes](CK_SESSION_HANDLE session) -> Operation {
    return [session, key, gcm = Gcm(), in = Buffer(bytes),
            out = Buffer(bytes + kGcmTagBytes)]() mutable {
      gcm.Count();
      Encrypt(session, key, gcm, in, out);
    };
  };
}

Make DecryptGcm(Keys& keys, std::size_t bytes) {
  const CK_OBJECT_HANDLE key =
      keys.Secret(CKM_AES_KEY_GEN, {Flag(CKA_ENCRYPT, true), Flag(CKA_DECRYPT, true)}, false);
  return [key, bytes](CK_SESSION_HANDLE session) -> Operation {
    Gcm gcm;
    Buffer plaintext(bytes);
    Buffer sealed(bytes + kGcmTagBytes);
    Encrypt(session, key, gcm, plaintext, sealed);
    return [session, key, gcm, sealed, out = Buffer(bytes + kGcmTagBytes)]() mutable {
      CK_ULONG size = out.size();
      Check(module->C_DecryptInit(session, gcm.Get(), key), "C_DecryptInit");
      Check(module->C_Decrypt(session, sealed.data(), sealed.size(), out.data(), &size),
            "C_Decrypt");
    };
  };
}

Make Sign(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE type, const Buffer& input) {
  return [key, type, input](CK_SESSION_HANDLE session) -> Operation {
    return [session, key, type, in = input, out = Buffer(kMaxResultBytes)]() mutable {
      CK_MECHANISM mechanism = {type, nullptr, 0};
      CK_ULONG size = out.size();
      Check(module->C_SignInit(session, &mechanism, key), "C_SignInit");
      Check(module->C_Sign(session, in.data(), in.size(), out.data(), &size), "C_Sign");
    };
  };
}

Make Hmac(Keys& keys) {
  return Sign(keys.Secret(CKM_GENERIC_SECRET_KEY_GEN, {Flag(CKA_SIGN, true)}, false),
              CKM_SHA256_HMAC, Buffer(32, 7));
}

Make SignP256(Keys& keys) {
  std::array<Byte, 10> curve = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
  return Sign(keys.SigningPair(CKM_EC_KEY_PAIR_GEN, {{CKA_EC_PARAMS, curve.data(), curve.size()}}),
              CKM_ECDSA, Buffer(32, 7));
}

Make SignRsa2048(Keys& keys) {
  CK_ULONG bits = 2048;
  std::array<Byte, 3> exponent = {1, 0, 1};
  // The DigestInfo of SHA-256 (RFC 8017, section 9.2) and a digest.
  Buffer input = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                  0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
  input.resize(input.size() + 32, 7);
  return Sign(keys.SigningPair(CKM_RSA_PKCS_KEY_PAIR_GEN,
                               {{CKA_MODULUS_BITS, &bits, sizeof(bits)},
                                {CKA_PUBLIC_EXPONENT, exponent.data(), exponent.size()}}),
              CKM_RSA_PKCS, input);
}

Make WrapAesKw(Keys& keys) {
  const CK_OBJECT_HANDLE wrapping =
      keys.Secret(CKM_AES_KEY_GEN, {Flag(CKA_WRAP, true), Flag(CKA_UNWRAP, true)}, false);
  const CK_OBJECT_HANDLE wrapped =
      keys.Secret(CKM_AES_KEY_GEN, {Flag(CKA_ENCRYPT, true), Flag(CKA_DECRYPT, true)}, true);
  return [wrapping, wrapped](CK_SESSION_HANDLE session) -> Operation {
    return [session, wrapping, wrapped, out = Buffer(kMaxResultBytes)]() mutable {
      CK_MECHANISM mechanism = {CKM_AES_KEY_WRAP, nullptr, 0};
      CK_ULONG size = out.size();
      Check(module->C_WrapKey(session, &mechanism, wrapping, wrapped, out.data(), &size),
            "C_WrapKey");
    };
  };
}

Make MakerOf(const std::string& name, Keys& keys) {
  const std::map<std::string, std::function<Make()>> makers = {
      {"encryptGcm32", [&] { return EncryptGcm(keys, 32); }},
      {"encryptGcm4096", [&] { return EncryptGcm(keys, 4096); }},
      {"decryptGcm32", [&] { return DecryptGcm(keys, 32); }},
      {"hmac", [&] { return Hmac(keys); }},
      {"signP256", [&] { return SignP256(keys); }},
      {"signRsa2048", [&] { return SignRsa2048(keys); }},
      {"wrapAesKw", [&] { return WrapAesKw(keys); }},
  };
  Require(makers.contains(name), "unknown operation");
  return makers.at(name)();
}

Histogram Time(const Operation& operation, double minimum_ns) {
  Histogram histogram;
  for (const auto begin = Clock::now(); bench::NanosecondsSince(begin) < minimum_ns;) {
    const auto before = Clock::now();
    operation();
    const double latency = std::max(1.0, bench::NanosecondsSince(before));
    ++histogram[static_cast<int>(std::lround(std::log2(latency) * kBucketsPerOctave))];
  }
  return histogram;
}

template <typename Values, typename Print>
void PrintList(const char* name, const Values& values, const char* end, Print print) {
  std::printf("\"%s\": [", name);
  const char* separator = "";
  for (const auto& value : values) {
    std::printf("%s", separator);
    print(value);
    separator = ", ";
  }
  std::printf("]%s", end);
}

void Measure(const Make& make, CK_SLOT_ID slot, std::size_t threads, double minimum_ns,
             std::size_t samples) {
  std::vector<bench::Share> shares(threads);
  std::barrier turn(static_cast<std::ptrdiff_t>(threads) + 1);
  std::mutex mutex;
  Histogram latencies;
  std::vector<std::jthread> workers;
  for (bench::Share& share : shares) {
    workers.emplace_back([&] {
      const Operation operation = make(OpenSession(slot));
      const std::size_t stride = bench::StrideOf(operation, minimum_ns);
      for (std::size_t sample = 0; sample < samples; ++sample) {
        turn.arrive_and_wait();
        share = bench::Run(operation, stride, minimum_ns);
        turn.arrive_and_wait();
      }
      turn.arrive_and_wait();
      const Histogram own = Time(operation, minimum_ns);
      const std::scoped_lock lock(mutex);
      for (const auto& [bucket, count] : own) {
        latencies[bucket] += count;
      }
    });
  }
  std::vector<std::array<double, 2>> times;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    turn.arrive_and_wait();
    const double before = bench::CpuNanoseconds();
    turn.arrive_and_wait();
    const double cpu_ns = bench::CpuNanoseconds() - before;
    bench::Share sum;
    for (const bench::Share& share : shares) {
      sum = {sum.rate + share.rate, sum.done + share.done};
    }
    times.push_back({1 / sum.rate, cpu_ns / static_cast<double>(sum.done)});
  }
  turn.arrive_and_wait();
  workers.clear();
  std::printf("{");
  PrintList("samples", times, ", ", [](const auto& time) {
    std::printf("{\"ns\": %.1f, \"cpuNs\": %.1f}", time[0], time[1]);
  });
  PrintList("latencies", latencies, "}\n",
            [](const auto& entry) { std::printf("[%d, %zu]", entry.first, entry.second); });
}

}  // namespace

int main(int count, char** arguments) {
  Require(count == 8, "usage: hsm MODULE TOKEN_LABEL OPERATION KEYS THREADS MINIMUM_MS SAMPLES");
  const std::string keys_in = arguments[4];
  const std::size_t threads = std::strtoul(arguments[5], nullptr, 10);
  const double minimum_ns = std::strtod(arguments[6], nullptr) * 1e6;
  const std::size_t samples = std::strtoul(arguments[7], nullptr, 10);
  Require(keys_in == "session" || keys_in == "token", "KEYS: session or token");
  std::string pin;
  std::getline(std::cin, pin);

  Load(arguments[1]);
  const CK_SLOT_ID slot = SlotOf(arguments[2]);
  const CK_SESSION_HANDLE owner = OpenSession(slot);
  Require(module->C_Login(owner, CKU_USER, reinterpret_cast<CK_UTF8CHAR_PTR>(pin.data()),
                          pin.size()) == CKR_OK,
          "C_Login");
  {
    Keys keys(owner, keys_in == "token");
    Measure(MakerOf(arguments[3], keys), slot, threads, minimum_ns, samples);
  }
  module->C_Finalize(nullptr);
  return 0;
}
