#include "pake/store/error.h"

namespace pake::store {

std::string_view to_string(StoreErrc code) noexcept {
  switch (code) {
    case StoreErrc::conflict:
      return "conflict";
    case StoreErrc::exists:
      return "exists";
    case StoreErrc::not_found:
      return "not_found";
    case StoreErrc::invitation_gone:
      return "invitation_gone";
    case StoreErrc::busy:
      return "busy";
    case StoreErrc::full:
      return "full";
    case StoreErrc::read_only:
      return "read_only";
    case StoreErrc::io:
      return "io";
    case StoreErrc::unreachable:
      return "unreachable";
    case StoreErrc::interrupted:
      return "interrupted";
    case StoreErrc::missing:
      return "missing";
    case StoreErrc::permission:
      return "permission";
    case StoreErrc::corrupt:
      return "corrupt";
    case StoreErrc::not_a_store:
      return "not_a_store";
    case StoreErrc::newer_schema:
      return "newer_schema";
    case StoreErrc::key_mismatch:
      return "key_mismatch";
    case StoreErrc::key_file_missing:
      return "key_file_missing";
    case StoreErrc::key_file_exposed:
      return "key_file_exposed";
    case StoreErrc::key_file_foreign:
      return "key_file_foreign";
    case StoreErrc::key_file_truncated:
      return "key_file_truncated";
    case StoreErrc::key_file_damaged:
      return "key_file_damaged";
    case StoreErrc::key_file_newer:
      return "key_file_newer";
    case StoreErrc::key_file_exists:
      return "key_file_exists";
    case StoreErrc::misuse:
      return "misuse";
  }
  return "unknown";
}

}  // namespace pake::store
