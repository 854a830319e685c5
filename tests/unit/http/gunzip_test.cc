#include "http/gunzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/http/gzip_sample.h"

namespace roster::http {
namespace {

using testing::HasSubstr;

std::string WhyRefused(std::string_view compressed, size_t max_size = size_t{1} << 30U) {
  const auto text = Gunzip(compressed, max_size);
  return text ? "accepted" : text.error().message;
}

TEST(GunzipTest, GivesBackTheText) {
  const auto text = Gunzip(GzipSample());
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_TRUE(*text == GunzippedSample());
}

TEST(GunzipTest, RefusesEveryTextThatBreaksOff) {
  const std::string sample = GzipSample();
  for (size_t size = 0; size < sample.size(); ++size) {
    EXPECT_THAT(WhyRefused(sample.substr(0, size)), HasSubstr("breaks off")) << size << " bytes";
  }
}

TEST(GunzipTest, RefusesWhatWasChangedOnTheWay) {
  std::string sample = GzipSample();
  sample[sample.size() - 6] = static_cast<char>(sample[sample.size() - 6] ^ 1);  // of the checksum
  EXPECT_THAT(WhyRefused(sample), HasSubstr("incorrect data check"));
  EXPECT_THAT(WhyRefused("this is no gzip"), HasSubstr("incorrect header check"));
  EXPECT_THAT(WhyRefused(GzipSample() + "x"), HasSubstr("something follows"));
}

TEST(GunzipTest, StopsAtTheLimit) {
  const size_t size = GunzippedSample().size();
  EXPECT_EQ(WhyRefused(GzipSample(), size), "accepted");
  EXPECT_THAT(WhyRefused(GzipSample(), size - 1), HasSubstr("longer than 349999 bytes"));
  EXPECT_THAT(WhyRefused(GzipSample(), 0), HasSubstr("longer than 0 bytes"));
}

}  // namespace
}  // namespace roster::http
