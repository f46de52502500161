// The first byte picks what is done with the rest; every way to compute ristretto255 that this processor has gives the
// same bytes.
#include <array>
#include <bit>
#include <optional>
#include <span>
#include <utility>

#include "pake/crypto/backend.h"
#include "pake/crypto/group.h"
#include "require.h"

using namespace pake;
using namespace pake::crypto;

namespace {

/// What came out, as bytes: empty if it is an error.
Buffer run(std::uint8_t what, Bytes input) {
  const auto& group = Group::get(GroupId::ristretto255);
  const auto encoded = [&](const Result<Element>& element) {
    return element ? to_buffer(group.encode(*element).reveal()) : Buffer();
  };
  if (what % 3 == 0) {  // up to five encodings, one batch
    std::array<Decoding, 5> batch{};
    std::size_t count = 0;
    for (; count < batch.size() && input.size() >= 32; input = input.subspan(32))
      batch[count++].bytes = input.first(32);
    static_cast<void>(group.decode(std::span(batch).first(count)));
    Buffer out;
    for (const auto& member : std::span(batch).first(count)) {
      out.push_back(member.element.empty() ? 0 : 1);
      if (member.element.empty()) continue;
      const auto bytes = to_buffer(group.encode(member.element).reveal());
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
  }
  if (input.size() < 64) return {};
  const auto scalar = group.reduce_scalar(input.first(32), std::endian::little);
  if (what % 3 == 1) {  // a product and a sum of an element that decodes
    const auto element = group.decode(input.subspan(32, 32));
    if (!element) return {};
    auto out = encoded(group.multiply(scalar, *element));
    const auto sum = encoded(group.sum({{&scalar, nullptr}, {&scalar, &*element}, {nullptr, &*element}}));
    out.insert(out.end(), sum.begin(), sum.end());
    return out;
  }
  const auto mapped = ristretto255_from_uniform(input.first<64>());
  auto out = encoded(mapped);
  if (mapped) {
    const auto product = encoded(group.multiply(scalar, *mapped));
    out.insert(out.end(), product.begin(), product.end());
  }
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
