#include "login/destination.h"

#include <utility>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/identity/name.h"

namespace pake::cli::login {
namespace {

constexpr const char* kForm = "it is typed like alice@host or alice@host:8088";

// A unix socket is this machine's own.
std::string server_name_of(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  return tcp != nullptr ? tcp->host : "localhost";
}

}  // namespace

std::expected<Destination, Complaint> parse_destination(std::string_view typed) {
  if (auto accepted = refuse_code(typed); !accepted) return std::unexpected(std::move(accepted.error()));
  const auto at = typed.starts_with("unix:") ? std::string_view::npos : typed.rfind('@');
  const auto socket = typed.find("@unix:");  // a path may hold an @ of its own
  const auto split = socket != std::string_view::npos ? socket : at;
  std::string name;
  if (split != std::string_view::npos) {
    auto normalised = identity::normalise_name(as_bytes(typed.substr(0, split)));
    if (!normalised)
      return std::unexpected(Complaint{
          .error = "the name before the @ is not a user's: it has 1 to 255 bytes of letters, digits and . _ - + @",
          .hint = kForm});
    name = std::move(*normalised);
  }
  const auto host = split == std::string_view::npos ? typed : typed.substr(split + 1);
  auto address = parse_address_to_dial(host);
  if (!address) return std::unexpected(std::move(address.error()));
  Destination parsed{.name = std::move(name), .typed = std::string(typed), .host = std::string(host)};
  set_address(parsed, std::move(*address));
  return parsed;
}

void set_address(Destination& destination, net::Address address) {
  destination.server_name = server_name_of(address);
  destination.address = std::move(address);
}

Problem no_user(const Destination& destination) {
  return {.exit_code = kExitUsage,
          .error = "the name of the user is missing",
          .hint = std::string(kForm) + "; a configuration file can name one for " + destination.host};
}

Value destination(Destination& value) {
  return {.name = "NAME@HOST[:PORT]",
          .set = [&value](std::string_view typed) -> Accepted {
            auto parsed = parse_destination(typed);
            if (!parsed) return std::unexpected(std::move(parsed.error()));
            value = std::move(*parsed);
            return {};
          },
          .show = [&value] { return value.typed; },
          .completes = Value::Completes::logins};
}

}  // namespace pake::cli::login
