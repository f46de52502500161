#include "lab/recording.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include "pake/channel/frame.h"
#include "pake/crypto/aes.h"
#include "pake/crypto/base64.h"
#include "pake/crypto/rsa.h"
#include "pake/internal/try.h"
#include "pake/proto/eke/rsa_eke.h"
#include "terminal/escape.h"

namespace pake::cli::lab {
namespace {

constexpr std::size_t kMostBytes = 128UL << 20U;
constexpr std::size_t kMessages = 7;
constexpr std::size_t kOneBlock = crypto::base64_size(crypto::kAesBlockSize);       // messages 5 and 7
constexpr std::size_t kTwoBlocks = crypto::base64_size(2 * crypto::kAesBlockSize);  // message 6
constexpr std::size_t kMaxMessage = 2048;                                           // the longest, message 3, has 1,068

/// The bytes of a message that is the Base64 of whole cipher blocks; nothing for anything else.
Buffer blocks_of(Bytes message) {
  auto bytes = crypto::base64_decode(message);
  if (!bytes || bytes->size() % crypto::kAesBlockSize != 0) return {};
  return *std::move(bytes);
}

/// What a side says until the other one speaks is one message, however many frames it was noted in; behind message 7,
/// whose length is known, each frame is a line.
std::expected<Recording, std::string> seed_run_of(const std::vector<trace::Frame>& frames) {
  const auto connector = frames.front().passed;  // it speaks first
  std::array<Buffer, kMessages> messages;
  std::size_t at = 0;
  SeedRun run;
  for (const auto& frame : frames) {
    const bool by_connector = frame.passed == connector;
    Bytes bytes = frame.bytes;
    if (at < kMessages && by_connector != (at % 2 == 0)) ++at;
    if (at < kMessages) {
      auto& message = messages[at];
      const bool is_last = at + 1 == kMessages;
      const auto room = (is_last ? kOneBlock : kMaxMessage) - message.size();
      if (bytes.size() > room && !is_last) return std::unexpected("a message is longer than any of the protocol");
      const auto taken = bytes.first(std::min(room, bytes.size()));
      message.insert(message.end(), taken.begin(), taken.end());
      bytes = bytes.subspan(taken.size());
      if (is_last && message.size() == kOneBlock) at = kMessages;
    }
    if (!bytes.empty()) run.chat.push_back({.by_connector = by_connector, .text = to_buffer(bytes)});
  }
  if (as_text(messages[1]) == "no") return std::unexpected("the listener did not know the user: no key was sent");
  if (as_text(messages[1]) != "yes") return std::unexpected("the second message is not \"yes\"");
  run.user = std::move(messages[0]);
  run.encrypted_key = blocks_of(messages[2]);
  if (run.encrypted_key.empty()) return std::unexpected("the third message is not the Base64 of whole cipher blocks");
  run.encrypted_secret = blocks_of(messages[3]);
  if (messages[4].size() == kOneBlock) run.E_NC = blocks_of(messages[4]);
  if (messages[5].size() == kTwoBlocks) run.E_NC_NS = blocks_of(messages[5]);
  run.E_NS = blocks_of(messages[6]);
  return run;
}

std::expected<Recording, std::string> channel_run_of(const std::vector<trace::Frame>& frames) {
  std::optional<ChannelRun> run;
  for (const auto& frame : frames) {
    if (frame.bytes.size() < channel::FrameHeader::kSize) continue;
    const auto header = channel::FrameHeader::decode(Bytes(frame.bytes).first<channel::FrameHeader::kSize>());
    const auto body = Bytes(frame.bytes).subspan(channel::FrameHeader::kSize);
    if (header.length != body.size()) continue;
    if (header.type == channel::FrameType::client_hello) {
      const auto hello = channel::ClientHello::decode(body);
      if (!hello) return std::unexpected("its client hello is malformed");
      run = ChannelRun{.kind = hello->kind, .suite = hello->suite(), .hello = to_buffer(body), .is_answered = false};
    }
    if (header.type == channel::FrameType::server_hello && run) {
      run->is_answered = true;
      break;
    }
  }
  if (!run) return std::unexpected("there is no client hello in it");
  return *std::move(run);
}

bool begins_like_the_channel(const trace::Frame& frame) {
  if (frame.protocol == "pake/2") return true;
  if (!frame.protocol.empty() || frame.bytes.size() < channel::FrameHeader::kSize) return false;
  const auto header = channel::FrameHeader::decode(Bytes(frame.bytes).first<channel::FrameHeader::kSize>());
  const bool opens = header.type == channel::FrameType::client_hello || header.type == channel::FrameType::meet;
  return opens && header.length == frame.bytes.size() - channel::FrameHeader::kSize;
}

Problem problem(const std::string& path, std::string_view what) {
  return {.exit_code = kExitFailed, .error = fmt::format("{}: {}", escape(path), escape(what))};
}

}  // namespace

std::expected<Recording, std::string> recording_of(const std::vector<trace::Frame>& frames) {
  if (frames.empty()) return std::unexpected("there is no message in it");
  return begins_like_the_channel(frames.front()) ? channel_run_of(frames) : seed_run_of(frames);
}

Expected<Recording> read_recording(const std::string& path, std::optional<std::uint64_t> connection) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(problem(path, explain_errno(errno)));
  std::map<std::uint64_t, std::vector<trace::Frame>> connections;
  std::string line;
  std::size_t read = 0;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    read += line.size() + 1;
    if (line.size() > trace::kMaxLine || read > kMostBytes) return std::unexpected(problem(path, "it is too long"));
    if (line.empty()) continue;
    auto parsed = trace::parse_line(line);
    if (!parsed) return std::unexpected(problem(path, fmt::format("line {}: {}", number, parsed.error())));
    if (auto* frame = std::get_if<trace::Frame>(&*parsed)) connections[frame->connection].push_back(std::move(*frame));
  }
  if (file.bad()) return std::unexpected(problem(path, "it cannot be read"));
  std::optional<std::string> first_complaint;
  for (const auto& [id, frames] : connections) {
    if (connection && *connection != id) continue;
    auto recording = recording_of(frames);
    if (recording) return *std::move(recording);
    if (!first_complaint) first_complaint = std::move(recording.error());
  }
  return std::unexpected(problem(path, first_complaint.value_or("there is no message in it")));
}

}  // namespace pake::cli::lab
