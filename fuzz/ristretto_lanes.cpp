// The first byte picks what is done with the rest; every way to compute ristretto255 that this processor has gives the
// same bytes, of batches that leave lanes empty and of those that fill four or eight.
#include <array>
#include <bit>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "pake/crypto/backend.h"
#include "pake/crypto/group.h"
#include "require.h"

using namespace pake;
using namespace pake::crypto;

namespace {

constexpr std::size_t kMostMembers = 9;  // eight lanes and one

const Group& group() { return Group::get(GroupId::ristretto255); }

void append(Buffer& out, const Element& element) {
  const auto bytes = to_buffer(group().encode(element).reveal());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// The encodings that the input begins with, decoded as one batch.
std::vector<Decoding> decoded(Bytes input) {
  std::vector<Decoding> batch;
  for (; batch.size() < kMostMembers && input.size() >= 32; input = input.subspan(32))
    batch.push_back({.bytes = input.first(32)});
  static_cast<void>(group().decode(batch));
  return batch;
}

/// What decodes, and products of it in one batch: each with a scalar of its own, every third the generator's.
Buffer products(Bytes input, const Scalar& scalar) {
  Buffer out;
  const auto batch = decoded(input);
  std::vector<Scalar> scalars;
  for (const auto& member : batch) {
    out.push_back(member.element.empty() ? 0 : 1);
    scalars.push_back(group().multiply_scalars(scalar, group().reduce_scalar(member.bytes, std::endian::little)));
  }
  std::vector<Multiplication> multiplications;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].element.empty()) continue;
    append(out, batch[i].element);
    multiplications.push_back({.scalar = &scalars[i], .element = i % 3 == 2 ? nullptr : &batch[i].element});
  }
  out.push_back(group().multiply(multiplications) ? 1 : 0);
  for (const auto& member : multiplications) append(out, member.result);
  return out;
}

/// k * G + k * P + P.
Buffer sum(const Element& P, const Scalar& k) {
  Buffer out;
  if (const auto sum = group().sum({{&k, nullptr}, {&k, &P}, {nullptr, &P}})) append(out, *sum);
  return out;
}

Buffer run(std::uint8_t what, Bytes input) {
  if (input.size() < 64) return {};
  const auto scalar = group().reduce_scalar(input.first(32), std::endian::little);
  if (what % 3 == 0) return products(input.subspan(32), scalar);
  if (what % 3 == 1) {
    const auto element = group().decode(input.subspan(32, 32));
    return element ? sum(*element, scalar) : Buffer();
  }
  // What is mapped is an element whatever the input: a batch of it, and of its multiples.
  const auto mapped = ristretto255_from_uniform(input.first<64>());
  if (!mapped) return {};
  auto out = sum(*mapped, scalar);
  append(out, *mapped);
  std::vector<Multiplication> batch, next;
  while (batch.size() < 1 + what / 3 % kMostMembers) batch.push_back({.scalar = &scalar, .element = &*mapped});
  if (!group().multiply(batch)) return out;  // the scalar is zero
  for (const auto& member : batch) append(out, member.result);
  for (const auto& member : batch) next.push_back({.scalar = &scalar, .element = &member.result});
  fuzz::require(group().multiply(next).has_value());
  for (const auto& member : next) append(out, member.result);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::optional<Buffer> first;
  for (const auto backend : kRistrettoBackends) {
    if (!choose_ristretto255_backend(backend)) continue;
    auto out = run(data[0], Bytes(data + 1, size - 1));
    if (!first)
      first = std::move(out);
    else
      fuzz::require(out == *first);
  }
  return 0;
}
