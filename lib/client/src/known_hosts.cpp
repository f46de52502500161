#include "pake/client/known_hosts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "pake/base/ct.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/crypto/hash.h"
#include "pake/internal/try.h"
#include "private_file.h"

namespace pake::client {
namespace {

namespace fs = std::filesystem;
using What = MemoryFailure::What;

constexpr std::string_view kMagic = "pake known host";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSecretSize = channel::ResumptionSecret::kSize;
constexpr std::size_t kCheckSize = 32;
constexpr std::size_t kMaxAddressSize = 1024;
constexpr std::string_view kSuffix = ".host";

std::unexpected<MemoryFailure> fail(What what, fs::path path, int error = 0) {
  return std::unexpected(MemoryFailure{.what = what, .path = std::move(path), .error = error});
}

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) text += {kDigits[byte >> 4U], kDigits[byte & 15U]};
  return text;
}

crypto::Digest check_of(Bytes content) { return crypto::hash(crypto::HashId::sha256, {content}); }

/// The file's bytes; nothing if it is not there.
Remembered<std::optional<SecretBuffer>> read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat facts{};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) return fail(What::unreadable, path, errno);
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0 || facts.st_uid != ::geteuid()) return fail(What::exposed, path);
  std::size_t size = 0;
  int error = 0;
  const auto bytes = SecretBuffer::make(kMaxRememberedHostSize + 1, [&](MutableBytes out) {
    while (size < out.size()) {
      const auto count = ::read(file.get(), out.data() + size, out.size() - size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) error = errno;
      if (count <= 0) return;
      size += static_cast<std::size_t>(count);
    }
  });
  if (error != 0) return fail(What::unreadable, path, error);
  return SecretBuffer::copy_of(bytes.reveal().first(size));
}

Remembered<RememberedHost> host_in(const SecretBuffer& bytes, const fs::path& path) {
  auto host = decode_remembered_host(bytes.reveal());
  if (!host) return fail(What::corrupt, path);
  return std::move(*host);
}

std::optional<RememberedHost> decode_content(Bytes content) {
  Reader reader(content);
  const auto magic = reader.take(kMagic.size());
  const auto version = reader.u8();
  const auto user = reader.take_lp1();
  const auto address = reader.take_lp2();
  const auto key = reader.take_lp1();
  const auto ticket = reader.take_lp2();
  const auto secret = reader.take(kSecretSize);
  const auto lent_at = reader.u64();
  const auto lifetime = reader.u64();
  if (!magic || !version || !user || !address || !key || !ticket || !secret || !lent_at || !lifetime ||
      !reader.finish())
    return std::nullopt;
  if (as_text(*magic) != kMagic || *version != kVersion || user->empty() || address->empty() || key->empty() ||
      address->size() > kMaxAddressSize)
    return std::nullopt;
  RememberedHost host{.id = {.user = std::string(as_text(*user)), .address = std::string(as_text(*address))},
                      .server_public_key = to_buffer(*key)};
  if (!ticket->empty())
    host.ticket =
        RememberedTicket{.stored = {.ticket = to_buffer(*ticket),
                                    .secret = channel::ResumptionSecret::copy_of(secret->first<kSecretSize>())},
                         .lent_at = *lent_at,
                         .lifetime = *lifetime};
  return host;
}

}  // namespace

SecretBuffer encode(const RememberedHost& host) {
  const auto& ticket = host.ticket;
  Writer head;
  head.put(as_bytes(kMagic)).u8(kVersion).put_lp1(as_bytes(host.id.user)).put_lp2(as_bytes(host.id.address));
  head.put_lp1(host.server_public_key).put_lp2(ticket ? Bytes(ticket->stored.ticket) : Bytes());
  Writer times;
  times.u64(ticket ? ticket->lent_at : 0).u64(ticket ? ticket->lifetime : 0);
  const auto begin = head.take();
  const auto end = times.take();
  return SecretBuffer::make(begin.size() + kSecretSize + end.size() + kCheckSize, [&](MutableBytes out) {
    auto at = std::ranges::copy(begin, out.begin()).out;
    if (ticket) std::ranges::copy(ticket->stored.secret.reveal(), at);
    at = std::ranges::copy(end, at + kSecretSize).out;
    std::ranges::copy(check_of(Bytes(out).first(out.size() - kCheckSize)).reveal(), at);
  });
}

std::optional<RememberedHost> decode_remembered_host(Bytes bytes) {
  if (bytes.size() < kCheckSize || bytes.size() > kMaxRememberedHostSize) return std::nullopt;
  const auto content = bytes.first(bytes.size() - kCheckSize);
  if (!ct_equal(check_of(content).reveal(), bytes.last(kCheckSize))) return std::nullopt;
  return decode_content(content);
}

fs::path HostMemory::path_of(const HostId& id) const {
  const auto size = static_cast<std::uint8_t>(std::min<std::size_t>(id.user.size(), 255));
  const std::array prefix = {size};
  const auto digest = crypto::hash(crypto::HashId::sha256, {prefix, as_bytes(id.user), as_bytes(id.address)});
  return directory_ / (hex(digest.reveal().first(16)) + std::string(kSuffix));
}

Remembered<std::optional<RememberedHost>> HostMemory::find(const HostId& id) const {
  const auto path = path_of(id);
  PAKE_TRY(const auto bytes, read_file(path));
  if (!bytes) return std::nullopt;
  PAKE_TRY(auto host, host_in(*bytes, path));
  if (host.id != id) return fail(What::corrupt, path);
  return std::optional(std::move(host));
}

class PreparedHost::File {
 public:
  explicit File(fs::path path) : path_(std::move(path)), file_(path_.parent_path()) {}

  Remembered<void> reserve() { return checked(file_.reserve(kMaxRememberedHostSize)); }
  Remembered<void> keep(const RememberedHost& host) {
    const auto content = encode(host);
    PAKE_TRYV(checked(content.size() > kMaxRememberedHostSize ? EMSGSIZE : file_.write(content.reveal())));
    PAKE_TRYV(checked(file_.replace(path_)));
    sync_directory(path_.parent_path());
    return {};
  }

 private:
  [[nodiscard]] Remembered<void> checked(int error) const {
    if (error != 0) return fail(What::unwritable, path_, error);
    return {};
  }

  fs::path path_;
  NewFile file_;
};

PreparedHost::PreparedHost(std::unique_ptr<File> file) noexcept : file_(std::move(file)) {}
PreparedHost::PreparedHost(PreparedHost&&) noexcept = default;
PreparedHost& PreparedHost::operator=(PreparedHost&&) noexcept = default;
PreparedHost::~PreparedHost() = default;

Remembered<void> PreparedHost::keep(const RememberedHost& host) { return file_->keep(host); }

Remembered<PreparedHost> HostMemory::prepare(const HostId& id) const {
  if (const int error = make_directory(directory_); error != 0) return fail(What::unwritable, directory_, error);
  auto file = std::make_unique<PreparedHost::File>(path_of(id));
  PAKE_TRYV(file->reserve());
  return PreparedHost(std::move(file));
}

Remembered<void> HostMemory::keep(const RememberedHost& host) const {
  PAKE_TRY(auto place, prepare(host.id));
  return place.keep(host);
}

Remembered<bool> HostMemory::forget(const HostId& id) const {
  const auto path = path_of(id);
  if (::unlink(path.c_str()) == 0) {
    sync_directory(directory_);
    return true;
  }
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return fail(What::unwritable, path, errno);
}

Remembered<HostMemory::Listed> HostMemory::list() const {
  Listed listed;
  std::error_code error;
  fs::directory_iterator files(directory_, error);
  if (error == std::errc::no_such_file_or_directory) return listed;
  if (error) return fail(What::unreadable, directory_, error.value());
  for (; files != fs::directory_iterator(); files.increment(error)) {
    const auto& path = files->path();
    if (path.extension() != kSuffix || path.filename().string().starts_with('.')) continue;
    auto bytes = read_file(path);
    if (bytes && !*bytes) continue;  // forgotten meanwhile
    auto host = bytes ? host_in(**bytes, path) : std::unexpected(bytes.error());
    if (host)
      listed.hosts.push_back(std::move(*host));
    else
      listed.failures.push_back(std::move(host.error()));
    if (error) return fail(What::unreadable, directory_, error.value());
  }
  std::ranges::sort(listed.hosts, {}, &RememberedHost::id);
  return listed;
}

}  // namespace pake::client
