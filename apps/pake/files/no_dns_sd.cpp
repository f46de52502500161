// In place of dns_sd.cpp without libavahi-client.
#include "files/dns_sd.h"

namespace pake::cli::files {

struct DnsSdAnnouncer::Shared {};
struct DnsSdBrowser::Shared {};
DnsSdAnnouncer::DnsSdAnnouncer(DnsSdService) {}
DnsSdAnnouncer::~DnsSdAnnouncer() = default;
DnsSdBrowser::DnsSdBrowser(std::string) {}
DnsSdBrowser::~DnsSdBrowser() = default;
std::optional<DnsSdBrowser::Found> DnsSdBrowser::take() { return std::nullopt; }

}  // namespace pake::cli::files
