// Which values of a label get series of their own.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace roster::metrics {

/// The label value that stands for all that have no series of their own. No namespace and no agent
/// type can be called so.
inline constexpr std::string_view kOther = "_other";

/// At most `max` values, first come first served. A value keeps its place for as long as it exists:
/// newcomers never turn an old series off. Not thread-safe.
class LabelCap {
 public:
  explicit LabelCap(size_t max) : max_(max) {}

  /// Says which values exist now; places of others are free again. Returns how many have no place.
  size_t Update(const std::set<std::string_view>& present);

  /// Takes a place for `value` if one is free. False if it has none.
  bool Admit(std::string_view value);

  /// `value` itself, or kOther. The result lives as long as `value` does.
  std::string_view LabelFor(std::string_view value) const {
    return admitted_.contains(value) ? value : kOther;
  }

 private:
  const size_t max_;
  std::set<std::string, std::less<>> admitted_;
};

}  // namespace roster::metrics
