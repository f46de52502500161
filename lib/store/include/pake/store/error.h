// What the store could not do, in words for the operator.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace pake::store {

enum class StoreErrc : std::uint8_t {
  // The outcome of a change, decided by what the store holds: nothing was changed.
  conflict,         // somebody else changed the row first: read it again
  exists,           // there is one of this name already
  not_found,        // there is none of this name
  invitation_gone,  // redeemed, withdrawn or past its time
  // The store does not answer. A change may or may not have been kept; nobody was told that it was.
  busy,         // another process holds the lock for longer than we wait
  full,         // no room on the device
  read_only,    // the file, its directory or the node of the database takes no changes
  io,           // reading, writing or syncing failed
  unreachable,  // no node of the database answers, or none in time
  interrupted,  // the caller asked the store to stop
  // The store is not what it should be: it needs the operator.
  missing,       // no such file or database
  permission,    // the file may not be opened, or others may read it
  corrupt,       // the database is damaged, or a row does not open under its key
  not_a_store,   // a file or database of something else
  newer_schema,  // made by a newer pake
  key_mismatch,  // the key file belongs to another store
  // The key file.
  key_file_missing,
  key_file_exposed,    // others may read it
  key_file_foreign,    // not a key file at all
  key_file_truncated,  // its end is missing
  key_file_damaged,    // its checksum is wrong
  key_file_newer,      // written by a newer pake
  key_file_exists,     // would be overwritten
  misuse,              // the caller's bug
};

/// The enumerator's name, for logs.
[[nodiscard]] std::string_view to_string(StoreErrc code) noexcept;

struct StoreError {
  StoreErrc code;
  std::string message;  // what failed and where; for a line `error: `; never a secret
  std::string hint;     // the way out; for a line `hint: `; may be empty
};

template <class T>
using StoreResult = std::expected<T, StoreError>;
using StoreStatus = StoreResult<void>;

[[nodiscard]] inline std::unexpected<StoreError> fail(StoreErrc code, std::string message, std::string hint = {}) {
  return std::unexpected(StoreError{.code = code, .message = std::move(message), .hint = std::move(hint)});
}

}  // namespace pake::store
