// The vector files that are known, and what checks each: a line here and a source file in CMakeLists.txt.
#include "vectors.h"

namespace pake::vectors {

void check_channel(Sections& file);
void check_cpace(Sections& file);
void check_identity(Sections& file);
void check_opaque(Sections& file);
void check_oprf(Sections& file);
void check_rsa_eke(Sections& file);

namespace {

struct KnownFile {
  std::string_view name;
  Handler handler;
};

constexpr KnownFile kKnownFiles[] = {
    {"channel.json", check_channel}, {"cpace.json", check_cpace}, {"identity.json", check_identity},
    {"opaque.json", check_opaque},   {"oprf.json", check_oprf},   {"rsa_eke.json", check_rsa_eke},
};

}  // namespace

Handler handler_of(std::string_view file_name) noexcept {
  for (const auto& [name, handler] : kKnownFiles)
    if (name == file_name) return handler;
  return nullptr;
}

}  // namespace pake::vectors
