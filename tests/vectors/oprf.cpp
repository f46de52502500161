// oprf.json: RFC 9497 in mode 0, and what it stands on: RFC 9380's expansion and maps, RFC 9496's ristretto255.
#include <algorithm>
#include <array>
#include <bit>

#include "moduli.h"
#include "nist_curve.h"
#include "oprf/unblind.h"
#include "pake/base/writer.h"
#include "pake/crypto/group.h"
#include "pake/crypto/x25519.h"
#include "pake/crypto/xmd.h"
#include "pake/proto/oprf/oprf.h"
#include "pake/testing/fixed_rng.h"
#include "vectors.h"

namespace pake::vectors {
namespace {

using crypto::Group;
using crypto::GroupId;
using crypto::HashId;

const Group& group_of_suite(Fields& entry) {
  const auto suite = entry.text("suite");
  if (suite == "ristretto255-SHA512") return Group::get(GroupId::ristretto255);
  if (suite == "P256-SHA256") return Group::get(GroupId::p256);
  if (suite == "P384-SHA384") return Group::get(GroupId::p384);
  if (suite == "P521-SHA512") return Group::get(GroupId::p521);
  entry.not_offered("suite", suite);
}

template <class T>
T must(const Fields& entry, Result<T> result, std::string_view what) {
  if (!result) entry.fail(what);
  return std::move(*result);
}

template <std::size_t N>
std::span<const std::uint8_t, N> exactly(const Fields& entry, const Buffer& bytes, std::string_view what) {
  if (bytes.size() != N) entry.fail(what);
  return std::span<const std::uint8_t, N>(bytes);
}

// --- RFC 9497

/// "OPRFV1-" || mode || "-" || identifier
Buffer context_string(const Group& group, std::uint64_t mode) {
  const char* identifiers[] = {"ristretto255-SHA512", "P256-SHA256", "P384-SHA384", "P521-SHA512"};
  return Writer()
      .put(as_bytes("OPRFV1-"))
      .u8(static_cast<std::uint8_t>(mode))
      .put(as_bytes("-"))
      .put(as_bytes(identifiers[static_cast<std::size_t>(group.id())]))
      .take();
}

void check_run(Fields& entry) {
  const auto& group = group_of_suite(entry);
  const auto suite = group.id();
  static_cast<void>(entry.text("source"));
  entry.expect("contextString", oprf::context_string(suite));
  const auto dst = Writer().put(as_bytes("HashToGroup-")).put(oprf::context_string(suite)).take();
  entry.expect("HashToGroup_DST", dst);

  const auto input = entry.bytes("Input");
  const auto element = must(entry, group.hash_to_group({input}, {dst}), "Input hashes to the identity");
  entry.expect("inputElement", group.encode(element).reveal());
  const auto blind = must(entry, group.decode_scalar(entry.bytes("Blind")), "Blind does not decode");
  entry.require(!Group::is_zero(blind), "Blind is zero");
  testing::FixedRng rng(to_buffer(blind.reveal()));
  const auto blinded = must(entry, oprf::blind(suite, input, rng), "Blind");
  entry.expect("BlindedElement", group.encode(blinded.blinded_element).reveal());
  const auto key = must(entry, group.decode_scalar(entry.bytes("skSm")), "skSm does not decode");
  const auto evaluated = must(entry, oprf::blind_evaluate(suite, key, blinded.blinded_element), "BlindEvaluate");
  entry.expect("EvaluationElement", group.encode(evaluated).reveal());
  const auto unblinded = must(entry, oprf::unblind(suite, blinded.blind, evaluated), "Unblind");
  entry.expect("unblindedElement", group.encode(unblinded).reveal());
  const auto hash_input =
      Writer().put_lp2(input).put_lp2(group.encode(unblinded).reveal()).put(as_bytes("Finalize")).take();
  entry.expect("hashInput", hash_input);
  entry.expect("Output", crypto::hash(group.hash(), {hash_input}).reveal());
  entry.expect("Output", must(entry, oprf::finalize(suite, input, blinded.blind, evaluated), "Finalize").reveal());
}

void check_derive_key_pair(Fields& entry) {
  const auto& group = group_of_suite(entry);
  const auto mode = entry.number("mode");
  entry.require(mode <= 2, "unknown mode");
  const auto context = context_string(group, mode);
  entry.expect("contextString", context);
  const auto dst = Writer().put(as_bytes("DeriveKeyPair")).put(context).take();
  entry.expect("DST", dst);

  const auto seed = entry.bytes("Seed"), info = entry.bytes("KeyInfo");
  entry.require(info.size() <= 65535, "KeyInfo is too long");
  const std::uint8_t counter = 0;  // the next ones are for a key of zero
  const auto derive_input = Writer().put(seed).put_lp2(info).u8(counter).take();
  const auto sk = group.hash_to_scalar({derive_input}, {dst});
  entry.expect("skSm", sk.reveal());
  if (mode == 0) {
    const auto pair = must(entry, oprf::derive_key_pair(group.id(), seed, info), "DeriveKeyPair");
    entry.expect("skSm", pair.sk.reveal());
    entry.expect("pkSm", group.encode(pair.pk).reveal());
  }
  entry.expect("pkSm", group.encode(must(entry, group.multiply_generator(sk), "sk * G")).reveal());
}

// --- RFC 9380

void check_expand_message_xmd(Fields& entry) {
  const auto name = entry.text("hash");
  if (name != "SHA256" && name != "SHA384" && name != "SHA512") entry.not_offered("hash", name);
  const auto hash = name == "SHA256" ? HashId::sha256 : name == "SHA384" ? HashId::sha384 : HashId::sha512;
  const auto dst = entry.bytes("DST"), msg = entry.bytes("msg");
  const auto hashed_dst = crypto::hash(hash, {as_bytes("H2C-OVERSIZE-DST-"), dst});
  const auto short_dst = dst.size() <= 255 ? Bytes(dst) : hashed_dst.reveal();
  entry.expect("DST_prime", Writer().put(short_dst).u8(static_cast<std::uint8_t>(short_dst.size())).take());

  const auto size = entry.number("len_in_bytes");
  entry.require(size <= 255 * crypto::output_size(hash), "len_in_bytes is too large");
  Buffer uniform(size);
  crypto::expand_message_xmd(hash, {msg}, {dst}, uniform);
  entry.expect("uniform_bytes", uniform);
}

template <class F>
Buffer big_endian(const F& value) {
  Buffer bytes(F::kSize);
  value.encode(std::span<std::uint8_t, F::kSize>(bytes), std::endian::big);
  return bytes;
}

template <class Curve>
void expect_point(Fields& entry, const std::string& name, const crypto::Point<Curve>& point) {
  const auto affine = crypto::to_affine(point);
  entry.expect(name + "_x", big_endian(affine.x));
  entry.expect(name + "_y", big_endian(affine.y));
}

/// The same P out of the room's door.
template <class Curve>
void expect_element(Fields& entry, const crypto::Element& element) {
  const auto encoded = crypto::nist_encode_uncompressed(Curve::kId, element);
  const auto xy = encoded.reveal().subspan(1);
  entry.expect("P_x", xy.first(xy.size() / 2));
  entry.expect("P_y", xy.last(xy.size() / 2));
}

/// u[0], u[1], ... as the entry has them.
template <class Curve, std::size_t kCount>
std::array<crypto::Coordinate<Curve>, kCount> expect_field_elements(Fields& entry, Bytes msg, Bytes dst) {
  const auto u = crypto::hash_to_field<Curve, kCount>({msg}, {dst});
  const auto wanted = entry.list_of_bytes("u");
  entry.require(wanted.size() == kCount, "u has another number of elements");
  for (std::size_t i = 0; i < kCount; ++i) entry.require(wanted[i] == big_endian(u[i]), "another u was computed");
  return u;
}

template <class Curve>
void check_random_oracle(Fields& entry) {
  const auto dst = entry.bytes("DST"), msg = entry.bytes("msg");
  const auto u = expect_field_elements<Curve, 2>(entry, msg, dst);
  const auto Q0 = crypto::map_to_curve_sswu<Curve>(u[0]), Q1 = crypto::map_to_curve_sswu<Curve>(u[1]);
  expect_point(entry, "Q0", Q0);
  expect_point(entry, "Q1", Q1);
  expect_point(entry, "P", crypto::add(Q0, Q1));
  const auto element = must(entry, Group::get(Curve::kId).hash_to_group({msg}, {dst}), "hash_to_group");
  expect_element<Curve>(entry, element);
}

template <class Curve>
void check_non_uniform(Fields& entry) {
  const auto dst = entry.bytes("DST"), msg = entry.bytes("msg");
  const auto u = expect_field_elements<Curve, 1>(entry, msg, dst);
  const auto Q = crypto::map_to_curve_sswu<Curve>(u[0]);
  expect_point(entry, "Q", Q);
  expect_point(entry, "P", Q);
  expect_element<Curve>(entry, crypto::nist_encode_to_curve(Curve::kId, msg, dst));
}

void check_hash_to_curve(Fields& entry) {
  const auto suite = entry.text("suite");
  if (suite == "P256_XMD:SHA-256_SSWU_RO_") return check_random_oracle<crypto::P256>(entry);
  if (suite == "P256_XMD:SHA-256_SSWU_NU_") return check_non_uniform<crypto::P256>(entry);
  if (suite == "P384_XMD:SHA-384_SSWU_RO_") return check_random_oracle<crypto::P384>(entry);
  if (suite == "P384_XMD:SHA-384_SSWU_NU_") return check_non_uniform<crypto::P384>(entry);
  if (suite == "P521_XMD:SHA-512_SSWU_RO_") return check_random_oracle<crypto::P521>(entry);
  if (suite == "P521_XMD:SHA-512_SSWU_NU_") return check_non_uniform<crypto::P521>(entry);
  entry.not_offered("suite", suite);
}

void check_elligator2(Fields& entry) {
  auto u = entry.bytes("u");
  std::ranges::reverse(u);
  auto x = to_buffer(crypto::curve25519_elligator2(exactly<32>(entry, u, "u has not 32 bytes")).reveal());
  std::ranges::reverse(x);
  entry.expect("Q_x", x);
}

// --- RFC 9496

const Group& ristretto255() { return Group::get(GroupId::ristretto255); }

void check_generator_multiple(Fields& entry) {
  const auto k = entry.number("k");
  Buffer scalar(32);
  for (std::size_t i = 0; i < 8; ++i) scalar[i] = static_cast<std::uint8_t>(k >> (8 * i));
  const auto product = ristretto255().multiply_generator(ristretto255().decode_scalar(scalar).value());
  entry.require(product.has_value() == (k != 0), "only zero has no product");
  entry.expect("encoding", product ? to_buffer(ristretto255().encode(*product).reveal()) : Buffer(32));
}

void check_bad_encoding(Fields& entry) {
  static_cast<void>(entry.text("reason"));
  entry.require(!ristretto255().decode(entry.bytes("encoding")), "it decodes");
}

void check_element_derivation(Fields& entry) {
  const auto input = entry.bytes("input");
  const auto uniform = exactly<64>(entry, input, "input has not 64 bytes");
  const auto element = must(entry, crypto::ristretto255_from_uniform(uniform), "input maps to the identity");
  entry.expect("output", ristretto255().encode(element).reveal());
}

// RFC 9496, Section 4.2, SQRT_RATIO_M1. The library has it inside; here it is our field that is checked.
void check_sqrt_ratio_m1(Fields& entry) {
  using F = crypto::Fe<crypto::Curve25519Prime>;
  const auto element = [&](const std::string& name) {
    const auto bytes = entry.bytes(name);
    F value;
    const auto canonical = F::decode(exactly<32>(entry, bytes, name + " has not 32 bytes"), std::endian::little, value);
    entry.require(canonical != 0, name + " is not canonical");
    return value;
  };
  const auto u = element("u"), v = element("v");
  const F sqrt_m1 = F(2).pow_public(crypto::shift_right(F::kModulus, 2));  // 2^((p - 1) / 4), 2 being no square
  const auto v3 = v.square() * v, v7 = v3.square() * v;
  auto r = u * v3 * (u * v7).pow_public(crypto::shift_right(F::kModulus, 3));  // (p - 5) / 8
  const auto check = v * r.square();
  const auto correct = equal(check, u), flipped = equal(check, -u), flipped_i = equal(check, -u * sqrt_m1);
  r = F::select(flipped | flipped_i, r * sqrt_m1, r);
  entry.expect("was_square", (correct | flipped) != 0);
  std::array<std::uint8_t, 32> encoded{};
  r.negate_if(r.is_odd()).encode(encoded, std::endian::little);
  entry.expect("r", encoded);
}

void check_identity(Fields& entry) {
  const auto encoding = entry.bytes("encoding");
  entry.expect("decodes_in_RFC_9496", encoding == Buffer(32));  // as `decode` must not
  entry.expect("accepted_by_DeserializeElement", ristretto255().decode(encoding).has_value());
}

void check_ristretto255(Sections& part) {
  part.each("generator_multiples", check_generator_multiple);
  part.each("bad_encodings", check_bad_encoding);
  part.each("element_derivation", check_element_derivation);
  part.each("sqrt_ratio_m1", check_sqrt_ratio_m1);
  part.one("identity", check_identity);
}

// --- What must not decode.

void check_bad_point(Fields& entry) {
  const auto& group = group_of_suite(entry);
  static_cast<void>(entry.text("what"));
  entry.require(!group.decode(entry.bytes("value")), "it decodes");
}

void check_bad_scalar(Fields& entry) {
  const auto& group = group_of_suite(entry);
  static_cast<void>(entry.text("what"));
  const auto scalar = group.decode_scalar(entry.bytes("value"));
  entry.expect("decodes", scalar.has_value());
  const bool usable = scalar && !Group::is_zero(*scalar);
  entry.require(!usable, "it is a key or a blind");
  if (scalar) entry.expect("usable_as_key_or_blind", usable);
}

}  // namespace

void check_oprf(Sections& file) {
  file.each("oprf", check_run);
  file.each("derive_key_pair", check_derive_key_pair);
  file.each("expand_message_xmd", check_expand_message_xmd);
  file.each("hash_to_curve", check_hash_to_curve);
  file.each("elligator2", check_elligator2);
  file.within("ristretto255", check_ristretto255);
  file.each("bad_points", check_bad_point);
  file.each("bad_scalars", check_bad_scalar);
}

}  // namespace pake::vectors
