#include "http/gunzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <memory>

namespace roster::http {
namespace {

constexpr int kGzipOnly = 15 + 16;  // the widest window, and no other format
constexpr size_t kPiece = 256U << 10U;

}  // namespace

Result<std::string> Gunzip(std::string_view compressed, size_t max_size) {
  const auto refuse = [](std::string_view why) {
    return Error{ErrorKind::kMalformed, fmt::format("a broken gzip answer: {}", why)};
  };
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return refuse("no memory");
  const auto end = [](z_stream* s) { inflateEnd(s); };
  const std::unique_ptr<z_stream, decltype(end)> ending(&stream, end);

  std::string text;
  int state = Z_OK;
  while (state == Z_OK) {
    if (stream.avail_in == 0) {
      // In steps, because zlib counts in 32 bits.
      const auto step = compressed.substr(0, 1U << 30U);
      if (step.empty()) return refuse("it breaks off");
      compressed.remove_prefix(step.size());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(step.data()));
      stream.avail_in = static_cast<uInt>(step.size());
    }
    const size_t had = text.size();
    // One byte over the limit shows that there is more.
    const size_t room = std::min(std::max(kPiece, had), max_size + 1 - had);
    text.resize(had + room);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + had);
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(had + room - stream.avail_out);
    if (text.size() > max_size) return refuse(fmt::format("it is longer than {} bytes", max_size));
  }
  if (state != Z_STREAM_END) return refuse(stream.msg != nullptr ? stream.msg : "it breaks off");
  if (stream.avail_in > 0 || !compressed.empty()) return refuse("something follows its end");
  return text;
}

}  // namespace roster::http
