#include "trace/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <mutex>
#include <utility>

#include "pake/net/frame_tap.h"
#include "process/output.h"
#include "trace/channel_fields.h"

namespace pake::cli::trace {
namespace {

constexpr mode_t kOwnerAlone = S_IRUSR | S_IWUSR;

// @return 0 or an errno
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

class Trace::File {
 public:
  File(std::string path, std::size_t most_bytes) : path_(std::move(path)), most_bytes_(most_bytes) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  // A file that is there already and that others may read is closed to them too.
  bool open() {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, kOwnerAlone);
    struct stat status{};
    return fd_ >= 0 && ::fstat(fd_, &status) == 0 &&
           (!S_ISREG(status.st_mode) || (status.st_mode & 0777U) == kOwnerAlone || ::fchmod(fd_, kOwnerAlone) == 0);
  }

  std::uint64_t next_connection() {
    const std::scoped_lock lock(mutex_);
    return ++connections_;
  }

  void write(Frame frame) {
    const std::scoped_lock lock(mutex_);
    if (fd_ < 0) return;
    frame.us = now();
    if (left_out_ == 0) {
      const auto line = to_line(frame);
      if (written_ + line.size() <= most_bytes_) {
        written_ += line.size();
        return keep(write_all(fd_, line));
      }
    }
    ++left_out_;
  }

  Expected<void> finish() {
    const std::scoped_lock lock(mutex_);
    if (fd_ < 0) return {};
    if (left_out_ > 0) {
      keep(write_all(fd_, to_line(LeftOut{.us = now(), .frames = left_out_})));
      say_note(fmt::format("the trace {} is full: {} frames more are not in it", path_, left_out_));
    }
    if (::close(std::exchange(fd_, -1)) != 0) keep(errno);
    if (failed_ != 0) return std::unexpected(problem(failed_));
    return {};
  }

  [[nodiscard]] Problem problem(int error) const {
    return {.exit_code = kExitFailed,
            .error = fmt::format("cannot write the trace {}: {}", path_, explain_errno(error))};
  }

 private:
  [[nodiscard]] std::uint64_t now() const {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<microseconds>(steady_clock::now() - start_).count());
  }

  void keep(int error) {
    if (failed_ == 0) failed_ = error;
  }

  std::mutex mutex_;
  std::string path_;
  std::size_t most_bytes_;
  int fd_ = -1;
  int failed_ = 0;  // the first errno: what passes is not held up by a trace that cannot be kept
  std::size_t written_ = 0;
  std::uint64_t left_out_ = 0;  // from the first one that does not fit
  std::uint64_t connections_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Expected<Trace> Trace::open(const std::optional<std::string>& path, std::size_t most_bytes) {
  if (!path) return Trace(nullptr);
  auto file = std::make_shared<File>(*path, most_bytes);
  if (!file->open()) return std::unexpected(file->problem(errno));
  return Trace(std::move(file));
}

std::unique_ptr<net::Stream> Trace::follow(std::unique_ptr<net::Stream> stream) const {
  if (!is_wanted()) return stream;
  return net::tap_frames(std::move(stream), [connection = begin("pake/2"), fields = ChannelFields()](
                                                net::Direction passed, Bytes frame) mutable {
    connection.note(passed == net::Direction::sent ? Passed::sent : Passed::received, name_of_frame(frame), frame,
                    fields.of(frame));
  });
}

Trace::Connection Trace::begin(std::string protocol) const {
  return {file_, std::move(protocol), is_wanted() ? file_->next_connection() : 0};
}

Expected<void> Trace::finish() const {
  if (!is_wanted()) return {};
  return file_->finish();
}

Expected<int> Trace::finish(Expected<int> run) const {
  auto kept = finish();
  if (kept) return run;
  if (run && *run == kExitOk) return std::unexpected(std::move(kept.error()));
  report(kept.error());
  return run;
}

void Trace::Connection::note(Passed passed, std::string_view name, Bytes bytes, std::vector<Field> fields) {
  if (file_ == nullptr) return;
  if (!role_) role_ = passed == Passed::sent ? Role::client : Role::server;
  file_->write({.protocol = protocol_,
                .role = role_,
                .connection = number_,
                .passed = passed,
                .name = std::string(name),
                .bytes = Buffer(bytes.begin(), bytes.end()),
                .fields = std::move(fields)});
}

Setting setting(std::optional<std::string>& path) {
  return {.flag = "--trace",
          .value = file(path),
          .help = "Write every frame that passes into this file, as JSON lines; pake draw shows them"};
}

}  // namespace pake::cli::trace
