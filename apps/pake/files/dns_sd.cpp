#include "files/dns_sd.h"

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/simple-watch.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace pake::cli::files {
namespace {

constexpr const char* kType = "_pake._tcp";
constexpr int kLook = 200;               // ms between two looks whether it is over
constexpr std::size_t kMostAtOnce = 16;  // services that are being resolved
constexpr std::size_t kMostFound = 64;   // that wait to be taken

struct Free {
  void operator()(AvahiSimplePoll* poll) const { avahi_simple_poll_free(poll); }
  void operator()(AvahiClient* client) const { avahi_client_free(client); }
};

/// A conversation with the daemon, on a thread of its own.
///
/// Choice: the thread is left behind when nobody wants it any more, as that of a look-up is. The library waits for
/// answers of the daemon as long as D-Bus does, 25 s, if the daemon has stopped; and what was announced goes when the
/// connection does.
class Conversation {
 public:
  virtual ~Conversation() = default;

  /// The thread holds `self` until it sees that `end` was called, or the daemon goes.
  static void start(const std::shared_ptr<Conversation>& self) {
    sigset_t all, before;
    ::sigfillset(&all);  // signals are the loops'
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([self] { self->run(); }).detach();
    } catch (const std::system_error&) {
      self->end();  // as if there were no daemon
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  void end() noexcept { is_over_ = true; }

 protected:
  /// The daemon answers, as often as it begins to.
  virtual void begin(AvahiClient* client) = 0;
  /// What `begin` has made is not valid any more.
  virtual void pause() {}
  void give_up() noexcept { is_over_ = true; }

 private:
  void run() {
    const std::unique_ptr<AvahiSimplePoll, Free> poll(avahi_simple_poll_new());
    if (!poll) return;
    // All that belongs to the client goes with it.
    const std::unique_ptr<AvahiClient, Free> client(
        avahi_client_new(avahi_simple_poll_get(poll.get()), AvahiClientFlags{}, on_state, this, nullptr));
    if (!client) return;
    while (!is_over_ && avahi_simple_poll_iterate(poll.get(), kLook) == 0) {
    }
  }

  static void on_state(AvahiClient* client, AvahiClientState state, void* self) {
    auto& conversation = *static_cast<Conversation*>(self);
    switch (state) {
      case AVAHI_CLIENT_S_RUNNING:
        return conversation.begin(client);
      case AVAHI_CLIENT_S_REGISTERING:
      case AVAHI_CLIENT_S_COLLISION:
        return conversation.pause();
      case AVAHI_CLIENT_FAILURE:
        return conversation.give_up();
      case AVAHI_CLIENT_CONNECTING:
        return;
    }
  }

  std::atomic<bool> is_over_ = false;
};

AvahiAddress as_avahi(const LinkAddress& address) {
  AvahiAddress made{};
  made.proto = address.is_v6 ? AVAHI_PROTO_INET6 : AVAHI_PROTO_INET;
  std::memcpy(&made.data, address.bytes.data(), address.is_v6 ? 16 : 4);
  return made;
}

LinkAddress as_ours(const AvahiAddress& address, AvahiIfIndex interface) {
  LinkAddress made{.interface = static_cast<unsigned>(interface), .is_v6 = address.proto == AVAHI_PROTO_INET6};
  std::memcpy(made.bytes.data(), &address.data, made.is_v6 ? 16 : 4);
  return made;
}

}  // namespace

struct DnsSdAnnouncer::Shared final : Conversation {
  explicit Shared(DnsSdService wanted) : service(std::move(wanted)) {}

  // On interfaces that the daemon does not use nothing is announced.
  void begin(AvahiClient* client) override {
    if (group == nullptr) group = avahi_entry_group_new(client, [](auto*, auto, void*) {}, nullptr);
    if (group == nullptr || avahi_entry_group_is_empty(group) == 0) return;
    const auto host = service.name + ".local";
    std::vector<AvahiIfIndex> interfaces;
    for (const auto& one : service.addresses) {
      const auto interface = static_cast<AvahiIfIndex>(one.interface);
      const auto address = as_avahi(one);
      avahi_entry_group_add_address(group, interface, AVAHI_PROTO_UNSPEC, AVAHI_PUBLISH_NO_REVERSE, host.c_str(),
                                    &address);
      if (std::ranges::find(interfaces, interface) == interfaces.end()) interfaces.push_back(interface);
    }
    for (const auto interface : interfaces)
      avahi_entry_group_add_service(group, interface, AVAHI_PROTO_UNSPEC, AvahiPublishFlags{}, service.name.c_str(),
                                    kType, nullptr, host.c_str(), service.port, nullptr);
    avahi_entry_group_commit(group);
  }
  void pause() override {
    if (group != nullptr) avahi_entry_group_reset(group);
  }

  DnsSdService service;
  AvahiEntryGroup* group = nullptr;  // the client's
};

struct DnsSdBrowser::Shared final : Conversation {
  explicit Shared(std::string wanted) : prefix(std::move(wanted)) {}

  void begin(AvahiClient* client) override {
    if (browser == nullptr)
      browser = avahi_service_browser_new(client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, kType, nullptr,
                                          AvahiLookupFlags{}, on_service, this);
  }

  static void on_service(AvahiServiceBrowser* browser, AvahiIfIndex interface, AvahiProtocol protocol,
                         AvahiBrowserEvent event, const char* name, const char* type, const char* domain,
                         AvahiLookupResultFlags, void* self) {
    auto& shared = *static_cast<Shared*>(self);
    if (event != AVAHI_BROWSER_NEW || !std::string_view(name).starts_with(shared.prefix)) return;
    if (shared.resolving == kMostAtOnce) return;
    // By IPv4 its address in IPv4, by IPv6 that in IPv6.
    if (avahi_service_resolver_new(avahi_service_browser_get_client(browser), interface, protocol, name, type, domain,
                                   protocol, AVAHI_LOOKUP_NO_TXT, on_address, self) != nullptr)
      ++shared.resolving;
  }

  static void on_address(AvahiServiceResolver* resolver, AvahiIfIndex interface, AvahiProtocol,
                         AvahiResolverEvent event, const char*, const char*, const char*, const char*,
                         const AvahiAddress* address, std::uint16_t port, AvahiStringList*, AvahiLookupResultFlags,
                         void* self) {
    auto& shared = *static_cast<Shared*>(self);
    --shared.resolving;
    if (event == AVAHI_RESOLVER_FOUND && address != nullptr && interface > 0) {
      const std::scoped_lock lock(shared.mutex);
      if (shared.found.size() < kMostFound)
        shared.found.push_back({.address = as_ours(*address, interface), .port = port});
    }
    avahi_service_resolver_free(resolver);
  }

  std::string prefix;
  AvahiServiceBrowser* browser = nullptr;  // the client's
  std::size_t resolving = 0;
  std::mutex mutex;
  std::deque<Found> found;  // the mutex's
};

DnsSdAnnouncer::DnsSdAnnouncer(DnsSdService service) : shared_(std::make_shared<Shared>(std::move(service))) {
  Conversation::start(shared_);
}
DnsSdAnnouncer::~DnsSdAnnouncer() { shared_->end(); }

DnsSdBrowser::DnsSdBrowser(std::string prefix) : shared_(std::make_shared<Shared>(std::move(prefix))) {
  Conversation::start(shared_);
}
DnsSdBrowser::~DnsSdBrowser() { shared_->end(); }

std::optional<DnsSdBrowser::Found> DnsSdBrowser::take() {
  const std::scoped_lock lock(shared_->mutex);
  if (shared_->found.empty()) return std::nullopt;
  const auto next = shared_->found.front();
  shared_->found.pop_front();
  return next;
}

}  // namespace pake::cli::files
