#include "pake/proto/eke/rsa_eke.h"

#include <utility>

#include "pake/base/writer.h"

namespace pake::eke {

Status UserTable::add(std::string_view name, SecretBuffer password) {
  if (name.empty() || name.size() > kMaxUserName) return fail(Errc::misuse);
  passwords_.insert_or_assign(std::string(name), std::move(password));
  return {};
}

const SecretBuffer* UserTable::find(std::string_view name) const noexcept {
  const auto found = passwords_.find(name);
  return found == passwords_.end() ? nullptr : &found->second;
}

bool UserTable::begins_longer(std::string_view name) const noexcept {
  const auto next = passwords_.upper_bound(name);  // in this order nothing stands between a name and what it begins
  return next != passwords_.end() && next->first.starts_with(name);
}

std::string_view explain(Failure failure) noexcept {
  switch (failure) {
    case Failure::unknown_user:
      return "the peer's user name is not known here";
    case Failure::refused_user:
      return "the peer does not know this user name";
    case Failure::unclear_answer:
      return "the peer answered the user name with neither yes nor no";
    case Failure::bad_base64:
      return "a message is not the Base64 of whole cipher blocks";
    case Failure::bad_pem:
      return "the peer's message does not decrypt to an RSA public key: most likely the passwords (or the modes) "
             "differ";
    case Failure::key_too_small:
      return "the peer's RSA key has fewer than 1024 bits";
    case Failure::key_too_large:
      return "the peer's RSA key has more than 4096 bits";
    case Failure::even_modulus:
      return "the peer's RSA modulus is even";
    case Failure::bad_exponent:
      return "the peer's RSA exponent is even, below 3 or above 2^32 - 1";
    case Failure::bad_modulus:
      return "the peer's modulus is even, or does not begin with 64 one bits";
    case Failure::bad_inner_base64:
      return "the peer's message does not decrypt to an encrypted session key: most likely the passwords (or the "
             "modes) "
             "differ";
    case Failure::bad_pkcs1:
      return "the session key is not encrypted for this side's RSA key";
    case Failure::bad_Ks:
      return "the session key is not ten digits";
    case Failure::bad_NC:
      return "the peer's challenge is not ten digits: it does not know the session key";
    case Failure::bad_N1_2:
      return "the peer's answer is not twenty digits: it does not know the session key";
    case Failure::wrong_NC:
    case Failure::wrong_NS:
      return "the peer did not answer this side's challenge: it does not know the session key";
    case Failure::no_randomness:
      return "the source of randomness is broken";
  }
  std::unreachable();
}

Errc error_class(Failure failure) noexcept {
  switch (failure) {
    case Failure::unclear_answer:
    case Failure::bad_base64:
    case Failure::key_too_small:
    case Failure::key_too_large:
    case Failure::even_modulus:
    case Failure::bad_exponent:
    case Failure::bad_modulus:
      return Errc::malformed;
    case Failure::unknown_user:
    case Failure::refused_user:
    case Failure::bad_pem:
    case Failure::bad_inner_base64:
    case Failure::bad_pkcs1:
    case Failure::bad_Ks:
    case Failure::bad_NC:
    case Failure::bad_N1_2:
    case Failure::wrong_NC:
    case Failure::wrong_NS:
      return Errc::auth_failed;
    case Failure::no_randomness:
      return Errc::unavailable;
  }
  std::unreachable();
}

bool is_line(std::string_view line) noexcept {
  return !line.empty() && line.size() <= kMaxLine && line.find_first_of(std::string_view("\n\r\0", 3)) == line.npos;
}

Buffer answer(std::string_view line) {
  constexpr std::string_view kReceive = "receive ";
  return Writer(kReceive.size() + line.size()).put(as_bytes(kReceive)).put(as_bytes(line)).take();
}

}  // namespace pake::eke
