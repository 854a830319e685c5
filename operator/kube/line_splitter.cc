#include "kube/line_splitter.h"

#include <fmt/format.h>

namespace roster::kube {

Result<bool> LineSplitter::Feed(std::string_view piece,
                                const std::function<bool(std::string_view)>& line) {
  const auto too_long = [this] {
    return Error{ErrorKind::kMalformed, fmt::format("a line longer than {} bytes", max_line_)};
  };
  const auto hand_over = [&line](std::string_view text) {
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return text.empty() || line(text);
  };
  while (!piece.empty()) {
    const size_t end = piece.find('\n');
    const bool complete = end != std::string_view::npos;
    const std::string_view part = piece.substr(0, complete ? end : piece.size());
    if (buffer_.size() + part.size() > max_line_) return too_long();
    if (!complete) {
      buffer_.append(part);
      return true;
    }
    piece.remove_prefix(end + 1);
    // Most lines arrive whole within one piece and need no copy.
    bool go_on = false;
    if (buffer_.empty()) {
      go_on = hand_over(part);
    } else {
      buffer_.append(part);
      go_on = hand_over(buffer_);
      buffer_.clear();
    }
    if (!go_on) return false;
  }
  return true;
}

}  // namespace roster::kube
