// Same inputs, same key; any one difference, no key. A failure prints the seed of its run.
#include <gtest/gtest.h>

#include <random>

#include "rig.h"

namespace pake::opaque {
namespace {

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  [[nodiscard]] std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  [[nodiscard]] std::string text(std::size_t longest) {
    std::string text(below(longest + 1), '\0');
    for (auto& c : text) c = static_cast<char>(below(256));
    return text;
  }
  /// Another text: a byte more, a byte less, or a byte that differs.
  [[nodiscard]] std::string other(std::string text) {
    const auto how = text.size() < 2 ? 0 : below(3);  // empty passwords and identifiers are misuse
    if (how == 0) text.insert(text.begin() + static_cast<std::ptrdiff_t>(below(text.size() + 1)), char(below(256)));
    if (how == 1) text.erase(below(text.size()), 1);
    if (how == 2) text[below(text.size())] ^= static_cast<char>(1 + below(255));
    return text;
  }
  /// A login between two sides that agree on everything.
  [[nodiscard]] Rig rig(SuiteId suite) {
    Rig rig{
        .suite = suite, .password = "p" + text(39), .credential_identifier = "i" + text(19), .seed = below(SIZE_MAX)};
    rig.login_password = rig.password;
    rig.login_credential_identifier = rig.credential_identifier;
    rig.registration = rig.client =
        rig.server = {.context = text(30), .client_identity = text(20), .server_identity = text(20)};
    return rig;
  }

 private:
  std::mt19937 random_;
};

/// Every place where the two sides, or registration and login, can differ in one text.
std::vector<std::string*> texts(Rig& rig) {
  return {&rig.login_password,
          &rig.login_credential_identifier,
          &rig.registration.client_identity,
          &rig.registration.server_identity,
          &rig.client.context,
          &rig.client.client_identity,
          &rig.client.server_identity,
          &rig.server.context,
          &rig.server.client_identity,
          &rig.server.server_identity};
}

class Property : public ::testing::TestWithParam<SuiteId> {};
INSTANTIATE_TEST_SUITE_P(Opaque, Property, ::testing::ValuesIn(kAllSuites));

TEST_P(Property, SameInputsSameKeyAndAnyOneDifferenceNone) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Draw draw(seed);
  for (int run = 0; run < 3; ++run) {
    const auto honest = draw.rig(GetParam());
    const auto outcome = honest.run();
    EXPECT_TRUE(outcome.agreed()) << outcome.failed_at;
    EXPECT_EQ(outcome.export_key, outcome.export_key_of_registration);

    auto counted = honest;
    for (std::size_t i = 0; i < texts(counted).size(); ++i) {
      auto differing = honest;
      auto& text = *texts(differing)[i];
      text = draw.other(text);
      const auto refused = differing.run();
      EXPECT_TRUE(refused.no_key()) << "difference " << i;
      EXPECT_EQ(refused.error, Errc::auth_failed) << "difference " << i;
    }
  }
}

TEST_P(Property, FreshRandomnessGivesFreshKeysAndTheSameExportKeyOnlyForTheSameRecord) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Draw draw(seed);
  auto rig = draw.rig(GetParam());
  const auto once = rig.run();
  rig.seed += 1;
  const auto again = rig.run();
  EXPECT_TRUE(once.agreed());
  EXPECT_TRUE(again.agreed());
  EXPECT_NE(once.client_key, again.client_key);
  EXPECT_NE(once.export_key, again.export_key);
}

}  // namespace
}  // namespace pake::opaque
