// channel.json: whole handshakes of docs/wire.md, with every byte of randomness given, and tickets.
#include <algorithm>
#include <string>

#include "channel_run.h"
#include "pake/channel/frame.h"
#include "pake/channel/messages.h"
#include "pake/channel/ticket.h"
#include "pake/crypto/hash.h"
#include "pake/testing/fixed_rng.h"
#include "vectors.h"

namespace pake::vectors {
namespace {

using namespace channel;

// Fields in the order in which they are drawn.
Buffer drawn(Fields& randomness, std::initializer_list<const char*> names) {
  Buffer all;
  for (const auto* name : names) {
    const auto bytes = randomness.bytes(name);
    randomness.require(bytes.size() == 32, std::string(name) + " has not 32 bytes");
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

Buffer operator+(Buffer left, const Buffer& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

ChannelInputs inputs_of(Fields& entry) {
  auto& inputs = entry.object("inputs");
  auto& client = entry.object("client_randomness");
  auto& server = entry.object("server_randomness");
  const auto kind = inputs.number("kind");
  inputs.require(kind >= 1 && kind <= 3, "unknown kind");
  ChannelInputs in{.kind = static_cast<HandshakeKind>(kind),
                   .server_name = inputs.bytes("server_name"),
                   .name = inputs.bytes("name"),
                   .client_aeads = inputs.bytes("client_aeads"),
                   .server_aeads = inputs.bytes("server_aeads"),
                   .suites = inputs.bytes("suites")};
  const Buffer chacha = {2}, both = {1, 2};
  for (const auto& aeads : {in.client_aeads, in.server_aeads})
    inputs.require(aeads == chacha || aeads == both, "AEADs that no side has");
  inputs.require(!in.suites.empty(), "no suite");
  in.client_randomness = drawn(client, {"random"});
  switch (in.kind) {
    case HandshakeKind::login:
      in.server_suite = static_cast<std::uint8_t>(inputs.number("server_suite"));
      in.secret = inputs.bytes("password");
      in.ksf = static_cast<std::uint8_t>(inputs.number("ksf"));
      in.oprf_seed = inputs.bytes("oprf_seed");
      in.server_private_key = inputs.bytes("server_private_key");
      in.record = inputs.bytes("record");
      if (in.server_suite != in.suites[0])
        in.client_randomness =
            in.client_randomness + drawn(client, {"first_blind", "first_client_nonce", "first_client_keyshare_seed"});
      in.client_randomness = in.client_randomness + drawn(client, {"blind", "client_nonce", "client_keyshare_seed"});
      in.server_randomness = drawn(server, {"masking_nonce", "server_nonce", "server_keyshare_seed"});
      if (!inputs.has("device_ticket")) break;
      in.ticket = inputs.bytes("device_ticket");
      in.ticket_secret = inputs.bytes("device_secret");
      in.device_time = inputs.number("device_time");
      in.ticket_key_id = inputs.bytes("ticket_key_id");
      in.ticket_key = inputs.bytes("ticket_key");
      break;
    case HandshakeKind::code:
      inputs.require(in.suites == Buffer{0x11}, "another suite");
      in.secret = inputs.bytes("code");
      in.client_randomness = in.client_randomness + drawn(client, {"ya"});
      in.server_randomness = drawn(server, {"yb"});
      break;
    case HandshakeKind::resume:
      inputs.require(in.suites == Buffer{0x21} && in.name.empty(), "another suite, or a name");
      in.ticket = inputs.bytes("ticket");
      in.ticket_secret = inputs.bytes("ticket_secret");
      in.ticket_key_id = inputs.bytes("ticket_key_id");
      in.ticket_key = inputs.bytes("ticket_key");
      in.client_randomness = in.client_randomness + drawn(client, {"private_key"});
      in.server_randomness = drawn(server, {"private_key"});
      break;
  }
  return in;
}

crypto::Digest hash_of_frames(const std::vector<Buffer>& frames, std::size_t count, std::size_t without) {
  crypto::Hash hash(crypto::HashId::sha512);
  for (std::size_t i = 0; i < count; ++i)
    hash.update(Bytes(frames[i]).first(frames[i].size() - (i + 1 == count ? without : 0)));
  return hash.finish();
}

// docs/wire.md, section 4: the PAKE messages end the hellos.
void check_transcript(Fields& transcript, const std::vector<Buffer>& frames) {
  const auto hellos = frames.size() - 1;
  const auto hello = ClientHello::decode(Bytes(frames[hellos - 2]).subspan(FrameHeader::kSize));
  const auto answer = ServerHello::decode(Bytes(frames[hellos - 1]).subspan(FrameHeader::kSize));
  transcript.require(hello.has_value() && answer.has_value(), "the hellos do not decode");
  transcript.expect("H0", hash_of_frames(frames, hellos - 1, hello->pake.size()).reveal());
  transcript.expect("H1", hash_of_frames(frames, hellos, answer->pake.size()).reveal());
  transcript.expect("H2", hash_of_frames(frames, hellos + 1, 0).reveal());
}

void check_run(Fields& entry) {
  static_cast<void>(entry.text("id"));
  const auto in = inputs_of(entry);
  const auto run = run_channel(in);
  if (!run) entry.fail("the handshake fails: " + std::string(to_string(run.error())));
  entry.require(run->frames == entry.list_of_bytes("frames"), "other frames");
  check_transcript(entry.object("transcript"), run->frames);

  auto& outputs = entry.object("outputs");
  for (const auto* keys : {&run->client_keys, &run->server_keys}) {
    outputs.require(outputs.number("aead") == std::to_underlying(keys->aead), "another AEAD");
    outputs.expect("client_traffic", keys->client.reveal());
    outputs.expect("server_traffic", keys->server.reveal());
    outputs.expect("exporter_secret", keys->exporter_secret.reveal());
    outputs.expect("resumption_secret", keys->resumption_secret.reveal());
  }
  if (in.kind != HandshakeKind::login) return;
  outputs.expect("export_key", run->client.export_key.reveal());
  outputs.expect("server_public_key", run->client.server_public_key);
  outputs.require(run->device.has_value() == !in.ticket.empty(), "the server has not known the device");
  if (!run->device) return;
  outputs.require(run->device->time == in.device_time, "another time");
  outputs.expect("device", run->device->ticket.device);
}

void check_ticket(Fields& entry) {
  const auto id = entry.bytes("key_id"), key = entry.bytes("key"), secret = entry.bytes("resumption_secret");
  entry.require(id.size() == 4 && key.size() == 32 && secret.size() == 64, "sizes");
  std::vector<TicketKey> keys(1);
  std::ranges::copy(id, keys[0].id.begin());
  keys[0].key = crypto::SealKey::copy_of(Bytes(key).first<32>());
  const auto device = entry.bytes("device");
  entry.require(device.size() == DeviceId{}.size(), "a device of another size");
  TicketFacts facts{.name = entry.bytes("name"),
                    .server_name = entry.bytes("server_name"),
                    .generation = entry.number("generation"),
                    .login_time = entry.number("login_time"),
                    .expiry = entry.number("expiry")};
  std::ranges::copy(device, facts.device.begin());
  testing::FixedRng rng(entry.bytes("nonce"));
  const TicketKeys ring(std::move(keys));
  const auto ticket = seal_ticket(ring, facts, ResumptionSecret::copy_of(Bytes(secret).first<64>()), rng);
  entry.require(ticket.has_value(), "it cannot be sealed");
  entry.expect("ticket", *ticket);
  const auto opened = open_ticket(ring, *ticket);
  entry.require(opened && opened->facts == facts && ct_equal(opened->secret.reveal(), secret),
                "it opens to something else");
}

void check_export(Fields& entry) {
  static_cast<void>(entry.text("id"));
  const auto secret = entry.bytes("exporter_secret"), label = entry.bytes("label"), context = entry.bytes("context");
  entry.require(secret.size() == ExporterSecret::kSize, "an exporter_secret of another size");
  const auto whose = entry.text("whose");
  entry.require(whose == "user" || whose == "pake", "nobody's");
  const auto exporter_secret = ExporterSecret::copy_of(Bytes(secret).first<ExporterSecret::kSize>());
  Buffer out(entry.bytes("out").size());
  const auto exported = whose == "user"
                            ? export_keying_material(exporter_secret, as_text(label), context, out)
                            : export_keying_material(exporter_secret, InternalLabel{as_text(label)}, context, out);
  entry.require(exported.has_value(), "it cannot be exported");
  entry.expect("out", out);
}

}  // namespace

void check_channel(Sections& file) {
  file.ignore("about");
  file.each("runs", check_run);
  file.each("tickets", check_ticket);
  file.each("exports", check_export);
}

}  // namespace pake::vectors
