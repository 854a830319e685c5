#include "metrics/label_cap.h"

namespace roster::metrics {

size_t LabelCap::Update(const std::set<std::string_view>& present) {
  std::erase_if(admitted_, [&](const std::string& value) { return !present.contains(value); });
  size_t surplus = 0;
  for (const std::string_view value : present) surplus += Admit(value) ? 0 : 1;
  return surplus;
}

bool LabelCap::Admit(std::string_view value) {
  if (admitted_.contains(value)) return true;
  if (admitted_.size() >= max_) return false;
  admitted_.emplace(value);
  return true;
}

}  // namespace roster::metrics
