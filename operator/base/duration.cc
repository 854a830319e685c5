#include "base/duration.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace roster {
namespace {
struct DurationUnit {
  std::string_view name;
  int64_t millis;
};
// "ms" stands before "m", so that the longer name is tried first.
constexpr std::array<DurationUnit, 4> kUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr size_t kMaxLength = 16;
constexpr int64_t kMaxMillis = int64_t{100} * 365 * 24 * 3'600'000;  // a century

Error Refuse(std::string_view text) {
  return {
      ErrorKind::kInvalid,
      fmt::format("\"{}\" is no duration; allowed are whole numbers with the units ms, s, m and h, "
                  "as in \"15s\" or \"1h30m\", at most {} characters and 100 years",
                  text, kMaxLength)};
}
}  // namespace

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text.empty() || text.size() > kMaxLength) return Refuse(text);
  int64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    int64_t number = 0;
    size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
      number = number * 10 + (rest[digits] - '0');  // 16 digits at most: cannot overflow
    }
    rest.remove_prefix(digits);
    const DurationUnit* unit = nullptr;
    for (const DurationUnit& candidate : kUnits) {
      if (rest.starts_with(candidate.name)) {
        unit = &candidate;
        break;
      }
    }
    if (digits == 0 || unit == nullptr || number > kMaxMillis / unit->millis) return Refuse(text);
    total += number * unit->millis;
    if (total > kMaxMillis) return Refuse(text);
    rest.remove_prefix(unit->name.size());
  }
  return std::chrono::milliseconds(total);
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string text;
  if (left < 0) {
    text = "-";
    left = -left;
  }
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (const int64_t count = left / unit->millis; count > 0) {
      text += fmt::format("{}{}", count, unit->name);
      left %= unit->millis;
    }
  }
  return text;
}

}  // namespace roster
