#include "http/exchange.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace roster::http {
namespace {

/// What cpprestsdk reports, in words. It passes the number of an error code on without its
/// category, so the number means different things: below 3 an end of the stream (Asio's own or
/// TLS's), above all errno an OpenSSL error.
std::string Describe(const web::http::http_exception& e) {
  const int code = e.error_code().value();
  std::string what = e.what();
  if (what.starts_with("Error resolving") || what.starts_with("Failed to resolve")) {
    return what + ": the name has no address";
  }
  if (code == 1 || code == 2) return what + ": the server closed the connection";
  if (code == EHOSTUNREACH) {
    // It also stands for a refused connection and, while something is written, for a broken pipe.
    return what + (what.find("connect") != std::string::npos
                       ? ": connection refused, or no route to the host"
                       : ": the server closed the connection");
  }
  if (code > 4096 || code < 0) {
    const char* reason =
        ERR_reason_error_string(static_cast<unsigned long>(static_cast<unsigned int>(code)));
    return reason != nullptr ? fmt::format("{}: {}", what, reason) : what;
  }
  if (code > 0) return fmt::format("{}: {}", what, std::generic_category().message(code));
  return what;
}

/// Of the exception being handled.
std::string DescribeCurrent() {
  try {
    throw;
  } catch (const web::http::http_exception& e) {
    return Describe(e);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an unknown failure of the HTTP library";
  }
}

}  // namespace

/// The response body's stream: what is written to it goes to Exchange::Put. Write only.
class Exchange::BodyBuffer final
    : public concurrency::streams::details::streambuf_state_manager<uint8_t> {
 public:
  explicit BodyBuffer(std::shared_ptr<Exchange> owner)
      : streambuf_state_manager<uint8_t>(std::ios_base::out), owner_(std::move(owner)) {}

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  size_t buffer_size(std::ios_base::openmode /*direction*/) const override { return 0; }
  void set_buffer_size(size_t /*size*/, std::ios_base::openmode /*direction*/) override {}
  size_t in_avail() const override { return 0; }
  pos_type getpos(std::ios_base::openmode /*direction*/) const override { return pos_type(-1); }
  pos_type seekpos(pos_type /*pos*/, std::ios_base::openmode /*direction*/) override {
    return pos_type(-1);
  }
  pos_type seekoff(off_type /*offset*/, std::ios_base::seekdir /*way*/,
                   std::ios_base::openmode /*mode*/) override {
    return pos_type(-1);
  }
  bool acquire(uint8_t*& data, size_t& count) override {
    data = nullptr;
    count = 0;
    return false;
  }
  void release(uint8_t* /*data*/, size_t /*count*/) override {}

 protected:
  pplx::task<int_type> _putc(uint8_t byte) override {
    const auto keep = std::make_shared<uint8_t>(byte);
    return owner_->Put(keep.get(), 1).then([keep](size_t) { return static_cast<int_type>(*keep); });
  }
  pplx::task<size_t> _putn(const uint8_t* data, size_t count) override {
    return owner_->Put(data, count);
  }
  pplx::task<int_type> _bumpc() override { return pplx::task_from_result(traits::eof()); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return pplx::task_from_result(traits::eof()); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return pplx::task_from_result(traits::eof()); }
  pplx::task<int_type> _ungetc() override { return pplx::task_from_result(traits::eof()); }
  pplx::task<size_t> _getn(uint8_t* /*data*/, size_t /*count*/) override {
    return pplx::task_from_result<size_t>(0);
  }
  size_t _scopy(uint8_t* /*data*/, size_t /*count*/) override { return 0; }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  uint8_t* _alloc(size_t /*count*/) override { return nullptr; }
  void _commit(size_t /*count*/) override {}

 private:
  const std::shared_ptr<Exchange> owner_;
};

/// Lives as long as cpprestsdk's own record of the request, which gives the connection back just
/// before it ends: some time after the answer is complete. There is no callback for that, so this
/// hangs on to the request as a progress handler, which is destroyed with it.
class Exchange::ReleaseSignal {
 public:
  explicit ReleaseSignal(std::shared_ptr<Exchange> owner) : owner_(std::move(owner)) {}
  ~ReleaseSignal() { owner_->OnReleased(); }
  ReleaseSignal(const ReleaseSignal&) = delete;
  ReleaseSignal& operator=(const ReleaseSignal&) = delete;

 private:
  const std::shared_ptr<Exchange> owner_;
};

void Exchange::Start(web::http::client::http_client& client, web::http::http_request request) {
  const auto self = shared_from_this();
  const concurrency::streams::streambuf<uint8_t> buffer(std::make_shared<BodyBuffer>(self));
  request.set_response_stream(buffer.create_ostream());
  request.set_progress_handler([signal = std::make_shared<ReleaseSignal>(self)](
                                   web::http::message_direction::direction, utility::size64_t) {});
  pplx::task<web::http::http_response> sent;
  try {
    sent = client.request(request, cancel_.get_token());
  } catch (...) {
    OnEnd(DescribeCurrent());
    return;  // `request` ends here, and with it the ReleaseSignal
  }
  // Every task is looked at within try: an exception that nobody sees ends the process.
  sent.then([self](const pplx::task<web::http::http_response>& headers) {
    web::http::http_response response;
    try {
      response = headers.get();
      self->OnHeaders(response);
    } catch (...) {
      self->OnEnd(DescribeCurrent());
      return;
    }
    response.content_ready().then([self](const pplx::task<web::http::http_response>& body) {
      try {
        body.get();
        self->OnEnd(std::nullopt);
      } catch (...) {
        self->OnEnd(DescribeCurrent());
      }
    });
  });
}

pplx::task<size_t> Exchange::Put(const uint8_t* data, size_t size) {
  const std::string_view piece(reinterpret_cast<const char*>(data), size);
  auto state = state_.Lock();
  // Dropped, and not refused: cpprestsdk answers a failed write by waiting on its own pool for the
  // stream to close, which never ends once the process exits. The cancellation ends the answer.
  if (state->abandoned) return pplx::task_from_result(size);
  if (mode_ == Mode::kCollect) {
    state->body.append(piece);
    return pplx::task_from_result(size);
  }
  state->piece = piece;
  state->taken.emplace();
  state_.NotifyAll();
  return pplx::create_task(*state->taken);
}

void Exchange::OnHeaders(const web::http::http_response& response) {
  auto state = state_.Lock();
  state->status = response.status_code();
  const auto header = response.headers().find("Retry-After");
  if (header != response.headers().end()) {
    const std::string& text = header->second;
    int seconds = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (bad == std::errc() && end == text.data() + text.size() && seconds >= 0) {
      state->retry_after = std::chrono::seconds(seconds);
    }
  }
  const auto encoding = response.headers().find("Content-Encoding");
  state->gzip = encoding != response.headers().end() && encoding->second == "gzip";
  if (mode_ == Mode::kHandOver) state_.NotifyAll();
}

void Exchange::OnEnd(std::optional<std::string> problem) {
  auto state = state_.Lock();
  state->ended = true;
  state->problem = std::move(problem);
  if (state->released) state_.NotifyAll();
}

void Exchange::OnReleased() {
  auto state = state_.Lock();
  state->released = true;
  if (state->ended) state_.NotifyAll();
}

Exchange::Event Exchange::Wait(const Clock& clock, MonoTime deadline, const std::stop_token& stop) {
  auto state = state_.Lock();
  while (true) {
    // What a piece is depends on the status, so it waits for the headers.
    if (state->taken && state->status != 0) return Event::kPiece;
    if (state->ended && state->released) return Event::kFinished;
    if (stop.stop_requested()) return state->ended ? Event::kFinished : Event::kStopped;
    if (clock.Mono() >= deadline) return state->ended ? Event::kFinished : Event::kDeadline;
    state.Wait(clock, deadline, stop);
  }
}

std::string_view Exchange::piece() {
  return state_.Lock()->piece;
}

void Exchange::Taken() {
  std::optional<pplx::task_completion_event<size_t>> taken;
  size_t size = 0;
  {
    auto state = state_.Lock();
    taken.swap(state->taken);
    size = std::exchange(state->piece, {}).size();
  }
  if (taken) taken->set(size);
}

void Exchange::Abandon() {
  std::optional<pplx::task_completion_event<size_t>> taken;
  size_t size = 0;
  {
    auto state = state_.Lock();
    state->abandoned = true;
    taken.swap(state->taken);
    size = std::exchange(state->piece, {}).size();
  }
  cancel_.cancel();
  // After the cancellation, so that the connection is closed and not used again.
  if (taken) taken->set(size);
}

int Exchange::status() {
  return state_.Lock()->status;
}

std::optional<std::string> Exchange::problem() {
  return state_.Lock()->problem;
}

bool Exchange::gzip() {
  return state_.Lock()->gzip;
}

kube::Response Exchange::TakeResponse() {
  auto state = state_.Lock();
  return {state->status, std::move(state->body), state->retry_after};
}

}  // namespace roster::http
