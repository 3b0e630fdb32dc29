#ifndef KEYWRIGHT_PKCS11_TEMPLATE_H_
#define KEYWRIGHT_PKCS11_TEMPLATE_H_

#include <array>
#include <cstddef>

#include "core/bytes.h"
#include "pkcs11/cryptoki.h"

namespace keywright::pkcs11 {

// PKCS#11 takes inputs through pointers to non-const, and some modules refuse a null pointer to no
// bytes.
inline CK_BYTE_PTR InputPointer(Bytes bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return const_cast<CK_BYTE_PTR>(bytes.empty() ? &kNothing : bytes.data());
}

inline constexpr std::size_t kMaxAttributes = 20;

// The attributes of a search or of a new key. Byte values belong to the caller and must outlive it;
// at most kMaxAttributes are added.
class Template {
 public:
  Template() = default;
  // It points into itself.
  Template(const Template&) = delete;
  Template& operator=(const Template&) = delete;
  ~Template() = default;

  void AddBytes(CK_ATTRIBUTE_TYPE type, Bytes value) {
    Add(type, InputPointer(value), value.size());
  }
  void AddFlag(CK_ATTRIBUTE_TYPE type, bool value) {
    static constexpr CK_BBOOL kFlags[] = {CK_FALSE, CK_TRUE};
    Add(type, const_cast<CK_BBOOL*>(&kFlags[value ? 1 : 0]), sizeof(CK_BBOOL));
  }
  void AddNumber(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    numbers_[size_] = value;
    Add(type, &numbers_[size_], sizeof(CK_ULONG));
  }

  CK_ATTRIBUTE_PTR data() { return attributes_.data(); }
  CK_ULONG size() const { return size_; }

 private:
  void Add(CK_ATTRIBUTE_TYPE type, void* value, std::size_t length) {
    attributes_[size_] = {.type = type, .pValue = value, .ulValueLen = length};
    ++size_;
  }

  std::array<CK_ATTRIBUTE, kMaxAttributes> attributes_;
  std::array<CK_ULONG, kMaxAttributes> numbers_;
  std::size_t size_ = 0;
};

}  // namespace keywright::pkcs11

#endif  // KEYWRIGHT_PKCS11_TEMPLATE_H_
