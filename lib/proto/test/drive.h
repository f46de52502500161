// Two machines and nothing between them, for the tests of the common interface.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "pake/proto/machine.h"

namespace pake::testing {

/// What the store of a responder says.
using Store = std::function<std::optional<Buffer>()>;

/// Lets one machine do what it can: jobs are run, records looked up, messages appended to `outbox`, and `inbox` is
/// read, `step` bytes arriving at a time.
inline void advance(Machine& machine, Buffer& inbox, Buffer& outbox, std::size_t step, const Store& store) {
  for (std::size_t visible = 0;;) {
    switch (machine.want()) {
      case Want::send: {
        const auto message = machine.take_message().value();
        outbox.insert(outbox.end(), message.begin(), message.end());
        break;
      }
      case Want::decision: {
        const auto stored = store();
        static_cast<void>(machine.provide_record(stored ? std::optional<Bytes>(*stored) : std::nullopt));
        break;
      }
      case Want::ksf: {
        auto job = machine.take_job().value();
        job->run();
        static_cast<void>(machine.resume(std::move(job)));
        break;
      }
      case Want::receive: {
        if (visible == inbox.size()) return;
        visible = std::min(visible + step, inbox.size());
        const auto [at_least, at_most, silence_ends] = machine.incoming();
        EXPECT_FALSE(silence_ends);
        const auto consumed = machine.receive(Bytes(inbox).first(visible), Arrived::more_may_come);
        if (!consumed) return;
        if (*consumed == 0) {
          EXPECT_LT(visible, at_most) << "it buffers for ever";
          break;
        }
        EXPECT_GE(*consumed, at_least);
        EXPECT_LE(*consumed, at_most);
        inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>(*consumed));
        visible = 0;
        break;
      }
      default:
        return;
    }
  }
}

/// Runs two machines until neither moves.
inline void drive(
    Machine& a, Machine& b, std::size_t step = 1'000'000, const Store& store = [] { return std::nullopt; }) {
  Buffer to_a, to_b;
  for (int turn = 0; turn < 6; ++turn) {
    advance(a, to_a, to_b, step, store);
    advance(b, to_b, to_a, step, store);
  }
}

/// Both are done with one key of this size.
inline void expect_agreement(Machine& a, Machine& b, std::size_t size) {
  ASSERT_EQ(a.want(), Want::done);
  ASSERT_EQ(b.want(), Want::done);
  const auto key_a = a.take_session_key(), key_b = b.take_session_key();
  ASSERT_TRUE(key_a && key_b);
  EXPECT_TRUE(ct_equal(key_a->reveal(), key_b->reveal()));
  EXPECT_EQ(key_a->size(), size);
  EXPECT_EQ(a.take_session_key().error(), Errc::misuse) << "once";
}

}  // namespace pake::testing
