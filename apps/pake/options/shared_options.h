// Options that several commands have.
#pragma once

#include <CLI/App.hpp>
#include <chrono>

#include "pake/net/address.h"

namespace pake::cli {

/// The positional ADDRESS; `what` is its help.
void add_address(CLI::App& command, net::Address& address, const char* what);

/// Whole seconds, from 1 to a day.
CLI::Option* add_seconds(CLI::App& command, const char* name, std::chrono::seconds& seconds, const char* what);

/// Port 0 is for listening: throws CLI::ValidationError.
void refuse_port_zero(const net::Address& address);

}  // namespace pake::cli
