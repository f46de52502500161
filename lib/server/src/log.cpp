#include "pake/server/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "log_line.h"

namespace pake::server {
namespace {

constexpr std::size_t kQueue = 8192;  // lines

class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(std::string_view)> function) : function_(std::move(function)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    function_(std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

  std::function<void(std::string_view)> function_;
};

}  // namespace

// spdlog gives the queue, its thread and the sinks; the line is made here, where the time is that of the event.
struct Log::Impl {
  Impl(const LogOptions& options, spdlog::sink_ptr sink)
      : format(options.format),
        level(options.level),
        pool(std::make_shared<spdlog::details::thread_pool>(kQueue, 1)),
        logger(std::make_shared<spdlog::async_logger>("pake", std::move(sink), pool,
                                                      spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
  }

  LogFormat format;
  std::atomic<LogLevel> level;
  std::atomic<std::size_t> reported_drops = 0;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

std::variant<std::shared_ptr<Log>, std::string> Log::open(const LogOptions& options) {
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    }
    return std::shared_ptr<Log>(new Log(std::make_unique<Impl>(options, std::move(sink))));
  } catch (const spdlog::spdlog_ex& problem) {
    return std::string(problem.what());
  }
}

std::shared_ptr<Log> Log::to_function(const LogOptions& options, std::function<void(std::string_view)> sink) {
  return std::shared_ptr<Log>(
      new Log(std::make_unique<Impl>(options, std::make_shared<FunctionSink>(std::move(sink)))));
}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) noexcept {
  if (!writes(level)) return;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto put = [&](std::string_view line) { impl_->logger->log(spdlog::level::info, line); };
  const auto dropped = impl_->pool->overrun_counter();
  if (const auto reported = impl_->reported_drops.exchange(dropped); dropped > reported) {
    const LogField count{.key = "lines", .value = static_cast<std::int64_t>(dropped - reported)};
    put(log_line(impl_->format, now, LogLevel::warning, "log-dropped", {&count, 1}));
  }
  put(log_line(impl_->format, now, level, event, {fields.begin(), fields.size()}));
}

void Log::set_level(LogLevel level) noexcept { impl_->level = level; }
bool Log::writes(LogLevel level) const noexcept { return level >= impl_->level.load(std::memory_order_relaxed); }

}  // namespace pake::server
