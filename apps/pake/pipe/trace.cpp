#include "pipe/trace.h"

#include <utility>

#include "pake/internal/try.h"
#include "trace/trace.h"

namespace pake::cli::pipe {

class Trace::File {
 public:
  explicit File(trace::Trace trace) : trace_(std::move(trace)) {}
  [[nodiscard]] const trace::Trace& trace() const noexcept { return trace_; }

 private:
  trace::Trace trace_;
};

Trace::Trace(std::shared_ptr<File> file) noexcept : file_(std::move(file)) {}

Expected<Trace> Trace::open(const std::string& path) {
  PAKE_TRY(auto trace, trace::Trace::open(path));
  return Trace(std::make_shared<File>(std::move(trace)));
}

std::unique_ptr<net::Stream> Trace::follow(std::unique_ptr<net::Stream> stream) {
  return file_->trace().follow(std::move(stream));
}

Expected<int> Trace::finish(Expected<int> run) const { return file_->trace().finish(std::move(run)); }

Expected<int> finish(const std::optional<Trace>& trace, Expected<int> run) {
  return trace ? trace->finish(std::move(run)) : run;
}

}  // namespace pake::cli::pipe
