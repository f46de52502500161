// kill -9 at any moment loses no acknowledged change, on any store.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "backends.h"
#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;

class Kill : public ::testing::TestWithParam<NamedBackend> {};

INSTANTIATE_TEST_SUITE_P(On, Kill, ::testing::ValuesIn(backends()),
                         [](const auto& backend) { return backend.param.name; });

// A child makes changes and says so by a pipe; it is killed whenever it suits us. The changes are a function of their
// number, so that the parent knows what must be there.
TEST_P(Kill, LosesNoAcknowledgedChangeOfAThousand) {
  auto made = GetParam().make();
  if (!made) GTEST_SKIP() << made.error();
  const auto backend = std::move(*made);
  Keys keys(1);
  must(backend->create(make_store_seed(keys.file, kFirst, kNow, keys.rng))).reset();
  const auto name_of = [](std::uint64_t change) { return "user" + std::to_string(change % 7); };
  std::uint64_t done = 0;
  int kills = 0;
  while (done < 1000) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      Keys of_child(1000 + done);
      auto store = backend->open();
      if (!store) ::_exit(1);
      for (auto change = done;; ++change) {
        auto found = (*store)->find_user(name_of(change));
        if (!found) ::_exit(1);
        // The record says the number of the change.
        auto row = *found ? next_revision(**found, kNow) : new_user(name_of(change), kFirst, kNow, of_child.rng);
        row.changed_at = kNow + std::chrono::milliseconds(static_cast<std::int64_t>(change));
        if (!seal_user(keys.file, row, as_bytes(std::to_string(change)), of_child.rng)) ::_exit(1);
        if (!(*store)->write_user({.row = row}, note("x", row.name))) ::_exit(1);
        if (::write(pipe[1], &change, sizeof change) != sizeof change) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    std::array<std::uint8_t, 1> drawn{};
    keys.rng.fill(drawn);
    // So many changes, and then the blow falls somewhere within the next ones.
    for (std::uint64_t change = 0, left = 1 + drawn[0] % 64U;
         ::read(pipe[0], &change, sizeof change) == sizeof change;) {
      EXPECT_EQ(change, done);
      done = change + 1;
      if (--left == 0) {
        ::usleep(drawn[0] * 17U);
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        ++kills;
      }
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself, exit " << WEXITSTATUS(status);

    const auto store = must(backend->open());
    const auto audit = must(store->read_audit("", 1));
    const auto rows = audit.front().id;
    EXPECT_GE(rows, done);
    // At most one more was kept than the child could say.
    std::uint64_t newest = 0;
    for (std::uint64_t user = 0; user < std::min<std::uint64_t>(7, done); ++user) {
      const auto row = must(store->find_user(name_of(user)));
      ASSERT_TRUE(row);
      const auto change = std::stoull(keys.record_of(*row));
      EXPECT_EQ(change % 7, user);
      EXPECT_GE(change + 7, done);  // the last change of this user that was acknowledged, or a later one
      newest = std::max<std::uint64_t>(newest, change);
    }
    EXPECT_GE(newest + 1, done);
    EXPECT_LE(newest, done);
    done = newest + 1;
    ASSERT_FALSE(HasFailure()) << "after " << kills << " kills";
  }
  EXPECT_GE(kills, 15);
}

}  // namespace
}  // namespace pake::store
