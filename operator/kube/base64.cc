#include "kube/base64.h"

#include <cstdint>

namespace roster::kube {
namespace {

/// The six bits that `c` stands for, or -1.
int Sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

}  // namespace

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  int count = 0;    // characters of the current group of four
  int padding = 0;  // '=' seen
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    if (c == '=') {
      ++padding;
      if (padding > 2 || count < 2 || count + padding > 4) return std::nullopt;
      continue;
    }
    const int sextet = Sextet(c);
    if (sextet < 0 || padding > 0) return std::nullopt;
    bits = (bits << 6U) | static_cast<uint32_t>(sextet);
    ++count;
    if (count == 4) {
      decoded += static_cast<char>((bits >> 16U) & 0xFFU);
      decoded += static_cast<char>((bits >> 8U) & 0xFFU);
      decoded += static_cast<char>(bits & 0xFFU);
      bits = 0;
      count = 0;
    }
  }
  if (count == 0) return padding == 0 ? std::optional(decoded) : std::nullopt;
  if (count + padding != 4) return std::nullopt;
  if (count == 2) decoded += static_cast<char>((bits >> 4U) & 0xFFU);
  if (count == 3) {
    decoded += static_cast<char>((bits >> 10U) & 0xFFU);
    decoded += static_cast<char>((bits >> 2U) & 0xFFU);
  }
  return decoded;
}

}  // namespace roster::kube
