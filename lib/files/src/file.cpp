#include "pake/files/file.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pake::files {

std::string FileError::explain() const {
  switch (kind) {
    case Kind::exists:
      return "another file has this name";
    case Kind::in_the_way:
      return "a link, or something that is no folder, is in the way";
    case Kind::not_usable:
      return "it is not a regular file with one name that belongs to this user";
    case Kind::busy:
      return "another transfer is writing it";
    case Kind::changed:
      return "it changed meanwhile";
    case Kind::no_room:
    case Kind::system:
      break;
  }
  return std::generic_category().message(number);
}

std::unexpected<FileError> fail_with(int number) {
  using enum FileError::Kind;
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fail(no_room, number);
    case ELOOP:
    case ENOTDIR:
    case EXDEV:
      return fail(in_the_way, number);
    case EEXIST:
      return fail(exists, number);
    default:
      return fail(system, number);
  }
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace pake::files
