#include "pake/server/metrics.h"

#include <fmt/format.h>
#include <http_parser.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pake/internal/try.h"
#include "pake/net/acceptor.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/server/server.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// The families of one scrape.
class Families {
 public:
  void counter(std::string name, std::string help, std::uint64_t value) {
    add(std::move(name), std::move(help), MetricType::Counter, static_cast<double>(value), {});
  }
  void gauge(std::string name, std::string help, std::size_t value) {
    add(std::move(name), std::move(help), MetricType::Gauge, static_cast<double>(value), {});
  }
  void add(std::string name, std::string help, MetricType type, double value, std::vector<ClientMetric::Label> labels) {
    if (families_.empty() || families_.back().name != name) {
      families_.emplace_back();
      families_.back().name = std::move(name);
      families_.back().help = std::move(help);
      families_.back().type = type;
    }
    ClientMetric metric;
    metric.label = std::move(labels);
    if (type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

}  // namespace

std::string metrics_text(Server& server) {
  const auto& counters = server.counters();
  Families families;
  families.gauge("pake_sessions", "Sessions now", server.sessions().size());
  families.gauge("pake_ready", "1 if the store's changes are known and the server does not drain", server.is_ready());
  families.gauge("pake_published_services", "Services that users' clients bring now", server.published());
  families.gauge("pake_meetings", "Meetings that wait for somebody or are under way", server.meetings());
  const auto connections = server.connections();
  families.gauge("pake_silent_connections", "Connections without a complete hello", connections.silent);
  families.gauge("pake_waiting_connections", "Connections whose client has its answer and has yet to prove itself",
                 connections.waiting);
  families.gauge("pake_open_guesses", "Guesses that are answered or uncommitted now", connections.open_guesses);
  families.counter("pake_connections_total", "Connections accepted", counters.connections);
  for (std::size_t by = 0; by < kEntrances; ++by)
    for (std::size_t how = 0; how < kOutcomes; ++how)
      families.add("pake_handshakes_total", "Handshakes by how somebody came and how it ended", MetricType::Counter,
                   static_cast<double>(counters.handshakes.at(by).at(how)),
                   {{.name = "by", .value = std::string(to_string(static_cast<Entrance>(by)))},
                    {.name = "outcome", .value = std::string(to_string(static_cast<Outcome>(how)))}});
  families.counter("pake_guesses_charged_total", "Guesses that were spent and not given back",
                   counters.guesses_charged);
  families.counter("pake_guesses_returned_total", "Guesses that a verified finish gave back",
                   counters.guesses_given_back);
  families.counter("pake_store_errors_total", "Calls that the store did not answer", counters.store_errors);
  families.counter("pake_enrolments_total", "Credentials that users made or changed", counters.enrolments);
  families.counter("pake_sessions_ended_by_change_total", "Sessions that ended because their account changed",
                   counters.sessions_ended_by_change);
  families.counter("pake_streams_total", "Streams served", counters.streams);
  families.counter("pake_streams_refused_total", "Streams refused", counters.streams_refused);
  families.counter("pake_meetings_total", "Who came to meet somebody, either side", counters.meetings);
  families.counter("pake_backend_failures_total", "Streams whose backend could not be reached or failed",
                   counters.backend_failures);
  families.counter("pake_received_bytes_total", "Bytes from clients, of sessions that have ended",
                   counters.bytes_from_clients);
  families.counter("pake_sent_bytes_total", "Bytes to clients, of sessions that have ended", counters.bytes_to_clients);
  return families.text();
}

namespace {

// Who says nothing is closed to make room: the oldest of the source that has most.
constexpr net::CallerLimits kCallers{.silent = 64, .waiting = 64, .all = 128};
constexpr std::size_t kMaxRequest = 4096;
constexpr auto kRequestTime = 5s;
constexpr auto kAnswerTime = 5s;

struct Response {
  std::string_view status = "200 OK";
  std::string_view type = "text/plain";
  std::string body = {};
};

/// As far as it has come. What follows its headers is not read.
class Request {
 public:
  Request() {
    http_parser_init(&parser_, HTTP_REQUEST);
    parser_.data = this;
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// @return false if this is no HTTP
  bool read(Bytes bytes) {
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_url = [](http_parser* parser, const char* text, std::size_t size) {
      static_cast<Request*>(parser->data)->target_.append(text, size);
      return 0;
    };
    settings.on_headers_complete = [](http_parser* parser) {
      static_cast<Request*>(parser->data)->is_whole_ = true;
      http_parser_pause(parser, 1);
      return 0;
    };
    http_parser_execute(&parser_, &settings, as_text(bytes).data(), bytes.size());
    return is_whole_ || HTTP_PARSER_ERRNO(&parser_) == HPE_OK;
  }

  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  [[nodiscard]] bool has_method(http_method method) const noexcept { return parser_.method == method; }
  [[nodiscard]] std::string_view path() const { return std::string_view(target_).substr(0, target_.find('?')); }

 private:
  http_parser parser_{};
  std::string target_;
  bool is_whole_ = false;
};

Response respond(const Request& request, Server& server) {
  if (!request.has_method(HTTP_GET) && !request.has_method(HTTP_HEAD))
    return {.status = "405 Method Not Allowed", .body = "GET only\n"};
  const auto target = request.path();
  if (target == "/metrics") return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(server)};
  if (target == "/healthz") return {.body = "ok\n"};
  if (target != "/readyz") return {.status = "404 Not Found", .body = "/metrics, /healthz, /readyz\n"};
  if (server.is_ready()) return {.body = "ready\n"};
  return {.status = "503 Service Unavailable", .body = server.is_draining() ? "draining\n" : "store not reached\n"};
}

// One request a connection.
net::Awaitable<void> answer(Server& server, net::Caller caller) {
  auto& stream = caller.stream();
  const auto deadline = net::after(kRequestTime);
  Request request;
  std::array<std::uint8_t, kMaxRequest> bytes{};
  for (std::size_t have = 0; !request.is_whole();) {
    if (have == bytes.size()) co_return;
    const auto count = co_await stream.read_some(MutableBytes(bytes).subspan(have), deadline);
    if (!count || !request.read(Bytes(bytes).subspan(have, *count))) co_return;
    have += *count;
  }
  if (!caller.begin_waiting()) co_return;
  const auto response = respond(request, server);
  const auto text = fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                                response.status, response.type, response.body.size(),
                                request.has_method(HTTP_HEAD) ? "" : response.body);
  static_cast<void>(co_await stream.write_all(as_bytes(text), net::after(kAnswerTime)));
}

}  // namespace

net::Outcome<net::TcpAddress> serve_metrics(net::Loop& loop, const net::TcpAddress& address, Server& server) {
  PAKE_TRY(auto listener, net::Listener::open(loop, address));
  auto at = std::get<net::TcpAddress>(listener.address());
  loop.spawn(net::accept_loop(loop, std::make_shared<net::Listener>(std::move(listener)), net::Callers(kCallers),
                              {.serve = [&server](net::Caller caller) { return answer(server, std::move(caller)); },
                               .home = [&loop]() -> net::Loop& { return loop; }}));
  return at;
}

}  // namespace pake::server
