// The configuration file as a flat list of keys with their lines: YAML with the parts that a flat
// file needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace roster::app {

/// One key of the file and what was given for it.
struct FileEntry {
  enum class Kind { kScalar, kList, kNothing, kOther };
  std::string key;
  int line = 0;  ///< Of the key, counted from 1.
  Kind kind = Kind::kNothing;
  std::vector<std::string> values;  ///< One for a scalar; none if the kind is kNothing or kOther.
};

struct FileContent {
  std::vector<FileEntry>
      entries;         ///< In the file's order; keys may repeat. Up to the error, if any.
  int error_line = 0;  ///< Of the syntax error, if `error` is not empty.
  std::string error;
};

/// Deepest nesting that is read; a configuration needs two.
inline constexpr int kMaxDepth = 16;

/// Never throws. The text is read as events, without ever building a tree: yaml-cpp's tree recurses
/// with the nesting.
FileContent ReadYaml(std::string_view text);

}  // namespace roster::app
