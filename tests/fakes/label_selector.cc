#include "fakes/label_selector.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"

namespace roster::fake {
namespace {

std::string Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

// At commas outside of parentheses.
std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool IsWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  });
}

Error Refusal(std::string_view what) {
  return {ErrorKind::kInvalid,
          fmt::format("unable to parse requirement: found '{}', expected: identifier", what)};
}

}  // namespace

Result<LabelSelector> LabelSelector::Parse(std::string_view text) {
  LabelSelector selector;
  if (Trim(text).empty()) return selector;
  for (const std::string& part : Split(text)) {
    auto requirement = ParseOne(Trim(part));
    if (!requirement) return requirement.error();
    selector.requirements_.push_back(*std::move(requirement));
  }
  return selector;
}

Result<LabelSelector::Requirement> LabelSelector::ParseOne(std::string_view text) {
  const auto checked = [](Requirement requirement) -> Result<Requirement> {
    if (requirement.key.empty() || !IsWord(requirement.key)) return Refusal(requirement.key);
    for (const std::string& value : requirement.values) {
      if (!IsWord(value)) return Refusal(value.substr(0, 1));
    }
    return requirement;
  };
  if (text.starts_with('!')) return checked({Trim(text.substr(1)), Operator::kAbsent, {}});
  if (const size_t open = text.find('('); open != std::string_view::npos && text.ends_with(')')) {
    const std::string head = Trim(text.substr(0, open));
    const size_t space = head.rfind(' ');
    const std::string word = space == std::string::npos ? "" : head.substr(space + 1);
    if (word != "in" && word != "notin") return Refusal(head);
    Requirement requirement{
        Trim(head.substr(0, space)), word == "in" ? Operator::kIn : Operator::kNotIn, {}};
    for (const std::string& value : Split(text.substr(open + 1, text.size() - open - 2))) {
      requirement.values.push_back(Trim(value));
    }
    return checked(std::move(requirement));
  }
  for (const auto& [symbol, op] :
       {std::pair("!=", Operator::kNotIn), {"==", Operator::kIn}, {"=", Operator::kIn}}) {
    const std::string_view sign = symbol;
    if (const size_t at = text.find(sign); at != std::string_view::npos) {
      return checked({Trim(text.substr(0, at)), op, {Trim(text.substr(at + sign.size()))}});
    }
  }
  return checked({std::string(text), Operator::kExists, {}});
}

bool LabelSelector::Matches(const nlohmann::json& object) const {
  const nlohmann::json* labels = api::FindMember(object.at("metadata"), "labels");
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const Requirement& r) {
    const nlohmann::json* value = labels ? api::FindMember(*labels, r.key) : nullptr;
    const bool listed =
        value != nullptr && std::find(r.values.begin(), r.values.end(), *value) != r.values.end();
    switch (r.op) {
      case Operator::kIn:
        return listed;
      case Operator::kNotIn:
        return !listed;
      case Operator::kExists:
        return value != nullptr;
      case Operator::kAbsent:
        return value == nullptr;
    }
    return false;
  });
}

}  // namespace roster::fake
