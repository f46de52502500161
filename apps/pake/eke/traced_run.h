// The messages of a run, told to a trace: they have no frames, so only who drives the machine knows where one ends.
#pragma once

#include <cstddef>
#include <string>

#include "pake/base/bytes.h"
#include "pake/proto/eke/rsa_eke.h"
#include "pake/proto/machine.h"
#include "trace/trace.h"

namespace pake::cli::eke {

/// What the trace calls it.
[[nodiscard]] std::string protocol_of(pake::eke::Form form);

/// A line of the chat, or what the listener answers.
enum class Speaker : std::uint8_t { connector, listener };
void note_chat(trace::Trace::Connection& trace, trace::Passed passed, Speaker speaker, Bytes text);

/// `machine`, each of whose messages is told to `trace`; both outlive it. One that the machine refuses is told as far
/// as it had come.
class TracedRun final : public Machine {
 public:
  TracedRun(Machine& machine, pake::eke::Form form, trace::Trace::Connection& trace) noexcept
      : machine_(machine), form_(form), trace_(trace) {}

  [[nodiscard]] Want want() const noexcept override { return machine_.want(); }
  [[nodiscard]] Result<Buffer> take_message() override;
  [[nodiscard]] Incoming incoming() const noexcept override { return machine_.incoming(); }
  [[nodiscard]] Result<std::size_t> receive(Bytes bytes, Arrived arrived) override;
  [[nodiscard]] std::optional<Errc> error() const noexcept override { return machine_.error(); }
  [[nodiscard]] Result<SessionKey> take_session_key() override { return machine_.take_session_key(); }

 private:
  void note(trace::Passed passed, Bytes message);

  Machine& machine_;
  pake::eke::Form form_;
  trace::Trace::Connection& trace_;
  std::size_t messages_ = 0;  // of both sides: they take turns
};

}  // namespace pake::cli::eke
