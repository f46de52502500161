#include "network/local_port.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <utility>
#include <variant>

#include "network/own_user.h"
#include "network/problems.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/server/config.h"
#include "process/output.h"
#include "process/owner_only.h"

namespace pake::cli {
namespace {

constexpr std::chrono::milliseconds kNoDescriptor{100};
constexpr std::size_t kAtOnce = 32;  // connections that are accepted before anything else goes on: opened in one record

using pake::server::is_service_name;

bool is_port(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// PORT:HOST:PORT, as ssh takes it.
bool names_an_address_behind(std::string_view typed) {
  const auto first = typed.find(':'), last = typed.rfind(':');
  return first != last && is_port(typed.substr(0, first)) && is_port(typed.substr(last + 1));
}

template <class T>
Value list_of(std::vector<T>& values, const char* name, std::expected<T, Complaint> (*parse)(std::string_view)) {
  return {.type = Value::Type::list,
          .name = name,
          .set = [&values, parse](std::string_view typed) -> Accepted {
            auto parsed = parse(typed);
            if (!parsed) return std::unexpected(std::move(parsed.error()));
            values.push_back(std::move(*parsed));
            return {};
          },
          .show = [] { return std::string(); },
          .clear = [&values] { values.clear(); }};
}

constexpr const char* kForm = "it is [BIND:]PORT[:SERVICE], like 8080, 8080:wiki or 127.0.0.1:8080:wiki";

}  // namespace

std::expected<LocalPort, Complaint> parse_local_port(std::string_view typed) {
  if (names_an_address_behind(typed))
    return std::unexpected(Complaint{
        .error = fmt::format("'{}' names an address: behind a port stands a service of the server, by its name", typed),
        .hint = kForm});
  auto where = typed;
  std::string service;
  const auto colon = typed.rfind(':');
  // Behind a unix socket's path, or behind a port, stands a service; behind a host a port.
  if (colon != std::string_view::npos && colon != 4 && is_service_name(typed.substr(colon + 1))) {
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
  if (colon == std::string_view::npos || !is_service_name(typed.substr(0, colon)))
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

Value local_ports(std::vector<LocalPort>& values) { return list_of(values, "[BIND:]PORT[:SERVICE]", parse_local_port); }

Value published_services(std::vector<PublishedService>& values) {
  return list_of(values, "SERVICE:[HOST:]PORT", parse_published);
}

net::Awaitable<Expected<std::vector<net::Listener>>> listen_locally(net::Loop& loop, std::vector<LocalPort> locals) {
  const OwnerOnly owner_only;
  std::vector<net::Listener> listeners;
  for (const auto& local : locals) {
    auto listener = co_await net::listen(loop, local.address, net::kNever);
    if (!listener) co_return std::unexpected(cannot_listen(local.address, listener.error()));
    listeners.push_back(std::move(*listener));
  }
  co_return std::move(listeners);
}

net::Awaitable<void> accept_connections(net::Loop& loop, net::Listener& listener,
                                        std::function<bool(net::Outcome<std::unique_ptr<net::Stream>>)> take) {
  for (std::size_t count = 1;; ++count) {
    auto accepted = co_await listener.accept(loop, net::kNever);
    const bool is_there = accepted.has_value();
    const bool is_cancelled = !is_there && accepted.error() == net::Error::Kind::cancelled;
    if (!take(std::move(accepted)) || is_cancelled) co_return;
    if (!is_there && !co_await loop.sleep_until(net::after(kNoDescriptor))) co_return;
    if (is_there && count % kAtOnce == 0) co_await loop.yield();
  }
}

bool is_within_machine(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  return tcp == nullptr || tcp->host.starts_with("127.") || tcp->host == "::1";
}

bool OwnUserOnly::lets_in(const net::Stream& connection, const net::Address& local) {
  if (std::holds_alternative<net::UnixAddress>(local) || !is_within_machine(local)) return true;
  const auto user = user_of_connection(connection.peer(), local);
  if (user == ::geteuid()) return true;
  if (!std::exchange(user ? has_told_of_others_ : has_told_of_unknown_, true))
    say_note(user ? "a process of another user was refused (--any-user lets it in)"
                  : "a connection was refused that had ended already, or whose user cannot be found out");
  return false;
}

}  // namespace pake::cli
