#include "kube/list_parser.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "api/json.h"

namespace roster::kube {
namespace {

using nlohmann::json;

// Where the parser stands. Inside kHead and kItems whole values are built and handed on when
// complete.
enum class Place { kStart, kHead, kItems, kDone };

class ListHandler final : public nlohmann::json_sax<json> {
 public:
  explicit ListHandler(const std::function<void(json&&)>& sink) : sink_(sink) {}

  bool null() override { return Scalar(nullptr); }
  bool boolean(bool value) override { return Scalar(value); }
  bool number_integer(number_integer_t value) override { return Scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return Scalar(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return Scalar(value);
  }
  bool string(string_t& value) override { return Scalar(std::move(value)); }
  bool binary(binary_t& value) override { return Scalar(json::binary(std::move(value))); }

  bool start_object(size_t /*size*/) override {
    if (open_.empty() && place_ == Place::kStart) {
      place_ = Place::kHead;
      return true;
    }
    return Open(json::object());
  }
  bool key(string_t& name) override {
    if (open_.empty()) {
      head_key_ = std::move(name);
    } else {
      slot_ = &(*open_.back())[std::move(name)];
    }
    return true;
  }
  bool end_object() override {
    if (open_.empty()) {
      place_ = Place::kDone;
      return true;
    }
    return Close();
  }
  bool start_array(size_t /*size*/) override {
    if (open_.empty() && place_ == Place::kHead && head_key_ == "items") {
      place_ = Place::kItems;
      return true;
    }
    return Open(json::array());
  }
  bool end_array() override {
    if (open_.empty()) {
      place_ = Place::kHead;
      return true;
    }
    return Close();
  }
  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    return Fail(error.what());
  }

  const std::string& problem() const { return problem_; }
  json TakeHead() { return std::move(head_); }

 private:
  bool Fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  /// Puts `value` where the parser stands and returns its place.
  json* Put(json&& value) {
    if (open_.empty()) return &(whole_ = std::move(value));
    json& parent = *open_.back();
    if (parent.is_array()) {
      // Stable as long as it is open: its siblings come after it.
      parent.push_back(std::move(value));
      return &parent.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }

  bool Open(json&& value) {
    if (place_ == Place::kStart) return Fail("a list must be a JSON object");
    const size_t around = place_ == Place::kItems ? 2 : 1;
    if (open_.size() + around >= static_cast<size_t>(api::kMaxJsonDepth)) {
      return Fail(fmt::format("JSON nested deeper than {} levels", api::kMaxJsonDepth));
    }
    open_.push_back(Put(std::move(value)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return open_.empty() ? Complete() : true;
  }

  template <class T>
  bool Scalar(T&& value) {
    if (place_ == Place::kStart) return Fail("a list must be a JSON object");
    Put(json(std::forward<T>(value)));
    return open_.empty() ? Complete() : true;
  }

  bool Complete() {
    if (place_ == Place::kHead) {
      head_[head_key_] = std::move(whole_);
      return true;
    }
    if (!whole_.is_object()) return Fail("an item of a list must be a JSON object");
    sink_(std::move(whole_));
    whole_ = nullptr;
    return true;
  }

  const std::function<void(json&&)>& sink_;
  Place place_ = Place::kStart;
  std::string head_key_;
  json head_ = json::object();
  json whole_;               ///< The value being built: an item, or a member of the head.
  std::vector<json*> open_;  ///< Containers of `whole_` that have not ended, outermost first.
  json* slot_ = nullptr;     ///< Where the value of the last key goes.
  std::string problem_;
};

}  // namespace

Result<json> ParseList(std::string_view text, const std::function<void(json&&)>& sink) {
  ListHandler handler(sink);
  if (!json::sax_parse(text.begin(), text.end(), &handler)) {
    return Error{ErrorKind::kMalformed, handler.problem()};
  }
  return handler.TakeHead();
}

}  // namespace roster::kube
