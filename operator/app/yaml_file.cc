#include "app/yaml_file.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace roster::app {
namespace {

/// Ends the parsing; caught in ReadYaml.
struct Refused {
  YAML::Mark mark;
  std::string reason;
};

/// Turns the parser's events into entries. Depth 1 is the map of settings, depth 2 a list of values
/// or what is refused.
class Reader final : public YAML::EventHandler {
 public:
  explicit Reader(FileContent& content) : content_(content) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Refused{mark, "a second document begins; allowed: one"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (depth_ == 0) return;  // an empty file
    if (AtKey()) throw Refused{mark, "a key is missing"};
    if (depth_ == 2 && InList()) Current().kind = FileEntry::Kind::kOther;
    if (depth_ == 1) key_next_ = true;
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{mark, "aliases (*name) are not allowed"};
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string& value) override {
    if (depth_ == 0)
      throw Refused{
          mark, "\"" + value.substr(0, 80) + "\" is no setting; allowed: lines of \"key: value\""};
    if (AtKey()) {
      content_.entries.push_back({value, mark.line + 1, FileEntry::Kind::kNothing, {}});
      key_next_ = false;
    } else if (depth_ == 1) {
      Current().kind = FileEntry::Kind::kScalar;
      Current().values.push_back(value);
      key_next_ = true;
    } else if (depth_ == 2 && InList()) {
      Current().values.push_back(value);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Enter(mark, FileEntry::Kind::kList);
  }
  void OnSequenceEnd() override { Leave(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Enter(mark, FileEntry::Kind::kOther);
  }
  void OnMapEnd() override { Leave(); }

  /// A key was read, and its value not to the end.
  bool InValue() const { return depth_ > 1 || (depth_ == 1 && !key_next_); }

 private:
  FileEntry& Current() { return content_.entries.back(); }
  bool AtKey() const { return depth_ == 1 && key_next_; }
  bool InList() { return Current().kind == FileEntry::Kind::kList; }

  void Enter(const YAML::Mark& mark, FileEntry::Kind kind) {
    if (depth_ >= kMaxDepth) {
      throw Refused{mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
    }
    if (depth_ == 0 && kind == FileEntry::Kind::kList) {
      throw Refused{mark, "a list stands where lines of \"key: value\" are needed"};
    }
    if (AtKey()) throw Refused{mark, "a list or map stands where a key is needed"};
    if (depth_ == 1) Current().kind = kind;
    // A list within a list, or a map in it, makes the whole value something else.
    if (depth_ >= 2) Current().kind = FileEntry::Kind::kOther;
    ++depth_;
  }
  void Leave() {
    if (--depth_ != 1) return;
    key_next_ = true;
    if (Current().kind == FileEntry::Kind::kOther) Current().values.clear();
  }

  FileContent& content_;
  int documents_ = 0;
  int depth_ = 0;
  bool key_next_ = true;
};

}  // namespace

FileContent ReadYaml(std::string_view text) {
  FileContent content;
  Reader reader(content);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(reader)) {
    }
  } catch (const Refused& refused) {
    content.error_line = refused.mark.line + 1;
    content.error = refused.reason;
  } catch (const YAML::Exception& error) {
    content.error_line = std::max(error.mark.line, 0) + 1;  // some errors have no place
    content.error = "not YAML: " + error.msg;
  } catch (const std::exception& error) {
    content.error_line = 1;
    content.error = std::string("not YAML: ") + error.what();
  }
  // What was being read when the error came would only be complained about twice.
  if (!content.error.empty() && reader.InValue()) content.entries.pop_back();
  return content;
}

}  // namespace roster::app
