#include "eke/traced_run.h"

#include <array>
#include <string>
#include <utility>

#include "pake/proto/eke/rsa_eke.h"

namespace pake::cli::eke {
namespace {

using trace::Field;
using trace::Kind;
using trace::Passed;

struct Message {
  std::string_view name;
  std::string_view field;
  Kind kind;
};

// docs/rsa-eke.md. Each is one field.
constexpr std::array<Message, 7> kMessages = {{{"user_name", "user", Kind::clear},
                                               {"user_answer", "answer", Kind::clear},
                                               {"public_key", "E_pw(PK)", Kind::password},
                                               {"session_key", "E_pw(RSA(Ks))", Kind::password},
                                               {"challenge", "E_Ks(NC)", Kind::session},
                                               {"response_and_challenge", "E_Ks(NC, NS)", Kind::session},
                                               {"response", "E_Ks(NS)", Kind::session}}};

void note(trace::Trace::Connection& trace, Passed passed, const Message& message, Bytes bytes) {
  trace.note(passed, message.name, bytes,
             {Field{.name = std::string(message.field), .at = 0, .size = bytes.size(), .kind = message.kind}});
}

}  // namespace

void note_chat(trace::Trace::Connection& trace, Passed passed, Speaker speaker, Bytes text) {
  constexpr Message kLine = {"line", "line", Kind::clear};
  constexpr Message kQuit = {"quit", "line", Kind::clear};
  constexpr Message kAnswer = {"answer", "answer", Kind::clear};
  if (speaker == Speaker::listener) return note(trace, passed, kAnswer, text);
  note(trace, passed, as_text(text) == pake::eke::kQuit ? kQuit : kLine, text);
}

Result<Buffer> TracedRun::take_message() {
  auto message = machine_.take_message();
  if (message) note(Passed::sent, *message);
  return message;
}

Result<std::size_t> TracedRun::receive(Bytes bytes, Arrived arrived) {
  auto taken = machine_.receive(bytes, arrived);
  if (!taken) note(Passed::received, bytes);
  if (taken && *taken > 0) note(Passed::received, bytes.first(*taken));
  return taken;
}

void TracedRun::note(Passed passed, Bytes message) {
  if (messages_ < kMessages.size()) eke::note(trace_, passed, kMessages[messages_], message);
  ++messages_;
}

}  // namespace pake::cli::eke
