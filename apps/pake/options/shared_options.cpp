#include "options/shared_options.h"

#include <CLI/CLI.hpp>
#include <string>
#include <variant>

namespace pake::cli {
namespace {

constexpr std::size_t kLongestWait = 86'400;

}  // namespace

void add_address(CLI::App& command, net::Address& address, const char* what) {
  command
      .add_option_function<std::string>(
          "ADDRESS",
          [&address](const std::string& text) {
            const auto parsed = net::parse_address(text);
            if (!parsed) throw CLI::ValidationError(text + ": " + parsed.error());
            address = *parsed;
          },
          what)
      ->type_name("")
      ->default_str(net::to_string(address));
}

CLI::Option* add_seconds(CLI::App& command, const char* name, std::chrono::seconds& seconds, const char* what) {
  return command
      .add_option_function<std::size_t>(
          name, [&seconds](std::size_t value) { seconds = std::chrono::seconds(value); }, what)
      ->type_name("SECONDS")
      ->default_str(std::to_string(seconds.count()))
      ->check(CLI::Range(std::size_t{1}, kLongestWait).description(""));
}

void refuse_port_zero(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp != nullptr && tcp->port == 0)
    throw CLI::ValidationError("port 0 is for listening: there is nobody to connect to");
}

}  // namespace pake::cli
