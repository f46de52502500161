#include "pake/server/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace pake::server {
namespace {

constexpr std::size_t kMaxServiceName = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_service_char(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; }

// Only this machine's processes reach a unix socket or the loopback interface.
bool is_local(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp == nullptr) return true;
  static const auto loopback = [] {
    NetworkList list;
    static_cast<void>(list.add("127.0.0.0/8"));
    static_cast<void>(list.add("::1"));
    return list;
  }();
  return loopback.contains(address);
}

std::optional<std::string> fault_of(const std::string& name, const ServiceConfig& service) {
  if (!is_service_name(name))
    return fmt::format("`{}` cannot be the name of a service: a letter, then letters, digits, `.`, `_` or `-`", name);
  if (const auto* const forward = std::get_if<ForwardService>(&service.what))
    if (forward->send_user && !is_local(forward->backend))
      return fmt::format("service `{}`: the user's name goes only to a unix socket or a loopback address, not to {}",
                         name, net::to_string(forward->backend));
  if (const auto* const exec = std::get_if<ExecService>(&service.what))
    if (exec->argv.empty() || !exec->argv.front().starts_with('/'))
      return fmt::format("service `{}`: the program's path must begin with `/`", name);
  return std::nullopt;
}

}  // namespace

bool is_service_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxServiceName && is_letter(name.front()) &&
         std::ranges::all_of(name, is_service_char);
}

std::optional<std::string> find_fault(const Config& config) {
  for (const auto& [name, service] : config.services)
    if (auto fault = fault_of(name, service)) return fault;
  for (const auto& [name, published] : config.published) {
    if (!is_service_name(name)) return fmt::format("`{}` cannot be the name of a published service", name);
    if (config.services.contains(name))
      return fmt::format("`{}` is a service already: a published one would shadow it", name);
  }
  return std::nullopt;
}

}  // namespace pake::server
