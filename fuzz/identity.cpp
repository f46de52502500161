// Names, passwords and codes as anybody types them: the form that enters a key is a fixed point.
#include "pake/identity/code.h"
#include "pake/identity/invitation.h"
#include "pake/identity/name.h"
#include "pake/identity/password.h"
#include "require.h"

using namespace pake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes typed(data, size);
  if (const auto name = identity::normalise_name(typed)) {
    fuzz::require(!name->empty() && name->size() <= identity::kMaxNameSize);
    fuzz::require(identity::is_normalised_name(as_bytes(*name)));
  }
  if (const auto password = identity::normalise_password(typed)) {
    fuzz::require(!password->empty() && password->size() <= identity::kMaxPasswordSize);
    const auto again = identity::normalise_password(password->reveal());
    fuzz::require(again && ct_equal(again->reveal(), password->reveal()));
  }
  static_cast<void>(identity::normalise_password_of_file(typed));
  static_cast<void>(identity::parse_code(typed));
  if (const auto code = identity::parse_invitation_code(typed)) {
    fuzz::require(identity::is_selector(as_bytes(code->selector)));
    const auto again = identity::parse_invitation_code(code->text().reveal());
    fuzz::require(again && again->selector == code->selector && ct_equal(again->words.reveal(), code->words.reveal()));
  }
  return 0;
}
