#include "backends.h"

namespace pake::store::testing {
namespace {

std::expected<std::unique_ptr<Backend>, std::string> make_sqlite() { return std::make_unique<SqliteBackend>(); }

}  // namespace

std::vector<NamedBackend> backends() { return {{.name = "sqlite", .make = make_sqlite}}; }

}  // namespace pake::store::testing
