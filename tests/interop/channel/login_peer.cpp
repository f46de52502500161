// A server and a client of logins over sockets, made of the public interface alone, to be held against the Python peer
// beside it.
//
//   login_peer serve ADDRESS [suite=p256] [aes=no]
//     its address on stderr; one user, echo on every stream; SIGTERM ends it
//   login_peer connect ADDRESS [user=NAME] [password=WORDS] [suites=LIST] [aes=no] [resume=yes|device]
//     stdin goes out, the echo to stdout; asked to resume, once more by the ticket, or by the password from the device
//     that the ticket names
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"

namespace {

using namespace pake;
using channel::Suite;

constexpr int kOk = 0;
constexpr int kUsage = 2;
constexpr int kAuthFailed = 3;
constexpr int kThrottled = 5;
constexpr int kCutShort = 6;
constexpr int kProtocol = 7;

constexpr const char* kServerName = "login.example";
constexpr const char* kUser = "alice";
constexpr const char* kPassword = "correct horse";
constexpr auto kKsf = crypto::KsfProfile::small;
constexpr std::size_t kGuesses = 3;
constexpr std::uint32_t kTicketLifetime = 3600;
constexpr std::uint64_t kGeneration = 1;

using Options = std::map<std::string, std::string>;

std::string option(const Options& options, const char* name, const char* otherwise) {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : found->second;
}

Suite suite_named(const std::string& name) { return name == "p256" ? Suite::opaque_p256 : Suite::opaque_ristretto255; }

channel::AeadId fastest_aead(const Options& options) {
  return option(options, "aes", "yes") == "yes" ? channel::AeadId::aes_256_gcm : channel::AeadId::chacha20_poly1305;
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::cerr << "error: " << to_string(result.error()) << '\n';
    std::abort();
  }
  return *std::move(result);
}

/// Writes all that comes on a stream to wherever it shall go, and then its end.
net::Awaitable<void> echo(std::shared_ptr<net::ChannelLink> link, net::AcceptedStream accepted) {
  static_cast<void>(link);                    // lives as long as its streams are in use
  if (accepted.service != "echo") co_return;  // the stream's end is its reset
  Buffer chunk(64 * 1024);
  for (;;) {
    const auto count = co_await accepted.stream->read_some(chunk, net::kNever);
    if (!count) break;
    if (!co_await accepted.stream->write_all(Bytes(chunk).first(*count), net::kNever)) co_return;
  }
  accepted.stream->shutdown_write();
}

class Server {
 public:
  Server(net::Loop& loop, net::Address address, const Options& options)
      : loop_(loop),
        address_(std::move(address)),
        suite_(suite_named(option(options, "suite", "ristretto255"))),
        aead_(fastest_aead(options)),
        keys_(std::make_shared<const opaque::ServerKeys>(must(opaque::ServerKeys::generate(opaque_suite(), rng_)))),
        record_(register_user()),
        fake_(must(opaque::fake_record(opaque_suite(), rng_)).encode(opaque_suite())),
        ticket_keys_(make_ticket_keys()) {}

  net::Awaitable<void> run() {
    auto listener = net::Listener::open(loop_, address_);
    if (!listener) {
      std::cerr << "error: " << listener.error().explain() << '\n';
      co_return;
    }
    std::cerr << "listening on " << net::to_string(listener->address()) << '\n';
    for (;;) {
      auto accepted = co_await listener->accept(loop_, net::kNever);
      if (!accepted) co_return;
      loop_.spawn(serve(std::move(*accepted)));
    }
  }

 private:
  [[nodiscard]] opaque::SuiteId opaque_suite() const {
    return suite_ == Suite::opaque_p256 ? opaque::SuiteId::p256 : opaque::SuiteId::ristretto255;
  }

  Buffer register_user() {
    const auto suite = opaque_suite();
    opaque::ClientRegistration client(suite, SecretBuffer::copy_of(as_bytes(kPassword)));
    auto requested = must(std::move(client).create_registration_request(rng_));
    const auto response = must(opaque::create_registration_response(requested.registration_request, *keys_,
                                                                    channel::credential_identifier(as_bytes(kUser)),
                                                                    GuessPermit::uncounted_for_study()));
    const auto ksf = crypto::ksf_parameters(kKsf, opaque::sizes(suite).Nh);
    const opaque::RegistrationInputs inputs{.identities = {.client = as_bytes(kUser)}, .ksf = ksf};
    return must(std::move(requested.next).finalize_registration_request(response, inputs, rng_)).record;
  }

  std::shared_ptr<const channel::TicketKeys> make_ticket_keys() {
    std::vector<channel::TicketKey> keys;
    keys.push_back({.id = {1}, .key = crypto::SealKey::make([this](auto out) { rng_.fill(out); })});
    return std::make_shared<const channel::TicketKeys>(std::move(keys));
  }

  net::Awaitable<void> serve(std::unique_ptr<net::Stream> stream) {
    const net::ServerSide side{
        .config = {.fastest_aead = aead_, .ticket_keys = ticket_keys_},
        .decide = [this](const channel::ClientRequest& request) -> net::Awaitable<channel::Decision> {
          co_return decide(request);
        },
        .rng = rng_,
        .cache = cache_};
    auto accepted = co_await net::accept_channel(loop_, stream, side);
    if (!accepted) {
      std::cerr << "no channel" << '\n';
      co_return;
    }
    const auto& [link, outcome] = *accepted;
    const auto ticket = renew(*link, outcome);
    static_cast<void>(link->send_ticket(kTicketLifetime, ticket));
    loop_.spawn(serve_streams(link));
    const auto end = co_await link->run();
    std::cerr << (outcome.kind == channel::HandshakeKind::resume ? "resumed by " : "logged in by ")
              << as_text(outcome.name) << ": " << to_string(end.end) << '\n';
  }

  channel::Decision decide(const channel::ClientRequest& request) {
    using enum channel::AlertCode;
    if (as_text(request.server_name) != kServerName || request.kind == channel::HandshakeKind::code)
      return channel::Alert{.code = unknown_server};
    if (request.ticket) {
      const bool is_good = request.ticket->generation == kGeneration && request.ticket->expiry > now();
      if (is_good) return channel::TicketAccepted{};
      return channel::Alert{.code = refused};
    }
    if (request.device) std::cerr << "known device\n";
    if (request.suite != suite_) return channel::RetryWith{.suite = suite_};
    auto permit = budget_.take();
    if (!permit) return channel::Alert{.code = throttled, .retry_after = 60};
    const auto& record = as_text(request.name) == kUser ? record_ : fake_;
    return channel::LoginAnswer{
        .credential = {.record = {.suite = opaque_suite(),
                                  .ksf = kKsf,
                                  .epoch = 1,
                                  .record = must(opaque::RegistrationRecord::decode(opaque_suite(), record))},
                       .keys = keys_},
        .permit = std::move(*permit)};
  }

  // A ticket for the channel that begins; a chain of them ends where the first one does.
  Buffer renew(const net::ChannelLink& link, const channel::ServerOutcome& outcome) {
    const auto login_time = outcome.ticket ? outcome.ticket->login_time : now();
    const channel::TicketFacts facts{.name = outcome.name,
                                     .server_name = to_buffer(as_bytes(kServerName)),
                                     .generation = kGeneration,
                                     .login_time = login_time,
                                     .expiry = login_time + kTicketLifetime};
    return must(channel::seal_ticket(*ticket_keys_, facts, link.resumption_secret(), rng_));
  }

  net::Awaitable<void> serve_streams(std::shared_ptr<net::ChannelLink> link) {
    for (;;) {
      auto accepted = co_await link->accept(net::kNever);
      if (!accepted) co_return link->delivered();  // an echo has nothing to store
      loop_.spawn(echo(link, std::move(*accepted)));
    }
  }

  static std::uint64_t now() { return static_cast<std::uint64_t>(std::time(nullptr)); }

  net::Loop& loop_;
  net::Address address_;
  Suite suite_;
  channel::AeadId aead_;
  crypto::SystemRng rng_;
  std::shared_ptr<const opaque::ServerKeys> keys_;
  Buffer record_, fake_;
  std::shared_ptr<const channel::TicketKeys> ticket_keys_;
  GuessBudget budget_{kGuesses};
  channel::KeyCache cache_;
};

/// One login, and the channel that a ticket of it opens where that is wanted.
class Client {
 public:
  Client(net::Loop& loop, net::Address address, const Options& options)
      : loop_(loop), address_(std::move(address)), options_(options) {
    config_.server_name = to_buffer(as_bytes(kServerName));
    config_.fastest_aead = fastest_aead(options);
    config_.login_suites.clear();
    auto names = option(options, "suites", "ristretto255,p256") + ",";
    for (auto end = names.find(','); end != std::string::npos; names.erase(0, end + 1), end = names.find(','))
      config_.login_suites.push_back(suite_named(names.substr(0, end)));
  }

  net::Awaitable<int> run(std::string text) {
    const auto user = option(options_, "user", kUser);
    const auto password = option(options_, "password", kPassword);
    const channel::PasswordCredentials credentials{.name = as_bytes(user), .password = as_bytes(password)};
    auto by_password = must(channel::ClientHandshake::by_password(config_, credentials, rng_));
    if (const auto failed = co_await converse(std::move(by_password), text); failed != kOk) co_return failed;
    const auto how = option(options_, "resume", "no");
    if (how == "no") co_return kOk;
    if (!ticket_) co_return kProtocol;
    const auto& ticket = ticket_->stored;
    const auto now = static_cast<std::uint64_t>(std::time(nullptr));
    auto again = how == "device"
                     ? channel::ClientHandshake::by_password_from_device(config_, credentials, ticket, now, rng_)
                     : channel::ClientHandshake::by_ticket(config_, ticket, rng_);
    co_return co_await converse(must(std::move(again)), text);
  }

 private:
  net::Awaitable<int> converse(channel::ClientHandshake handshake, const std::string& text) {
    auto stream = co_await net::connect(loop_, address_, net::after(std::chrono::seconds{10}));
    if (!stream) co_return kCutShort;
    auto connected = co_await net::connect_channel(loop_, *stream, std::move(handshake), cache_);
    if (!connected) co_return explain(connected.error());
    const auto& [link, outcome] = *connected;
    std::cerr << (outcome.kind == channel::HandshakeKind::resume ? "resumed" : "logged in") << '\n';
    const std::shared_ptr<net::Stream> echo = must(link->open("echo"));
    loop_.spawn(say(echo, text));
    loop_.spawn(hear(link, echo));
    const auto end = co_await link->run();
    std::cerr << to_string(end.end) << '\n';
    ticket_ = link->take_ticket();
    co_return end.end == channel::EndReason::closed ? kOk : kCutShort;
  }

  static int explain(const net::HandshakeError& error) {
    if (!error.failure) return kCutShort;
    const auto& received = error.failure->received;
    if (received) std::cerr << "alert: " << to_string(received->code) << '\n';
    if (received && received->code == channel::AlertCode::throttled) return kThrottled;
    return error.failure->error == Errc::auth_failed ? kAuthFailed : kProtocol;
  }

  static net::Awaitable<void> say(std::shared_ptr<net::Stream> stream, const std::string& text) {
    if (co_await stream->write_all(as_bytes(text), net::kNever)) stream->shutdown_write();
  }

  static net::Awaitable<void> hear(std::shared_ptr<net::ChannelLink> link, std::shared_ptr<net::Stream> stream) {
    Buffer chunk(64 * 1024);
    for (;;) {
      const auto count = co_await stream->read_some(chunk, net::kNever);
      if (!count) {
        link->close(count.error() == net::Error::Kind::closed ? channel::CloseCode::done
                                                              : channel::CloseCode::internal_error);
        co_return;
      }
      std::cout << as_text(Bytes(chunk).first(*count));
    }
  }

  net::Loop& loop_;
  net::Address address_;
  const Options& options_;
  channel::ClientConfig config_;
  crypto::SystemRng rng_;
  channel::KeyCache cache_;
  std::optional<net::LentTicket> ticket_;
};

int serve(const net::Address& address, const Options& options) {
  net::Loops loops(1);
  Server server(loops.main(), address, options);
  loops.on_signal({SIGTERM}, [&](int) { loops.cancel(); });
  loops.run(server.run());
  return kOk;
}

net::Awaitable<void> note(Client& client, std::string text, int& exit_code) {
  exit_code = co_await client.run(std::move(text));
}

int connect(const net::Address& address, const Options& options) {
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  net::Loops loops(1);
  Client client(loops.main(), address, options);
  int exit_code = kProtocol;
  loops.run(note(client, std::move(text), exit_code));
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  Options options;
  for (const auto& word : words)
    if (const auto equals = word.find('='); equals != std::string::npos)
      options[word.substr(0, equals)] = word.substr(equals + 1);
  if (words.size() < 2) return kUsage;
  const auto address = net::parse_address(words[1]);
  if (address && words[0] == "serve") return serve(*address, options);
  if (address && words[0] == "connect") return connect(*address, options);
  return kUsage;
}
