#include "kube/resource.h"

namespace roster::kube {

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  const auto unreserved = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
  };
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kHex[byte >> 4U];
      encoded += kHex[byte & 0xFU];
    }
  }
  return encoded;
}

std::string Resource::ApiVersion() const {
  if (group.empty()) return std::string(version);
  return std::string(group) + "/" + std::string(version);
}

std::string Resource::Path(std::string_view ns, std::string_view name,
                           std::string_view subresource) const {
  std::string path = group.empty() ? "/api" : "/apis";
  const auto append = [&path](std::string_view part) {
    path += '/';
    path += PercentEncode(part);
  };
  if (!group.empty()) append(group);
  append(version);
  if (!ns.empty()) {
    path += "/namespaces";
    append(ns);
  }
  append(plural);
  if (!name.empty()) append(name);
  if (!subresource.empty()) append(subresource);
  return path;
}

}  // namespace roster::kube
