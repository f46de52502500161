// P-256, P-384, P-521: everything is our own, save the scalar multiplication on P-521 and, if the processor has no
// vector unit for it, on P-256, which is OpenSSL's.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "clean_stack.h"
#include "groups.h"
#include "lanes/p256.h"
#include "nist_curve.h"
#include "openssl_curve.h"
#include "pake/crypto/backend.h"
#include "pake/crypto/fixed_point.h"
#include "pake/internal/try.h"

namespace pake::crypto {
namespace {

template <class Curve>
Element element_of(const AffinePoint<Curve>& P) {
  return ElementAccess::make(Curve::kId, P);
}
template <class Curve>
const AffinePoint<Curve>& point_of(const Element& element) {
  return ElementAccess::get<AffinePoint<Curve>>(Curve::kId, element);
}

/// x || y, big-endian, as OpenSSL and the uncompressed form have it.
template <class Curve>
struct Coordinates {
  static constexpr auto kSize = Coordinate<Curve>::kSize;
  using Pair = Secret<2 * kSize>;

  [[nodiscard]] static Pair encode(const AffinePoint<Curve>& P) {
    return Pair::make([&](std::span<std::uint8_t, 2 * kSize> out) {
      P.x.encode(out.template first<kSize>(), std::endian::big);
      P.y.encode(out.template last<kSize>(), std::endian::big);
    });
  }
  /// Of a point that is known to be valid.
  [[nodiscard]] static AffinePoint<Curve> decode(const Pair& xy) {
    return {.x = Coordinate<Curve>::reduce(xy.reveal().template first<kSize>(), std::endian::big),
            .y = Coordinate<Curve>::reduce(xy.reveal().template last<kSize>(), std::endian::big)};
  }
};

// --- P-256 in lanes.

/// Null for OpenSSL.
std::atomic<const lanes::P256Lanes*>& p256_lanes() noexcept {
  static std::atomic<const lanes::P256Lanes*> chosen = lanes::p256_avx512_ifma();
  return chosen;
}

struct FreeTable {
  void operator()(lanes::P256Table* table) const noexcept { lanes::p256_avx512_ifma()->free_table(table); }
};
using LaneTable = std::unique_ptr<lanes::P256Table, FreeTable>;

LaneTable make_lane_table(const AffinePoint<P256>& point) {
  const auto xy = Coordinates<P256>::encode(point);
  return LaneTable(lanes::p256_avx512_ifma()->make_table(xy.reveal().data()));
}

const lanes::P256Table* generator_table() {
  static const auto table =
      make_lane_table({.x = Coordinate<P256>::from_limbs(P256::kGx), .y = Coordinate<P256>::from_limbs(P256::kGy)});
  return table.get();
}

/// At most kMaxSums sums as the lanes take them. Scalars and tables are read when it is computed.
class LaneSums {
 public:
  static constexpr std::size_t kMax = lanes::P256Lanes::kMaxSums;
  static_assert(lanes::P256Lanes::kMaxTerms >= kMax * Group::kMaxTerms);

  /// A term of sum `sum`: scalar * table, or scalar * point, or the point alone.
  void add(std::size_t sum, const Scalar* scalar, const AffinePoint<P256>* point, const lanes::P256Table* table) {
    const auto* const k = scalar == nullptr ? nullptr : exactly<32>(scalar->reveal()).data();
    if (scalar == nullptr || table == nullptr) points_[count_] = Coordinates<P256>::encode(*point);
    terms_[count_] = {
        .scalar = k, .point = points_[count_].reveal().data(), .table = k == nullptr ? nullptr : table, .sum = sum};
    ++count_;
  }
  /// Whether no sum is infinity; results[i] becomes sum i where it is not.
  [[nodiscard]] bool compute(const lanes::P256Lanes& lanes, std::span<Element* const> results) const {
    std::uint8_t xy[kMax][64];
    std::uint64_t finite[kMax];
    lanes.sums(terms_.data(), count_, xy, finite, results.size());
    bool all = true;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const bool is_finite = declassify_value(finite[i]) != 0;
      all &= is_finite;
      if (is_finite) *results[i] = element_of(Coordinates<P256>::decode(Coordinates<P256>::Pair::copy_of(xy[i])));
    }
    wipe({&xy[0][0], sizeof xy});
    return all;
  }

 private:
  std::array<lanes::P256Term, lanes::P256Lanes::kMaxTerms> terms_;
  std::array<Coordinates<P256>::Pair, lanes::P256Lanes::kMaxTerms> points_;
  std::size_t count_ = 0;
};

/// What the lanes leave on the stack: sixteen multiples of four points, and what is spilled.
constexpr std::size_t kStackOfLanes = 32768;

template <class Curve>
class NistGroup final : public GroupWithScalars<typename Curve::Order, std::endian::big, Curve::kL> {
  using F = Coordinate<Curve>;
  using Base = GroupWithScalars<typename Curve::Order, std::endian::big, Curve::kL>;
  static constexpr auto kSize = F::kSize;

 public:
  using Base::decode;
  using Base::multiply;
  using Base::sum;

  NistGroup() : Base(Curve::kId, Curve::kHash, 1 + kSize) {}

  [[nodiscard]] Status decode(std::span<Decoding> batch) const override {
    return on_clean_stack([&] {
      bool valid = true;
      for (auto& member : batch) valid &= decode_compressed(member);
      return valid ? Status() : Status(fail(Errc::malformed));
    });
  }

  [[nodiscard]] SecretUpTo<kMaxElementSize> encode(const Element& element) const override {
    const auto& P = point_of<Curve>(element);
    return SecretUpTo<kMaxElementSize>::make(1 + kSize, [&](MutableBytes out) {
      out[0] = static_cast<std::uint8_t>(2U | (P.y.is_odd() & 1U));
      P.x.encode(out.template last<kSize>(), std::endian::big);
    });
  }

  // RFC 9380, Section 3, hash_to_curve:  (u0, u1) = hash_to_field(msg, 2);  map(u0) + map(u1), the cofactor being 1
  [[nodiscard]] Result<Element> hash_to_group(std::initializer_list<Bytes> message_parts,
                                              std::initializer_list<Bytes> dst_parts) const override {
    return on_clean_stack([&]() -> Result<Element> {
      const auto u = hash_to_field<Curve, 2>(message_parts, dst_parts);
      const auto P = add(map_to_curve_sswu<Curve>(u[0]), map_to_curve_sswu<Curve>(u[1]));
      if (declassify_value(P.Z.is_zero()) != 0) return fail(Errc::malformed);
      return element_of(to_affine(P));
    });
  }

  [[nodiscard]] Status multiply(std::span<Multiplication> batch) const override {
    if constexpr (std::is_same_v<Curve, P256>) {
      // One product alone takes the lanes as long as four do, and longer than OpenSSL.
      const auto* const lanes = p256_lanes().load();
      if (lanes != nullptr && (batch.size() > 1 || (batch.size() == 1 && batch[0].element == nullptr)))
        return on_clean_stack<kStackOfLanes>([&] { return multiply_in_lanes(*lanes, batch); });
    }
    return on_clean_stack<16384>([&] {
      bool infinity = false;
      for (auto& product : batch) {
        const Term term{.scalar = product.scalar, .element = product.element};
        infinity |= !sum_of_terms({&term, 1}, product.result);
      }
      return infinity ? Status(fail(Errc::malformed)) : Status();
    });
  }

  [[nodiscard]] Element negate(const Element& element) const override {
    const auto& P = point_of<Curve>(element);
    return element_of<Curve>({.x = P.x, .y = -P.y});
  }

  [[nodiscard]] Result<Element> sum(std::span<const Term> terms) const override {
    if (terms.empty() || terms.size() > Group::kMaxTerms) std::abort();
    if constexpr (std::is_same_v<Curve, P256>) {
      if (p256_lanes().load() != nullptr) {
        std::array<SumTerm, Group::kMaxTerms> same;
        for (std::size_t i = 0; i < terms.size(); ++i)
          same[i] = {.scalar = terms[i].scalar, .element = terms[i].element, .fixed = nullptr};
        Sum one{.terms = std::span<const SumTerm>(same).first(terms.size())};
        PAKE_TRYV(crypto::sum(GroupId::p256, {&one, 1}));
        return std::move(one.result);
      }
    }
    return on_clean_stack<32768>([&]() -> Result<Element> {
      Element result;
      if (!sum_of_terms(terms, result)) return fail(Errc::malformed);
      return result;
    });
  }

 private:
  // The tag and the length exclude infinity (00), uncompressed (04), compact (05) and hybrid (06, 07) points.
  [[nodiscard]] static bool decode_compressed(Decoding& member) {
    const auto bytes = member.bytes;
    if (bytes.size() != 1 + kSize) return false;
    const auto tag = declassify_value(bytes[0]);
    if (tag != 2 && tag != 3) return false;
    F x;
    const auto below_p = F::decode(bytes.last<kSize>(), std::endian::big, x);
    const auto y_squared = curve_equation<Curve>(x);
    const auto y = y_squared * power_p_minus_3_over_4(y_squared);
    if (declassify_value(below_p & equal(y.square(), y_squared)) == 0) return false;
    const Mask wanted_odd = 0 - static_cast<Mask>(tag & 1U);
    member.element = element_of<Curve>({.x = x, .y = y.negate_if(y.is_odd() ^ wanted_odd)});
    return true;
  }

  [[nodiscard]] static Status multiply_in_lanes(const lanes::P256Lanes& lanes, std::span<Multiplication> batch)
    requires std::is_same_v<Curve, P256>
  {
    bool finite = true;
    while (!batch.empty()) {
      const auto some = batch.first(std::min(batch.size(), LaneSums::kMax));
      LaneSums sums;
      std::array<Element*, LaneSums::kMax> results{};
      for (std::size_t i = 0; i < some.size(); ++i) {
        const auto* const element = some[i].element;
        sums.add(i, some[i].scalar, element == nullptr ? nullptr : &point_of<P256>(*element),
                 element == nullptr ? generator_table() : nullptr);
        results[i] = &some[i].result;
      }
      finite &= sums.compute(lanes, std::span(results).first(some.size()));
      batch = batch.subspan(some.size());
    }
    return finite ? Status() : Status(fail(Errc::malformed));
  }

  /// Whether the sum is an element, which `result` then becomes; else it becomes no valid one.
  [[nodiscard]] static bool sum_of_terms(std::span<const Term> terms, Element& result) {
    if constexpr (Curve::kMultiplyByOpenSSL) {
      const auto addends = multiply_by_openssl(terms);
      if (addends.count == 1) {  // no addition, hence no inversion
        result = element_of(addends.points[0]);
        return true;
      }
      auto P = Point<Curve>::identity();
      for (std::size_t i = 0; i < addends.count; ++i) P = add(P, projective(addends.points[i]));
      return finish(P, result);
    } else {
      return finish(multiply_ourselves(terms), result);
    }
  }
  [[nodiscard]] static bool finish(const Point<Curve>& P, Element& result) {
    result = element_of(to_affine(P));
    return declassify_value(P.Z.is_zero()) == 0;
  }

  [[nodiscard]] static Point<Curve> projective(const AffinePoint<Curve>& P) { return {.X = P.x, .Y = P.y, .Z = F(1)}; }
  /// The term without its scalar.
  [[nodiscard]] static AffinePoint<Curve> factor(const Term& term) {
    if (term.element != nullptr) return point_of<Curve>(*term.element);
    return {.x = F::from_limbs(Curve::kGx), .y = F::from_limbs(Curve::kGy)};
  }

  [[nodiscard]] static Point<Curve> multiply_ourselves(std::span<const Term> terms) {
    using Windowed = CurveTerm<Curve>;
    alignas(Windowed) std::array<std::byte, Group::kMaxTerms * sizeof(Windowed)> room;
    auto* const windowed = reinterpret_cast<Windowed*>(room.data());
    std::size_t count = 0;
    auto rest = Point<Curve>::identity();
    for (const auto& term : terms) {
      const auto P = projective(factor(term));
      if (term.scalar == nullptr)
        rest = add(rest, P);
      else
        std::construct_at(windowed + count++, Base::scalar_bytes(*term.scalar), std::endian::big, P);
    }
    return add(rest, sum_of(std::span<const Windowed>(windowed, count)));
  }

  /// Points that are not infinity and have the sum of the terms.
  struct Addends {
    std::array<AffinePoint<Curve>, Group::kMaxTerms> points;
    std::size_t count = 0;
  };
  // A product of the generator and one of an element cost less together than apart.
  [[nodiscard]] static Addends multiply_by_openssl(std::span<const Term> terms) {
    Addends addends;
    const Scalar* of_generator = nullptr;
    const auto append_product = [&](const Scalar* generator_scalar, const Scalar* scalar, const Element* element) {
      const auto bytes = [](const Scalar* k) { return k == nullptr ? Bytes() : Bytes(Base::scalar_bytes(*k)); };
      const auto point = element == nullptr ? typename Coordinates<Curve>::Pair()
                                            : Coordinates<Curve>::encode(point_of<Curve>(*element));
      bool finite = false;
      const auto xy = Coordinates<Curve>::Pair::make([&](MutableBytes out) {
        finite = openssl_multiply(
            Curve::kId, {.generator_scalar = bytes(generator_scalar), .scalar = bytes(scalar), .point = point.reveal()},
            out);
      });
      if (finite) addends.points[addends.count++] = Coordinates<Curve>::decode(xy);
    };
    for (const auto& term : terms) {
      if (term.scalar == nullptr) {
        addends.points[addends.count++] = factor(term);
      } else if (term.element == nullptr) {
        if (const auto* const waiting = std::exchange(of_generator, term.scalar))
          append_product(waiting, nullptr, nullptr);
      }
    }
    for (const auto& term : terms)
      if (term.scalar != nullptr && term.element != nullptr)
        append_product(std::exchange(of_generator, nullptr), term.scalar, term.element);
    if (of_generator != nullptr) append_product(of_generator, nullptr, nullptr);
    return addends;
  }
};

/// Calls `use` with the constants of the curve; any other group is the caller's bug.
template <class Use>
auto with_curve(GroupId curve, Use&& use) {
  switch (curve) {
    case GroupId::p256:
      return use(P256());
    case GroupId::p384:
      return use(P384());
    case GroupId::p521:
      return use(P521());
    case GroupId::ristretto255:
    case GroupId::edwards25519:
      break;
  }
  std::abort();
}

}  // namespace

const Group& nist_group(GroupId curve) noexcept {
  static const NistGroup<P256> p256;
  static const NistGroup<P384> p384;
  static const NistGroup<P521> p521;
  switch (curve) {
    case GroupId::p256:
      return p256;
    case GroupId::p384:
      return p384;
    case GroupId::p521:
      return p521;
    case GroupId::ristretto255:
    case GroupId::edwards25519:
      break;
  }
  std::abort();
}

// RFC 9380, Section 3, encode_to_curve:  u = hash_to_field(msg, 1);  map(u), which is never infinity
Element nist_encode_to_curve(GroupId curve, Bytes message, Bytes dst) {
  return with_curve(curve, [&]<class Curve>(Curve) {
    return on_clean_stack([&] {
      const auto u = hash_to_field<Curve, 1>({message}, {dst});
      return element_of(to_affine(map_to_curve_sswu<Curve>(u[0])));
    });
  });
}

/// The table of the back end that was in use.
struct FixedPoint::Tables {
  LaneTable lanes;
  std::unique_ptr<const OpenSslTable> openssl;
};

FixedPoint::FixedPoint(GroupId group, const Element& point) : group_(group), point_(point.copy()) {
  if (group != GroupId::p256) return;
  const auto& P = point_of<P256>(point_);
  auto tables = std::make_unique<Tables>();
  if (p256_lanes().load() != nullptr)
    tables->lanes = make_lane_table(P);
  else
    tables->openssl = std::make_unique<const OpenSslTable>(Coordinates<P256>::encode(P).reveal());
  tables_ = std::move(tables);
}
FixedPoint::FixedPoint(FixedPoint&&) noexcept = default;
FixedPoint& FixedPoint::operator=(FixedPoint&&) noexcept = default;
FixedPoint::~FixedPoint() = default;

Result<Element> FixedPoint::multiply(const Scalar& scalar) const {
  const SumTerm term{.scalar = &scalar, .element = nullptr, .fixed = this};
  Sum product{.terms = {&term, 1}};
  PAKE_TRYV(sum(group_, {&product, 1}));
  return std::move(product.result);
}

namespace {

/// scalar * fixed by OpenSSL's table; false, and no element, if it is the identity.
bool multiply_by_table(const OpenSslTable& table, const Scalar& scalar, Element& product) {
  bool finite = false;
  const auto xy = Coordinates<P256>::Pair::make(
      [&](MutableBytes out) { finite = table.multiply(exactly<Coordinate<P256>::kSize>(scalar.reveal()), out); });
  if (finite) product = on_clean_stack([&] { return element_of(Coordinates<P256>::decode(xy)); });
  return finite;
}

Status sum_one(const Group& group, Sum& of) {
  std::array<Term, Group::kMaxTerms> terms{};
  std::array<Element, Group::kMaxTerms> products;
  std::size_t count = 0;
  for (const auto& term : of.terms) {
    const auto* const tables = term.fixed == nullptr ? nullptr : term.fixed->tables();
    if (tables != nullptr && tables->openssl != nullptr && term.scalar != nullptr) {
      if (multiply_by_table(*tables->openssl, *term.scalar, products[count])) {
        terms[count] = {.scalar = nullptr, .element = &products[count]};
        ++count;
      }
    } else {
      terms[count++] = {.scalar = term.scalar, .element = term.fixed == nullptr ? term.element : &term.fixed->point()};
    }
  }
  if (count == 0) return fail(Errc::malformed);  // products that are all the identity
  PAKE_TRY(of.result, group.sum(std::span<const Term>(terms).first(count)));
  return {};
}

/// At most LaneSums::kMax of them.
Status sum_in_lanes(const lanes::P256Lanes& lanes, std::span<Sum> batch) {
  static const AffinePoint<P256> generator = {.x = Coordinate<P256>::from_limbs(P256::kGx),
                                              .y = Coordinate<P256>::from_limbs(P256::kGy)};
  return on_clean_stack<kStackOfLanes>([&] {
    LaneSums sums;
    std::array<Element*, LaneSums::kMax> results{};
    for (std::size_t i = 0; i < batch.size(); ++i) {
      for (const auto& term : batch[i].terms) {
        if (term.element != nullptr)
          sums.add(i, term.scalar, &point_of<P256>(*term.element), nullptr);
        else if (term.fixed != nullptr)
          sums.add(i, term.scalar, &point_of<P256>(term.fixed->point()), term.fixed->tables()->lanes.get());
        else
          sums.add(i, term.scalar, &generator, generator_table());
      }
      results[i] = &batch[i].result;
    }
    return sums.compute(lanes, std::span(results).first(batch.size())) ? Status() : Status(fail(Errc::malformed));
  });
}

}  // namespace

Status sum(GroupId group, std::span<Sum> batch) {
  for (const auto& one : batch)
    if (one.terms.empty() || one.terms.size() > Group::kMaxTerms) std::abort();
  Status status;
  if (const auto* const lanes = group == GroupId::p256 ? p256_lanes().load() : nullptr) {
    for (; !batch.empty(); batch = batch.subspan(std::min(batch.size(), LaneSums::kMax)))
      if (const auto some = sum_in_lanes(*lanes, batch.first(std::min(batch.size(), LaneSums::kMax))); !some)
        status = some;
    return status;
  }
  for (auto& one : batch)
    if (const auto summed = sum_one(Group::get(group), one); !summed) status = summed;
  return status;
}

std::string_view to_string(P256Backend backend) noexcept {
  switch (backend) {
    case P256Backend::openssl:
      return "OpenSSL";
    case P256Backend::avx512_ifma:
      return "AVX-512 IFMA";
  }
  return "unknown";
}

P256Backend p256_backend() noexcept {
  return p256_lanes().load() == nullptr ? P256Backend::openssl : P256Backend::avx512_ifma;
}

bool choose_p256_backend(P256Backend wanted) noexcept {
  const auto* const lanes = wanted == P256Backend::avx512_ifma ? lanes::p256_avx512_ifma() : nullptr;
  if (lanes == nullptr && wanted != P256Backend::openssl) return false;
  p256_lanes().store(lanes);
  return true;
}

Result<Element> nist_decode_uncompressed(GroupId curve, Bytes bytes) {
  return with_curve(curve, [&]<class Curve>(Curve) -> Result<Element> {
    using F = Coordinate<Curve>;
    if (bytes.size() != 1 + 2 * F::kSize || declassify_value(bytes[0]) != 4) return fail(Errc::malformed);
    const auto xy = bytes.subspan(1);
    F x, y;
    const auto x_below_p = F::decode(xy.first<F::kSize>(), std::endian::big, x);
    const auto y_below_p = F::decode(xy.last<F::kSize>(), std::endian::big, y);
    const auto on_curve = equal(y.square(), curve_equation<Curve>(x));
    if (declassify_value(x_below_p & y_below_p & on_curve) == 0) return fail(Errc::malformed);
    return element_of<Curve>({.x = x, .y = y});
  });
}

SecretUpTo<kMaxUncompressedSize> nist_encode_uncompressed(GroupId curve, const Element& element) {
  return with_curve(curve, [&]<class Curve>(Curve) {
    const auto xy = Coordinates<Curve>::encode(point_of<Curve>(element));
    return SecretUpTo<kMaxUncompressedSize>::make(1 + xy.kSize, [&](MutableBytes out) {
      out[0] = 4;
      std::ranges::copy(xy.reveal(), out.begin() + 1);
    });
  });
}

SecretUpTo<kMaxScalarSize> nist_x_coordinate(GroupId curve, const Element& element) {
  return with_curve(curve, [&]<class Curve>(Curve) {
    constexpr auto kSize = Coordinate<Curve>::kSize;
    return SecretUpTo<kMaxScalarSize>::make(
        kSize, [&](MutableBytes out) { point_of<Curve>(element).x.encode(exactly<kSize>(out), std::endian::big); });
  });
}

}  // namespace pake::crypto
