#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include "login/forward.h"

namespace pake::cli::login {
namespace {

bool is_service(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         text.find('.') == std::string_view::npos;
}

bool is_port(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

constexpr const char* kForm = "it is [BIND:]PORT[:SERVICE], like 8080, 8080:wiki or 127.0.0.1:8080:wiki";

}  // namespace

std::expected<LocalPort, Complaint> parse_local_port(std::string_view typed) {
  auto where = typed;
  std::string service;
  const auto colon = typed.rfind(':');
  // Behind a unix socket's path, or behind a port, stands a service; behind a host a port.
  if (colon != std::string_view::npos && colon != 4 && is_service(typed.substr(colon + 1))) {
    where = typed.substr(0, colon);
    service = typed.substr(colon + 1);
  }
  const std::string address = is_port(where) ? "127.0.0.1:" + std::string(where) : std::string(where);
  if (!address.starts_with("unix:") && !is_port(address.substr(address.rfind(':') + 1)))
    return std::unexpected(Complaint{.error = "there is no port in '" + std::string(typed) + "'", .hint = kForm});
  auto parsed = parse_address_to_listen(address);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return LocalPort{.address = std::move(*parsed), .service = std::move(service), .typed = std::string(typed)};
}

std::expected<PublishedService, Complaint> parse_published(std::string_view typed) {
  constexpr const char* kPublishedForm = "it is SERVICE:[HOST:]PORT, like desk:5900 or desk:192.0.2.9:5900";
  const auto colon = typed.find(':');
  if (colon == std::string_view::npos || !is_service(typed.substr(0, colon)))
    return std::unexpected(
        Complaint{.error = "there is no service in front of '" + std::string(typed) + "'", .hint = kPublishedForm});
  const auto where = typed.substr(colon + 1);
  const std::string address = is_port(where) ? "127.0.0.1:" + std::string(where) : std::string(where);
  if (!address.starts_with("unix:") && !is_port(address.substr(address.rfind(':') + 1)))
    return std::unexpected(
        Complaint{.error = "there is no port in '" + std::string(typed) + "'", .hint = kPublishedForm});
  auto parsed = parse_address_to_dial(address);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return PublishedService{.service = std::string(typed.substr(0, colon)), .address = std::move(*parsed)};
}

}  // namespace pake::cli::login
