// What the files of SPAKE2+, SPAKE2, SRP and EKE have in common.
#pragma once

#include <string_view>
#include <utility>

#include "pake/base/result.h"
#include "vectors.h"

namespace pake::vectors {

template <class T>
T must(const Fields& entry, Result<T> result, std::string_view what) {
  if (!result) entry.fail(what);
  return std::move(*result);
}

/// Reads what is text for the reader, and the id.
inline void read_labels(Fields& entry) {
  static_cast<void>(entry.text("id"));
  for (const auto* name : {"origin", "comment", "reason", "meaning"})
    if (entry.has(name)) static_cast<void>(entry.text(name));
}

/// Reads `expect`, which says reject and perhaps why.
inline void expect_reject(Fields& entry) {
  const auto expect = entry.text("expect");
  entry.require(expect == "reject" || expect.starts_with("reject:") || expect.starts_with("reject ("),
                "expect is not reject");
}

inline void ignore_labels(Sections& file) {
  for (const auto* name : {"protocol", "set", "encoding"}) file.ignore(name);
}

}  // namespace pake::vectors
