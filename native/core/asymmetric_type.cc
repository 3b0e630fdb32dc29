#include "core/asymmetric_type.h"

#include <iterator>

namespace keywright {
namespace {

using namespace std::string_view_literals;

// AlgorithmIdentifiers: RFC 5480 for curves, RFC 8410 for Ed25519, RFC 9881 for ML-DSA, RFC 9935
// for ML-KEM, GM/T 0006 for SM2.
constexpr AsymmetricType kTypes[] = {
    {Family::kRsa, "RSA", nullptr, 2048, 0, 0, 0, {}},
    {Family::kRsa, "RSA", nullptr, 3072, 0, 0, 0, {}},
    {Family::kRsa, "RSA", nullptr, 4096, 0, 0, 0, {}},
    {Family::kEc, "EC", "prime256v1", 0, 65, 0, 0,
     "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv},
    {Family::kEc, "EC", "secp384r1", 0, 97, 0, 0,
     "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"sv},
    {Family::kEc, "EC", "secp521r1", 0, 133, 0, 0,
     "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"sv},
    {Family::kEc, "EC", "secp256k1", 0, 65, 0, 0,
     "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a"sv},
    {Family::kEd25519, "ED25519", nullptr, 0, 32, 32, 0, "\x30\x05\x06\x03\x2b\x65\x70"sv},
    {Family::kSm2, "SM2", "SM2", 0, 65, 0, 0,
     "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"sv},
    {Family::kMlDsa, "ML-DSA-44", nullptr, 0, 1312, 32, 2560,
     "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11"sv},
    {Family::kMlDsa, "ML-DSA-65", nullptr, 0, 1952, 32, 4032,
     "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12"sv},
    {Family::kMlDsa, "ML-DSA-87", nullptr, 0, 2592, 32, 4896,
     "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13"sv},
    {Family::kMlKem, "ML-KEM-512", nullptr, 0, 800, 64, 1632,
     "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x01"sv},
    {Family::kMlKem, "ML-KEM-768", nullptr, 0, 1184, 64, 2400,
     "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x02"sv},
    {Family::kMlKem, "ML-KEM-1024", nullptr, 0, 1568, 64, 3168,
     "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x03"sv},
};

static_assert(std::size(kTypes) == kAsymmetricTypeCount);

}  // namespace

const AsymmetricType& AsymmetricTypeOf(KeyType type) {
  return kTypes[static_cast<std::size_t>(type) - static_cast<std::size_t>(KeyType::kRsa2048)];
}

std::size_t AsymmetricIndex(const AsymmetricType& type) {
  return static_cast<std::size_t>(&type - kTypes);
}

}  // namespace keywright
