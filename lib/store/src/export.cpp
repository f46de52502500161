// {"pake":"export","version":1,"key_file":HEX}
// {"name":...,"state":"enabled"|"disabled","revision":N,"generation":N,"epoch":N,"suite":N,"ksf":N,"created_at":MS,
//  "changed_at":MS,"sealed":BASE64}
#include "pake/store/export.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "export_line.h"
#include "pake/crypto/base64.h"
#include "pake/identity/name.h"
#include "pake/internal/try.h"
#include "pake/store/sealing.h"

namespace pake::store {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPage = 256;
constexpr int kVersion = 1;
constexpr int kTries = 8;  // against somebody who changes the same row

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) text += {kDigits[byte >> 4U], kDigits[byte & 0xfU]};
  return text;
}

std::unexpected<StoreError> fail_line(const char* what) {
  return fail(StoreErrc::corrupt, std::string("this is no line of an export: ") + what,
              "import what pake has exported");
}

StoreResult<Json> parse(std::string_view line, std::size_t fields) {
  if (line.size() > kMaxExportLine) return fail_line("it is too long");
  auto object = Json::parse(line, nullptr, false);
  if (!object.is_object() || object.size() != fields) return fail_line("it is not an object of these fields");
  return object;
}

StoreResult<std::uint64_t> number(const Json& object, const char* field, std::uint64_t most) {
  const auto at = object.find(field);
  if (at == object.end() || !at->is_number_unsigned() || at->get<std::uint64_t>() > most) return fail_line(field);
  return at->get<std::uint64_t>();
}

StoreResult<std::string> text(const Json& object, const char* field) {
  const auto at = object.find(field);
  if (at == object.end() || !at->is_string()) return fail_line(field);
  return at->get<std::string>();
}

StoreResult<Time> time(const Json& object, const char* field) {
  PAKE_TRY(const auto value, number(object, field, std::uint64_t{1} << 52U));
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
}

// A user of the store is left as he is: his row is not new. A name that was removed is made anew.
StoreResult<UserRow> row_to_import(CredentialStore& store, const UserRow& exported, Time now, Rng& rng) {
  PAKE_TRY(const auto there, store.find_user(exported.name));
  PAKE_TRY(const auto used, store.used_generation(exported.name));
  const bool is_removed = there && there->state == UserState::removed;
  auto row = new_user(exported.name, exported.parameters, exported.created_at, rng,
                      is_removed ? std::max(used, there->generation) : used);
  if (is_removed) row.revision = there->revision + 1;
  row.state = exported.state;
  row.changed_at = now;
  return row;
}

// Again if somebody changes the name's row meanwhile.
StoreStatus import_user(CredentialStore& store, const KeyFile& keys, const UserRow& exported, AuditNote note,
                        Rng& rng) {
  PAKE_TRY(const auto record, open_user(keys, exported));
  note.name = exported.name;
  for (int i = 1;; ++i) {
    PAKE_TRY(auto row, row_to_import(store, exported, note.at, rng));
    PAKE_TRYV(seal_user(keys, row, record ? record->reveal() : Bytes(), rng));
    auto written = store.write_user({.row = std::move(row)}, note);
    if (written || written.error().code != StoreErrc::conflict || i == kTries) return written;
  }
}

}  // namespace

std::string encode_export_header(const KeyFileId& key_file) {
  return Json{{"pake", "export"}, {"version", kVersion}, {"key_file", hex(key_file)}}.dump();
}

StoreResult<KeyFileId> decode_export_header(std::string_view line) {
  PAKE_TRY(const auto object, parse(line, 3));
  PAKE_TRY(const auto kind, text(object, "pake"));
  PAKE_TRY(const auto version, number(object, "version", std::numeric_limits<std::uint32_t>::max()));
  if (kind != "export" || version == 0) return fail_line("pake");
  if (version > kVersion)
    return fail(StoreErrc::newer_schema, "the export was written by a newer pake", "upgrade this one");
  PAKE_TRY(const auto id_text, text(object, "key_file"));
  KeyFileId id{};
  if (id_text.size() != 2 * id.size()) return fail_line("key_file");
  for (std::size_t i = 0; i < id_text.size(); ++i) {
    const auto c = id_text[i];
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return fail_line("key_file");
    const auto value = static_cast<unsigned>(is_digit ? c - '0' : c - 'a' + 10);
    id[i / 2] = static_cast<std::uint8_t>(unsigned{id[i / 2]} << 4U | value);
  }
  return id;
}

std::string encode_export_line(const UserRow& row) {
  return Json{{"name", row.name},
              {"state", row.state == UserState::disabled ? "disabled" : "enabled"},
              {"revision", row.revision},
              {"generation", row.generation},
              {"epoch", row.parameters.epoch},
              {"suite", row.parameters.suite},
              {"ksf", row.parameters.ksf_profile},
              {"created_at", row.created_at.time_since_epoch().count()},
              {"changed_at", row.changed_at.time_since_epoch().count()},
              {"sealed", std::string(as_text(crypto::base64_encode(row.sealed)))}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

StoreResult<UserRow> decode_export_line(std::string_view line) {
  PAKE_TRY(const auto object, parse(line, 10));
  UserRow row;
  PAKE_TRY(row.name, text(object, "name"));
  if (!identity::is_normalised_name(as_bytes(row.name))) return fail_line("name");
  PAKE_TRY(const auto state, text(object, "state"));
  if (state != "enabled" && state != "disabled") return fail_line("state");
  row.state = state == "enabled" ? UserState::enabled : UserState::disabled;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  PAKE_TRY(row.revision, number(object, "revision", kMost));
  PAKE_TRY(row.generation, number(object, "generation", kMost));
  PAKE_TRY(const auto epoch, number(object, "epoch", std::numeric_limits<std::uint32_t>::max()));
  PAKE_TRY(const auto suite, number(object, "suite", std::numeric_limits<std::uint8_t>::max()));
  PAKE_TRY(const auto ksf, number(object, "ksf", std::numeric_limits<std::uint8_t>::max()));
  row.parameters = {.epoch = static_cast<std::uint32_t>(epoch),
                    .suite = static_cast<std::uint8_t>(suite),
                    .ksf_profile = static_cast<std::uint8_t>(ksf)};
  PAKE_TRY(row.created_at, time(object, "created_at"));
  PAKE_TRY(row.changed_at, time(object, "changed_at"));
  PAKE_TRY(const auto sealed, text(object, "sealed"));
  auto bytes = crypto::base64_decode(as_bytes(sealed));
  if (!bytes || bytes->size() != kSealedUserSize) return fail_line("sealed");
  row.sealed = std::move(*bytes);
  return row;
}

StoreStatus export_users(CredentialStore& store, const std::function<StoreStatus(std::string_view line)>& write) {
  PAKE_TRYV(write(encode_export_header(store.info().key_file)));
  std::string after;
  while (true) {
    PAKE_TRY(const auto users, store.list_users(after, kPage));
    if (users.empty()) return {};
    for (const auto& row : users)
      if (row.state != UserState::removed) PAKE_TRYV(write(encode_export_line(row)));
    after = users.back().name;
  }
}

StoreResult<ImportReport> import_users(CredentialStore& store, const KeyFile& keys,
                                       const std::function<StoreResult<std::optional<std::string>>()>& next_line,
                                       const AuditNote& note, Rng& rng) {
  PAKE_TRY(const auto header, next_line());
  if (!header) return fail_line("there is none");
  PAKE_TRY(const auto key_file, decode_export_header(*header));
  PAKE_TRYV(require_same_key_file(keys, key_file, "of the export"));
  ImportReport report;
  for (std::uint64_t number = 2;; ++number) {
    const auto at_line = [&](StoreError error) {
      error.message = "line " + std::to_string(number) + ": " + error.message;
      return std::unexpected(std::move(error));
    };
    PAKE_TRY(const auto line, next_line());
    if (!line) return report;
    const auto exported = decode_export_line(*line);
    if (!exported) return at_line(exported.error());
    const auto written = import_user(store, keys, *exported, note, rng);
    if (!written && written.error().code != StoreErrc::exists) return at_line(written.error());
    ++(written ? report.imported : report.present);
  }
}

}  // namespace pake::store
