#include "pake/channel/keys.h"

#include <gtest/gtest.h>

#include <string>

#include "pake/channel/client_handshake.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/aead.h"
#include "pake/testing/hex.h"

namespace pake::channel {
namespace {

using testing::hex;

template <class Key>
Key counting() {
  return Key::make([](MutableBytes out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
  });
}

// The figures of this file were computed by tests/interop/channel/wire.py, which knows docs/wire.md and none of this
// code.
TEST(Keys, RatchetGivesTheBytesThatThePageGives) {
  const auto once = ratchet(counting<TrafficKey>());
  EXPECT_EQ(hex(once.reveal()),
            "20a03658228a9656c4986aa3535e301eaac9da2a8cd195ad513f05c370e26927fc923e9832c1b43b448f1d0f");
  EXPECT_EQ(hex(ratchet(once).reveal()),
            "6a20cf5ada2d37b60673dd976c321b745d19b68a062141ee6789f71b96e057b8ef953f5cd413dd0ff6120b80");
}

std::string exported(std::string_view label, std::string_view context, std::size_t size) {
  Buffer out(size);
  const auto status = export_keying_material(counting<ExporterSecret>(), label, as_bytes(context), out);
  return status ? hex(out) : std::string(to_string(status.error()));
}

TEST(Keys, ExporterGivesTheBytesThatThePageGives) {
  EXPECT_EQ(exported("label", "context", 40),
            "f4870ed894559e95202aa69bd40b468549a975c765fe9f58bf12a2c318e87eeacf8942fc988710f3");
}

TEST(Keys, ExporterBindsTheLength) {
  const auto longer = exported("label", "context", 64);
  for (const std::size_t size : {1U, 32U, 63U})
    EXPECT_NE(exported("label", "context", size), longer.substr(0, 2 * size));
}

TEST(Keys, NoLabelOfAUsersMeetsAnInternalOne) {
  Buffer internal(32);
  EXPECT_TRUE(
      export_keying_material(counting<ExporterSecret>(), InternalLabel{"label"}, as_bytes("context"), internal));
  for (const char* label : {"label", "pake label", " pakelabel", "pake"})
    EXPECT_NE(exported(label, "context", 32), hex(internal)) << label;
}

TEST(Keys, ExporterKeepsLabelAndContextApart) {
  const auto one = exported("label", "context", 32);
  EXPECT_NE(exported("labelc", "ontext", 32), one);
  EXPECT_NE(exported("label", "", 32), one);
  EXPECT_NE(exported("", "context", 32), one);
}

TEST(Keys, ExporterRefusesWhatTheFormulaCannotSay) {
  const std::string longest(65'535, 'x');
  EXPECT_EQ(exported(longest, longest, 16'320).size(), std::size_t{2} * 16'320);
  EXPECT_EQ(exported("", "", 16'321), "misuse");
  EXPECT_EQ(exported(longest + 'x', "", 1), "misuse");
  EXPECT_EQ(exported("", longest + 'x', 1), "misuse");
}

TEST(Aead, IsChosenFromTheProcessorByWhoeverLeavesItOut) {
  EXPECT_EQ(fastest_aead() == AeadId::aes_256_gcm, crypto::aes_gcm_in_hardware());
  EXPECT_EQ(ClientConfig().fastest_aead, fastest_aead());
  EXPECT_EQ(ServerConfig().fastest_aead, fastest_aead());
}

}  // namespace
}  // namespace pake::channel
