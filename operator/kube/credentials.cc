#include "kube/credentials.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

namespace roster::kube {
namespace {

constexpr size_t kMaxFile = 1U << 20U;
/// How soon a file that could not be read is tried again.
constexpr std::chrono::seconds kRetryAfter{10};

/// `text` without white space at its end, which would break a header line.
std::string TrimEnd(std::string text) {
  const size_t last = text.find_last_not_of(" \t\r\n");
  text.resize(last == std::string::npos ? 0 : last + 1);
  return text;
}

Result<std::string> ReadSecretFile(const std::string& path) {
  const auto refuse = [&path](std::string_view why) {
    return Error{ErrorKind::kInvalid, fmt::format("cannot read {}: {}", path, why)};
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFile + 1, '\0');
  if (!file || !file.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    if (file) return refuse("it is larger than 1 MiB");
    return refuse(errno != 0 ? std::generic_category().message(errno) : "it is no file");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  text = TrimEnd(std::move(text));
  if (text.empty()) return refuse("it is empty");
  return text;
}

}  // namespace

struct Secret::State {
  struct Cached {
    std::string text;
    bool known = false;    ///< `text` has been read at least once.
    bool expired = false;  ///< Somebody found it to be outdated.
    MonoTime next_read{};
  };

  std::string path;  ///< Empty: a fixed text.
  std::chrono::seconds max_age{0};
  Guarded<Cached> cached;
};

Secret Secret::Inline(std::string text) {
  Secret secret;
  secret.state_ = std::make_shared<State>();
  auto cached = secret.state_->cached.Lock();
  cached->text = std::move(text);
  cached->known = true;
  return secret;
}

Secret Secret::File(std::string path, std::chrono::seconds max_age) {
  Secret secret;
  secret.state_ = std::make_shared<State>();
  secret.state_->path = std::move(path);
  secret.state_->max_age = max_age;
  return secret;
}

bool Secret::rotates() const {
  return state_ && !state_->path.empty();
}

Result<std::string> Secret::Read(const Clock& clock) const {
  if (!state_) return std::string();
  auto cached = state_->cached.Lock();
  if (state_->path.empty()) return cached->text;
  const MonoTime now = clock.Mono();
  if (cached->known && !cached->expired && now < cached->next_read) return cached->text;
  auto fresh = ReadSecretFile(state_->path);
  if (!fresh && !cached->known) return fresh;
  if (fresh) cached->text = std::move(*fresh);
  cached->known = true;
  cached->expired = false;
  cached->next_read = now + (fresh ? state_->max_age : std::min(state_->max_age, kRetryAfter));
  return cached->text;
}

void Secret::Expire() const {
  if (state_) state_->cached.Lock()->expired = true;
}

}  // namespace roster::kube
