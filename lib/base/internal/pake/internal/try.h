// Private header: statements that return early with the error of a Result. Never included by a public header.
//   PAKE_TRY(const auto key, decode(bytes));    declares `key` from the value, or returns the error
//   PAKE_TRYV(reader.finish());                 the same where there is no value
//   PAKE_CO_TRY, PAKE_CO_TRYV                   the same inside a coroutine
#pragma once

#include <utility>

#define PAKE_DETAIL_CONCAT2(a, b) a##b
#define PAKE_DETAIL_CONCAT(a, b) PAKE_DETAIL_CONCAT2(a, b)
#define PAKE_DETAIL_RESULT PAKE_DETAIL_CONCAT(pake_result_, __LINE__)

// NOLINTBEGIN(bugprone-macro-parentheses): `declaration` is a declaration, not an expression.
#define PAKE_TRY(declaration, ...)                                               \
  auto PAKE_DETAIL_RESULT = (__VA_ARGS__);                                       \
  if (!PAKE_DETAIL_RESULT) return ::std::unexpected(PAKE_DETAIL_RESULT.error()); \
  declaration = *::std::move(PAKE_DETAIL_RESULT)
#define PAKE_CO_TRY(declaration, ...)                                               \
  auto PAKE_DETAIL_RESULT = (__VA_ARGS__);                                          \
  if (!PAKE_DETAIL_RESULT) co_return ::std::unexpected(PAKE_DETAIL_RESULT.error()); \
  declaration = *::std::move(PAKE_DETAIL_RESULT)
// NOLINTEND(bugprone-macro-parentheses)

#define PAKE_TRYV(...) \
  if (auto PAKE_DETAIL_RESULT = (__VA_ARGS__); !PAKE_DETAIL_RESULT) return ::std::unexpected(PAKE_DETAIL_RESULT.error())
#define PAKE_CO_TRYV(...)                                           \
  if (auto PAKE_DETAIL_RESULT = (__VA_ARGS__); !PAKE_DETAIL_RESULT) \
  co_return ::std::unexpected(PAKE_DETAIL_RESULT.error())
