// identity.json: names, passwords and invitation codes as they are typed, and the form that enters the key.
#include "pake/identity/invitation.h"
#include "pake/identity/name.h"
#include "pake/identity/password.h"
#include "vectors.h"

namespace pake::vectors {
namespace {

void check_name(Fields& entry) {
  const auto typed = entry.bytes("typed");
  const auto name = identity::normalise_name(typed);
  entry.require(name.has_value(), "the name is refused");
  entry.expect("normalised", as_bytes(*name));
  entry.expect("is_normalised", identity::is_normalised_name(typed));
  entry.require(identity::is_normalised_name(as_bytes(*name)), "normalising again changes it");
}

void check_refused_name(Fields& entry) {
  const auto typed = entry.bytes("typed");
  static_cast<void>(entry.text("reason"));
  entry.require(!identity::normalise_name(typed) && !identity::is_normalised_name(typed), "the name is accepted");
}

void check_password(Fields& entry) {
  const auto password = identity::normalise_password(entry.bytes("typed"));
  entry.require(password.has_value(), "the password is refused");
  entry.expect("normalised", password->reveal());
}

void check_refused_password(Fields& entry) {
  static_cast<void>(entry.text("reason"));
  entry.require(!identity::normalise_password(entry.bytes("typed")), "the password is accepted");
}

void check_password_file(Fields& entry) {
  const auto password = identity::normalise_password_of_file(entry.bytes("content"));
  entry.require(password.has_value(), "the file is refused");
  entry.expect("normalised", password->reveal());
}

void check_refused_password_file(Fields& entry) {
  static_cast<void>(entry.text("reason"));
  entry.require(!identity::normalise_password_of_file(entry.bytes("content")), "the file is accepted");
}

void check_invitation_code(Fields& entry) {
  const auto code = identity::parse_invitation_code(entry.bytes("typed"));
  entry.require(code.has_value(), "the code is refused");
  entry.expect("selector", as_bytes(code->selector));
  entry.expect("words", code->words.reveal());
}

void check_refused_invitation_code(Fields& entry) {
  static_cast<void>(entry.text("reason"));
  entry.require(!identity::parse_invitation_code(entry.bytes("typed")), "the code is accepted");
}

}  // namespace

void check_identity(Sections& file) {
  file.each("names", check_name);
  file.each("names_refused", check_refused_name);
  file.each("passwords", check_password);
  file.each("passwords_refused", check_refused_password);
  file.each("password_files", check_password_file);
  file.each("password_files_refused", check_refused_password_file);
  file.each("invitation_codes", check_invitation_code);
  file.each("invitation_codes_refused", check_refused_invitation_code);
}

}  // namespace pake::vectors
