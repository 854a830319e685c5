#include "kube/credentials.h"

#include <gtest/gtest.h>

#include "fakes/fake_clock.h"
#include "unit/kube/temp_dir.h"

namespace roster::kube {
namespace {

using std::chrono::seconds;

class SecretTest : public testing::Test {
 protected:
  std::string Read(const Secret& secret) {
    const auto text = secret.Read(clock_);
    return text ? *text : ToString(text.error().kind).data() + (": " + text.error().message);
  }
  fake::FakeClock clock_;
  TempDir dir_;
};

TEST_F(SecretTest, NoSecretIsEmpty) {
  const Secret none;
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.rotates());
  EXPECT_EQ(Read(none), "");
  none.Expire();
}

TEST_F(SecretTest, AFixedTextStaysAsItIs) {
  const Secret secret = Secret::Inline("text \n");
  EXPECT_FALSE(secret.empty());
  EXPECT_FALSE(secret.rotates());
  EXPECT_EQ(Read(secret), "text \n");
  secret.Expire();
  EXPECT_EQ(Read(secret), "text \n");
}

TEST_F(SecretTest, AFileIsReadAgainOnlyWhenItIsOld) {
  const Secret secret = Secret::File(dir_.Write("token", "one\n"), seconds(60));
  EXPECT_TRUE(secret.rotates());
  EXPECT_EQ(Read(secret), "one");
  dir_.Write("token", "two\n");
  clock_.Advance(seconds(59));
  EXPECT_EQ(Read(secret), "one");
  clock_.Advance(seconds(1));
  EXPECT_EQ(Read(secret), "two");
}

TEST_F(SecretTest, ExpireHasItReadAtOnceAndForAllCopies) {
  const Secret secret = Secret::File(dir_.Write("token", "one"), seconds(60));
  const Secret copy = secret;
  EXPECT_EQ(Read(copy), "one");
  dir_.Write("token", "two");
  secret.Expire();
  EXPECT_EQ(Read(copy), "two");
}

TEST_F(SecretTest, TheOldTextStaysWhileTheFileCannotBeRead) {
  const std::string file = dir_.Write("token", "one");
  const Secret secret = Secret::File(file, seconds(60));
  EXPECT_EQ(Read(secret), "one");
  std::filesystem::remove(file);
  clock_.Advance(seconds(60));
  EXPECT_EQ(Read(secret), "one");
  dir_.Write("token", " \n");  // just being written
  clock_.Advance(seconds(60));
  EXPECT_EQ(Read(secret), "one");
  dir_.Write("token", "two");
  clock_.Advance(seconds(10));  // what failed is tried again sooner than after a minute
  EXPECT_EQ(Read(secret), "two");
}

TEST_F(SecretTest, AFileThatNeverCouldBeReadIsAnErrorWithItsName) {
  const std::string missing = dir_.path() + "/none";
  EXPECT_EQ(Read(Secret::File(missing, seconds(60))),
            "Invalid: cannot read " + missing + ": No such file or directory");
  EXPECT_EQ(Read(Secret::File(dir_.path(), seconds(60))),
            "Invalid: cannot read " + dir_.path() + ": Is a directory");
  const std::string empty = dir_.Write("empty", "\n");
  EXPECT_EQ(Read(Secret::File(empty, seconds(60))),
            "Invalid: cannot read " + empty + ": it is empty");
  const std::string big = dir_.Write("big", std::string((1U << 20U) + 1, 'x'));
  EXPECT_EQ(Read(Secret::File(big, seconds(60))),
            "Invalid: cannot read " + big + ": it is larger than 1 MiB");
}

}  // namespace
}  // namespace roster::kube
