#include "kube/status_error.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace roster::kube {
namespace {

using nlohmann::json;

json Status(int code, std::string_view reason, std::string_view message, json details = nullptr) {
  json status = {{"kind", "Status"},
                 {"apiVersion", "v1"},
                 {"status", "Failure"},
                 {"code", code},
                 {"message", message}};
  if (!reason.empty()) status["reason"] = reason;
  if (!details.is_null()) status["details"] = std::move(details);
  return status;
}

json Cause(std::string_view field, std::string_view reason) {
  return {{"causes", {{{"field", field}, {"reason", reason}, {"message", "m"}}}}};
}

struct Case {
  int code;
  const char* reason;
  json details;
  ErrorKind kind;
};

TEST(StatusErrorTest, EveryStatusOfTheServerHasItsKind) {
  const Case cases[] = {
      {400, "BadRequest", nullptr, ErrorKind::kInvalid},
      {401, "Unauthorized", nullptr, ErrorKind::kUnauthorized},
      {403, "Forbidden", nullptr, ErrorKind::kForbidden},
      {404, "NotFound", nullptr, ErrorKind::kNotFound},
      {405, "MethodNotAllowed", nullptr, ErrorKind::kInvalid},
      {408, "Timeout", nullptr, ErrorKind::kTimeout},
      {409, "AlreadyExists", nullptr, ErrorKind::kAlreadyExists},
      {409, "Conflict", nullptr, ErrorKind::kConflict},
      {409, "", nullptr, ErrorKind::kConflict},
      {410, "Expired", nullptr, ErrorKind::kExpired},
      {410, "Gone", nullptr, ErrorKind::kExpired},
      {410, "", nullptr, ErrorKind::kExpired},
      {413, "RequestEntityTooLarge", nullptr, ErrorKind::kInvalid},
      {415, "UnsupportedMediaType", nullptr, ErrorKind::kInvalid},
      {422, "Invalid", Cause("spec.image", "FieldValueInvalid"), ErrorKind::kInvalid},
      {422, "Invalid", Cause("metadata.uid", "FieldValueInvalid"), ErrorKind::kConflict},
      {429, "TooManyRequests", nullptr, ErrorKind::kThrottled},
      {500, "InternalError", nullptr, ErrorKind::kUnavailable},
      {500, "ServerTimeout", nullptr, ErrorKind::kUnavailable},
      {503, "ServiceUnavailable", nullptr, ErrorKind::kUnavailable},
      {504, "Timeout", nullptr, ErrorKind::kTimeout},
      {504, "", nullptr, ErrorKind::kUnavailable},
      {504, "Timeout", Cause("", "ResourceVersionTooLarge"), ErrorKind::kFutureVersion},
  };
  for (const Case& c : cases) {
    const json status = Status(c.code, c.reason, "what the server says", c.details);
    // As an answer and as a watch's ERROR event.
    for (const Error& error : {ErrorOf({c.code, status.dump(), {}}), ErrorOfStatus(status)}) {
      EXPECT_EQ(error.kind, c.kind) << c.code << " " << c.reason << ": " << ToString(error.kind);
      EXPECT_EQ(error.message, "what the server says");
    }
  }
}

TEST(StatusErrorTest, AnApplyWithAnUnknownFieldIsTheCallersMistakeAlthoughTheServerSays500) {
  const std::string message =
      "failed to create typed patch object (default/d; apps/v1, Kind=Deployment): .spec.nope: "
      "field not declared in schema";
  EXPECT_EQ(ErrorOf({500, Status(500, "", message).dump(), {}}).kind, ErrorKind::kInvalid);
}

TEST(StatusErrorTest, RetryAfterComesFromTheHeaderOrElseFromTheDetails) {
  using std::chrono::seconds;
  const json status = Status(429, "TooManyRequests", "m", {{"retryAfterSeconds", 7}});
  EXPECT_EQ(ErrorOf({429, status.dump(), {}}).retry_after, seconds(7));
  EXPECT_EQ(ErrorOf({429, status.dump(), seconds(2)}).retry_after, seconds(2));
  EXPECT_EQ(ErrorOf({503, "", seconds(3)}).retry_after, seconds(3));
  EXPECT_EQ(ErrorOfStatus(status).retry_after, seconds(7));
  EXPECT_EQ(ErrorOfStatus(Status(429, "", "m")).retry_after, std::nullopt);
}

TEST(StatusErrorTest, ABodyThatIsNoStatusIsQuotedInOneShortLine) {
  const auto html = ErrorOf({502, "<html>\n<h1>Bad\tGateway</h1>\n</html>", {}});
  EXPECT_EQ(html.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(html.message, "the server answered 502: <html> <h1>Bad Gateway</h1> </html>");
  EXPECT_EQ(ErrorOf({503, "", {}}).message, "the server answered 503");

  std::string umlauts = "x";
  while (umlauts.size() < 1000) umlauts += "ü";
  const auto cut = ErrorOf({500, umlauts, {}});
  EXPECT_LT(cut.message.size(), 300U);
  EXPECT_TRUE(cut.message.ends_with("…"));
  EXPECT_NO_THROW(json(cut.message).dump()) << "cut within a character";
}

TEST(StatusErrorTest, ARedirectIsNoAnswerOfAnApiServer) {
  EXPECT_EQ(ErrorOf({302, "", {}}).kind, ErrorKind::kMalformed);
}

TEST(StatusErrorTest, AStatusOfStrangeTypesIsStillAnError) {
  const json strange[] = {
      {{"kind", "Status"}, {"code", "404"}, {"reason", 5}, {"message", {1, 2}}, {"details", 7}},
      {{"kind", "Status"}, {"details", {{"causes", "x"}, {"retryAfterSeconds", "soon"}}}},
      {{"kind", "Status"}, {"details", {{"causes", {1, nullptr, "x"}}}}},
      {{"kind", "Status"}, {"code", 1e300}},
      json::array({1}),
      nullptr,
      "text"};
  for (const json& status : strange) {
    EXPECT_EQ(ErrorOf({404, status.dump(), {}}).kind, ErrorKind::kNotFound) << status;
    EXPECT_FALSE(ErrorOf({404, status.dump(), {}}).message.empty()) << status;
    EXPECT_EQ(ErrorOfStatus(status).kind, ErrorKind::kMalformed) << status;
  }
}

}  // namespace
}  // namespace roster::kube
