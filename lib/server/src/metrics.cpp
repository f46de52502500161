#include "pake/server/metrics.h"

#include <civetweb.h>
#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "pake/server/server.h"

namespace pake::server {
namespace {

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

int answer(mg_connection* connection, int status, const char* type, std::string_view body) {
  const auto head = fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                                status, status == 200 ? "OK" : "Service Unavailable", type, body.size());
  mg_write(connection, head.data(), head.size());
  mg_write(connection, body.data(), body.size());
  return status;
}

Server& of(void* data) { return *static_cast<Server*>(data); }

int answer_metrics(mg_connection* connection, void* data) {
  return answer(connection, 200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(of(data)));
}
int answer_health(mg_connection* connection, void*) { return answer(connection, 200, "text/plain", "ok\n"); }
int answer_readiness(mg_connection* connection, void* data) {
  if (of(data).is_ready()) return answer(connection, 200, "text/plain", "ready\n");
  return answer(connection, 503, "text/plain", of(data).is_draining() ? "draining\n" : "store not reached\n");
}

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

struct MetricsServer::Impl {
  mg_context* context = nullptr;
  net::TcpAddress address;
};

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() { mg_stop(impl_->context); }
net::TcpAddress MetricsServer::address() const { return impl_->address; }

std::expected<std::unique_ptr<MetricsServer>, std::string> MetricsServer::start(const net::TcpAddress& address,
                                                                                Server& server) {
  const bool is_v6 = address.host.contains(':');
  const auto port = fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address.host, is_v6 ? "]" : "", address.port);
  const std::array<const char*, 11> options = {
      "listening_ports",   port.c_str(), "num_threads", "1", "request_timeout_ms", "5000", "max_request_size", "4096",
      "enable_keep_alive", "no",         nullptr};
  const mg_callbacks callbacks{};
  auto impl = std::make_unique<Impl>();
  errno = 0;  // civetweb says no more than that it cannot
  impl->context = mg_start(&callbacks, &server, const_cast<const char**>(options.data()));
  if (impl->context == nullptr) {
    const auto why = errno == 0 ? std::string() : ": " + std::generic_category().message(errno);
    return std::unexpected(fmt::format("cannot listen for metrics on {}{}", port, why));
  }
  mg_set_request_handler(impl->context, "/metrics$", answer_metrics, &server);
  mg_set_request_handler(impl->context, "/healthz$", answer_health, &server);
  mg_set_request_handler(impl->context, "/readyz$", answer_readiness, &server);
  mg_server_port bound{};
  impl->address = address;
  if (mg_get_server_ports(impl->context, 1, &bound) == 1) impl->address.port = static_cast<std::uint16_t>(bound.port);
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(impl)));
}

}  // namespace pake::server
