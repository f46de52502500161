// What Prometheus and a load balancer ask: /metrics, /healthz and /readyz, on a socket and a thread of their own.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "pake/net/address.h"

namespace pake::server {

class Server;

/// The metrics of a server, in Prometheus's text format.
[[nodiscard]] std::string metrics_text(Server& server);

/// Answers over HTTP until it goes; plain, without authentication: for a loopback address or a network of one's own.
class MetricsServer {
 public:
  /// @param address  a numeric TCP address
  /// @return what is wrong, as a lower-case sentence
  [[nodiscard]] static std::expected<std::unique_ptr<MetricsServer>, std::string> start(const net::TcpAddress& address,
                                                                                        Server& server);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  /// With the port that the system chose.
  [[nodiscard]] net::TcpAddress address() const;

 private:
  struct Impl;
  explicit MetricsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::server
