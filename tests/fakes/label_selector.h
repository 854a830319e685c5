// Label selectors as they stand in a query.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace roster::fake {

/// Immutable.
class LabelSelector {
 public:
  /// "a=b,c!=d,e in (f,g),h notin (i),j,!k"; empty selects everything. Errors: kInvalid.
  static Result<LabelSelector> Parse(std::string_view text);

  bool Matches(const nlohmann::json& object) const;

 private:
  enum class Operator { kIn, kNotIn, kExists, kAbsent };
  struct Requirement {
    std::string key;
    Operator op;
    std::vector<std::string> values;
  };
  static Result<Requirement> ParseOne(std::string_view text);

  std::vector<Requirement> requirements_;
};

}  // namespace roster::fake
