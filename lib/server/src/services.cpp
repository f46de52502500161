#include "services.h"

#include <utility>

#include "exec.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/relay.h"
#include "pake/server/proxy_protocol.h"

namespace pake::server {
namespace {

using How = StreamEnd::How;

// The seed's echo: each line comes back behind a word. Nothing of a line is kept.
net::Awaitable<StreamEnd> echo(std::unique_ptr<net::Stream> stream) {
  constexpr std::size_t kChunk = 1024;
  constexpr std::string_view kReceive = "receive ";
  StreamEnd end;
  Buffer chunk(kChunk), answer;
  bool begins_line = true;
  for (;;) {
    const auto count = co_await stream->read_some(chunk, net::kNever);
    if (!count && count.error() == net::Error::Kind::closed) break;
    if (!count) co_return StreamEnd{.how = How::cut, .from_client = end.from_client, .to_client = end.to_client};
    end.from_client += *count;
    answer.clear();
    for (const auto byte : Bytes(chunk).first(*count)) {
      if (begins_line) answer.insert(answer.end(), kReceive.begin(), kReceive.end());
      answer.push_back(byte);
      begins_line = byte == '\n';
    }
    if (!co_await stream->write_all(answer, net::kNever))
      co_return StreamEnd{.how = How::cut, .from_client = end.from_client, .to_client = end.to_client};
    end.to_client += answer.size();
  }
  stream->shutdown_write();
  co_return end;
}

net::Awaitable<StreamEnd> forward(net::Loop& loop, ForwardService service, ServiceClient client,
                                  std::unique_ptr<net::Stream> stream, std::chrono::seconds patience) {
  auto backend = co_await net::connect(loop, service.backend, net::after(patience));
  if (!backend) {
    stream->reset(channel::ResetCode::backend_unreachable);
    co_return StreamEnd{.how = How::unreachable, .detail = backend.error().explain()};
  }
  if (service.send_user) {
    const auto header = encode_proxy_header(client.source, (*backend)->peer(), client.user);
    if (const auto sent = co_await (*backend)->write_all(header, net::after(patience)); !sent) {
      stream->reset(channel::ResetCode::backend_failed);
      co_return StreamEnd{.how = How::failed, .detail = sent.error().explain()};
    }
  }
  const auto end = co_await net::relay(loop, std::move(stream), std::move(*backend));
  co_return StreamEnd{
      .how = end.complete ? How::complete : How::cut, .from_client = end.from_first, .to_client = end.from_second};
}

}  // namespace

bool may_use(const ServiceConfig& service, const std::string& user) {
  return !service.users || service.users->contains(user);
}

net::Awaitable<StreamEnd> serve_stream(net::Loop& loop, ServiceConfig service, ServiceClient client,
                                       std::unique_ptr<net::Stream> stream, std::chrono::seconds backend_connect) {
  if (auto* const to = std::get_if<ForwardService>(&service.what))
    co_return co_await forward(loop, std::move(*to), std::move(client), std::move(stream), backend_connect);
  if (auto* const program = std::get_if<ExecService>(&service.what))
    co_return co_await run_program(loop, std::move(*program), std::move(client), std::move(stream));
  co_return co_await echo(std::move(stream));
}

}  // namespace pake::server
