#include "pipe/trace.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "pake/channel/frame.h"
#include "pake/net/frame_tap.h"

namespace pake::cli::pipe {
namespace {

std::string_view name_of(channel::FrameType type) {
  using enum channel::FrameType;
  switch (type) {
    case client_hello:
      return "client_hello";
    case retry:
      return "retry";
    case server_hello:
      return "server_hello";
    case client_finish:
      return "client_finish";
    case alert:
      return "alert";
    case meet:
      return "meet";
    case met:
      return "met";
    case data:
      return "data";
    case close:
      return "close";
  }
  return "unknown";
}

}  // namespace

class Trace::File {
 public:
  explicit File(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "we")) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (file_ != nullptr) static_cast<void>(std::fclose(file_));
  }

  [[nodiscard]] bool is_open() const noexcept { return file_ != nullptr; }

  void write(net::Direction passed, Bytes frame) {
    using namespace std::chrono;
    const auto header = channel::FrameHeader::decode(frame.first<channel::FrameHeader::kSize>());
    const auto line = fmt::format(R"({{"us":{},"passed":"{}","frame":"{}","size":{},"bytes":"{:02x}"}})"
                                  "\n",
                                  duration_cast<microseconds>(steady_clock::now() - start_).count(),
                                  passed == net::Direction::sent ? "sent" : "received", name_of(header.type),
                                  frame.size(), fmt::join(frame, ""));
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() && failed_ == 0) failed_ = errno;
  }

  Expected<void> finish() {
    if (std::fclose(std::exchange(file_, nullptr)) != 0 && failed_ == 0) failed_ = errno;
    if (failed_ != 0) return std::unexpected(problem(failed_));
    return {};
  }

  [[nodiscard]] Problem problem(int error) const {
    return {.exit_code = kExitFailed,
            .error = fmt::format("cannot write the trace {}: {}", path_, explain_errno(error))};
  }

 private:
  std::string path_;
  std::FILE* file_;
  int failed_ = 0;  // the first errno: what passes is not held up by a trace that cannot be kept
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Trace::Trace(std::shared_ptr<File> file) noexcept : file_(std::move(file)) {}

Expected<Trace> Trace::open(const std::string& path) {
  auto file = std::make_shared<File>(path);
  if (!file->is_open()) return std::unexpected(file->problem(errno));
  return Trace(std::move(file));
}

std::unique_ptr<net::Stream> Trace::follow(std::unique_ptr<net::Stream> stream) {
  return net::tap_frames(std::move(stream),
                         [file = file_](net::Direction passed, Bytes frame) { file->write(passed, frame); });
}

Expected<void> Trace::finish() { return file_->finish(); }

}  // namespace pake::cli::pipe
