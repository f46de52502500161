// A batch of sums on P-256, and one of products: the lanes give what OpenSSL does. The input is a number, from which
// the scalars come, the encoding of a point, and two bytes a term; small scalars and their opposites make terms that
// are equal, cancel each other, or come to the identity on the way.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "pake/crypto/backend.h"
#include "pake/crypto/fixed_point.h"
#include "pake/crypto/group.h"
#include "require.h"

using namespace pake;
using namespace pake::crypto;

namespace {

constexpr std::size_t kMostSums = 5;  // more than a call of the lanes takes
constexpr std::array kBackends = {P256Backend::openssl, P256Backend::avx512_ifma};

const Group& group() { return Group::get(GroupId::p256); }

Scalar small(std::uint8_t value) { return group().reduce_scalar(std::array{value}, std::endian::big); }

/// 31 times the generator, with the table of each way there is.
const std::vector<FixedPoint>& fixed_points() {
  static const auto points = [] {
    std::vector<FixedPoint> made;
    const auto point = group().multiply_generator(small(31)).value();
    for (const auto backend : kBackends)
      if (choose_p256_backend(backend)) made.emplace_back(GroupId::p256, point);
    return made;
  }();
  return points;
}

void append(Buffer& out, const Element& element) {
  out.push_back(element.empty() ? 0 : 1);
  if (element.empty()) return;
  const auto bytes = to_buffer(group().encode(element).reveal());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Buffer run(Bytes input) {
  if (input.size() < 65) return {};
  const auto k = group().reduce_scalar(input.first(32), std::endian::big);
  auto P = group().decode(input.subspan(32, 33));
  if (!P) P = group().hash_to_group({input.subspan(32, 33)}, {as_bytes("fuzz")});
  fuzz::require(P.has_value());
  const auto kP = group().multiply(k, *P);
  input = input.subspan(65);

  std::vector<Scalar> scalars;
  std::vector<std::vector<SumTerm>> terms;
  scalars.reserve(2 * kMostSums * Group::kMaxTerms);
  for (; input.size() >= 2; input = input.subspan(2)) {
    const auto what = input[0], number = input[1];
    if (terms.empty() || what % 2 == 1 || terms.back().size() == Group::kMaxTerms) {
      if (terms.size() == kMostSums) break;
      terms.emplace_back();
    }
    auto scalar = what / 2 % 2 == 0 ? small(number) : Scalar::copy_of(k.reveal());
    if (what / 4 % 2 == 1) scalar = group().negate_scalar(scalar);
    scalars.push_back(std::move(scalar));
    SumTerm term{.scalar = &scalars.back()};
    if (what / 8 % 4 == 1) term.element = &*P;
    if (what / 8 % 4 == 2) term.fixed = &fixed_points()[number % fixed_points().size()];
    if (what / 8 % 4 == 3 && kP) term.element = &*kP;
    if (what / 32 == 7) term.scalar = nullptr;
    terms.back().push_back(term);
  }

  Buffer out;
  std::vector<Sum> sums;
  for (const auto& of_one : terms) {
    std::array<Sum, 1> alone = {{{.terms = of_one}}};
    const bool finite = sum(GroupId::p256, alone).has_value();
    out.push_back(finite ? 1 : 0);
    if (!finite) continue;
    append(out, alone[0].result);
    sums.push_back({.terms = of_one});
  }
  if (!sums.empty()) fuzz::require(sum(GroupId::p256, sums).has_value());
  for (const auto& member : sums) append(out, member.result);

  std::vector<Multiplication> products;
  for (const auto& of_one : terms)
    for (const auto& term : of_one)
      if (term.scalar != nullptr && term.fixed == nullptr)
        products.push_back({.scalar = term.scalar, .element = term.element});
  out.push_back(group().multiply(products).has_value() ? 1 : 0);
  for (const auto& member : products)
    if (!Group::is_zero(*member.scalar)) append(out, member.result);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(fixed_points());
  std::optional<Buffer> first;
  for (const auto backend : kBackends) {
    if (!choose_p256_backend(backend)) continue;
    auto out = run(Bytes(data, size));
    if (!first)
      first = std::move(out);
    else
      fuzz::require(out == *first);
  }
  return 0;
}
