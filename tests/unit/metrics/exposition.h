// Reads the exposition format, as far as the tests of metrics need it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace roster::metrics {

/// The lines of the family `name`: HELP, TYPE and samples, each with its newline.
std::string FamilyOf(std::string_view text, std::string_view name);

/// The line `series` (name and labels), or "" if there is none.
std::string LineOf(std::string_view text, std::string_view series);

struct FamilyShape {
  std::string type;
  std::string help;
  std::set<std::string> labels;  ///< Without `le`, which every histogram has.
};
std::map<std::string, FamilyShape> ShapesOf(std::string_view text);

/// What `promtool check metrics` says about `text`: "" if nothing. Nothing is asked if there is no
/// promtool.
struct LintResult {
  bool ran = false;
  std::string complaints;
};
LintResult Lint(std::string_view text);

}  // namespace roster::metrics
