#include "pake/client/paired_keys.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "pake/base/ct.h"
#include "pake/base/secret.h"
#include "pake/crypto/base64.h"
#include "pake/internal/try.h"
#include "private_file.h"

namespace pake::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLineSize = crypto::base64_size(kPairedKeySize) + 1;

std::unexpected<MemoryFailure> cannot_write(fs::path path, int error) {
  return std::unexpected(
      MemoryFailure{.what = MemoryFailure::What::unwritable, .path = std::move(path), .error = error});
}

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

bool is_pair_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kMaxPairNameSize && is_letter_or_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; });
}

class PreparedKey::File {
 public:
  File(fs::path path, Existing existing) : path_(std::move(path)), file_(path_.parent_path()), existing_(existing) {}

  Remembered<void> reserve() { return checked(file_.reserve(kLineSize)); }
  Remembered<void> write(Bytes line) { return checked(file_.write(line)); }
  Remembered<void> keep() {
    PAKE_TRYV(checked(existing_ == Existing::is_replaced ? file_.replace(path_) : file_.put_at(path_)));
    sync_directory(path_.parent_path());
    return {};
  }

 private:
  [[nodiscard]] Remembered<void> checked(int error) const {
    if (error != 0) return cannot_write(path_, error);
    return {};
  }

  fs::path path_;
  NewFile file_;
  Existing existing_;
};

PreparedKey::PreparedKey(std::unique_ptr<File> file) noexcept : file_(std::move(file)) {}
PreparedKey::PreparedKey(PreparedKey&&) noexcept = default;
PreparedKey& PreparedKey::operator=(PreparedKey&&) noexcept = default;
PreparedKey::~PreparedKey() = default;

Remembered<void> PreparedKey::write(std::span<const std::uint8_t, kPairedKeySize> key) {
  const auto line = SecretBuffer::make(kLineSize, [&](MutableBytes out) {
    auto text = crypto::base64_encode(key);
    *std::ranges::copy(text, out.begin()).out = '\n';
    wipe(text);
  });
  return file_->write(line.reveal());
}

Remembered<void> PreparedKey::keep() { return file_->keep(); }

bool PairedKeys::has(std::string_view name) const {
  struct stat facts{};
  return ::lstat(path_of(name).c_str(), &facts) == 0;
}

Remembered<PreparedKey> PairedKeys::prepare(std::string_view name, Existing existing) const {
  if (const int error = make_directory(directory_); error != 0) return cannot_write(directory_, error);
  auto file = std::make_unique<PreparedKey::File>(path_of(name), existing);
  PAKE_TRYV(file->reserve());
  return PreparedKey(std::move(file));
}

}  // namespace pake::client
