// Cuts a stream of pieces into lines.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace roster::kube {

/// Confined to one thread.
class LineSplitter {
 public:
  /// `max_line`: longest line taken, in bytes; what is longer is no event of ours (etcd's own limit
  /// is 1.5 MiB).
  explicit LineSplitter(size_t max_line = 16U << 20U) : max_line_(max_line) {}

  /// Calls `line` for every line that `piece` completes, without its newline; empty lines are
  /// passed over. Returns false as soon as `line` does. Errors: kMalformed for a line over the
  /// limit.
  Result<bool> Feed(std::string_view piece, const std::function<bool(std::string_view)>& line);

  /// Bytes of a line that never ended.
  size_t pending() const { return buffer_.size(); }

 private:
  size_t max_line_;
  std::string buffer_;
};

}  // namespace roster::kube
