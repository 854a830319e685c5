#include "kube/base64.h"

#include <gtest/gtest.h>

namespace roster::kube {
namespace {

TEST(Base64Test, DecodesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"Zg==", "f"},
                                                         {"Zm8=", "fo"},
                                                         {"Zm9v", "foo"},
                                                         {"Zm9vYg==", "foob"},
                                                         {"Zm9vYmE=", "fooba"},
                                                         {"Zm9vYmFy", "foobar"}};
  for (const auto& [encoded, plain] : vectors) EXPECT_EQ(DecodeBase64(encoded), plain) << encoded;
  EXPECT_EQ(DecodeBase64("+/+/"), "\xFB\xFF\xBF");
}

TEST(Base64Test, PassesOverLineBreaks) {
  EXPECT_EQ(DecodeBase64(" Zm9v\n\tYm\r\nFy "), "foobar");
}

TEST(Base64Test, RefusesWhatIsNoBase64) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zm8", "Zg===", "====", "=", "Zg==Zg==", "Zm9v=",
                          "Z=g=", "Zm9-", "Zm9_", "-----BEGIN", "Zm9v\xC3\xBC=="}) {
    EXPECT_EQ(DecodeBase64(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace roster::kube
