#include "eke/traced_run.h"

#include <array>
#include <span>
#include <string>
#include <utility>

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

// docs/rsa-eke.md. Each is one field, save the paper's second.
constexpr std::array<Message, 7> kMessages = {{{"user_name", "user", Kind::clear},
                                               {"user_answer", "answer", Kind::clear},
                                               {"public_key", "E_pw(PK)", Kind::password},
                                               {"session_key", "E_pw(RSA(Ks))", Kind::password},
                                               {"challenge", "E_Ks(NC)", Kind::session},
                                               {"response_and_challenge", "E_Ks(NC, NS)", Kind::session},
                                               {"response", "E_Ks(NS)", Kind::session}}};

constexpr std::array<Message, 6> kPaperMessages = {{{"user_name", "user", Kind::clear},
                                                    {"public_key", "E_pw(e)", Kind::password},
                                                    {"session_key", "E_pw(R^e mod n)", Kind::password},
                                                    {"challenge", "E_R(NS)", Kind::session},
                                                    {"response_and_challenge", "E_R(NS, NC)", Kind::session},
                                                    {"response", "E_R(NC)", Kind::session}}};
constexpr std::size_t kPaperKey = 1;
constexpr std::size_t kPaperModulus = 172;  // in Base64, in front of the exponent

std::span<const Message> messages_of(pake::eke::Form form) {
  if (form == pake::eke::Form::paper) return kPaperMessages;
  return kMessages;
}

void note(trace::Trace::Connection& trace, Passed passed, const Message& message, Bytes bytes) {
  trace.note(passed, message.name, bytes,
             {Field{.name = std::string(message.field), .at = 0, .size = bytes.size(), .kind = message.kind}});
}

}  // namespace

std::string protocol_of(pake::eke::Form form) { return form == pake::eke::Form::paper ? "rsa-eke-paper" : "rsa-eke"; }

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
  const auto messages = messages_of(form_);
  const auto number = messages_++;
  if (number >= messages.size()) return;
  if (form_ == pake::eke::Form::paper && number == kPaperKey && message.size() > kPaperModulus)
    return trace_.note(passed, messages[number].name, message,
                       {Field{.name = "n", .at = 0, .size = kPaperModulus, .kind = Kind::open},
                        Field{.name = std::string(messages[number].field),
                              .at = kPaperModulus,
                              .size = message.size() - kPaperModulus,
                              .kind = messages[number].kind}});
  eke::note(trace_, passed, messages[number], message);
}

}  // namespace pake::cli::eke
