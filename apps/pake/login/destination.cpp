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
  if (split == std::string_view::npos)
    return std::unexpected(Complaint{.error = "the name of the user is missing", .hint = kForm});
  auto name = identity::normalise_name(as_bytes(typed.substr(0, split)));
  if (!name)
    return std::unexpected(Complaint{
        .error = "the name before the @ is not a user's: it has 1 to 255 bytes of letters, digits and . _ - + @",
        .hint = kForm});
  auto address = parse_address_to_dial(typed.substr(split + 1));
  if (!address) return std::unexpected(std::move(address.error()));
  auto server_name = server_name_of(*address);
  return Destination{.name = std::move(*name),
                     .address = std::move(*address),
                     .server_name = std::move(server_name),
                     .typed = std::string(typed)};
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
          .completes = Value::Completes::hosts};
}

}  // namespace pake::cli::login
