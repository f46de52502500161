#include "pake/crypto/ksf.h"

#include <argon2.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <string>
#include <thread>

#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;
using testing::unhex;

std::string stretched(const KsfParameters& parameters, std::string_view input) {
  const auto digest = stretch(parameters, as_bytes(input));
  return digest ? hex(digest->reveal()) : std::string(to_string(digest.error()));
}

Argon2id argon2id(std::uint32_t memory_kib, std::uint32_t passes, std::uint32_t lanes, std::size_t tag_length = 32) {
  return {.memory_kib = memory_kib, .passes = passes, .lanes = lanes, .tag_length = tag_length};
}

Argon2id with_salt(Argon2id parameters, std::string_view salt) {
  parameters.salt = to_buffer(as_bytes(salt));
  return parameters;
}

std::string by_the_reference(const Argon2id& a, Bytes input) {
  Buffer tag(a.tag_length);
  EXPECT_EQ(argon2id_hash_raw(a.passes, a.memory_kib, a.lanes, input.data(), input.size(), a.salt.data(), a.salt.size(),
                              tag.data(), tag.size()),
            ARGON2_OK);
  return hex(tag);
}

// The reference implementation's own known answers (its src/test.c, version 0x13).
TEST(Ksf, Argon2idKnownAnswers) {
  EXPECT_EQ(stretched(with_salt(argon2id(256, 2, 1), "somesalt"), "password"),
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe");
  EXPECT_EQ(stretched(with_salt(argon2id(256, 2, 2), "somesalt"), "password"),
            "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037");
}

// RFC 7914, Section 12.
TEST(Ksf, ScryptKnownAnswers) {
  EXPECT_EQ(stretched(Scrypt{.salt = to_buffer(as_bytes("NaCl")), .N = 1024, .r = 8, .p = 16, .output_length = 64},
                      "password"),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
  EXPECT_EQ(
      stretched(Scrypt{.salt = to_buffer(as_bytes("SodiumChloride")), .N = 16384, .r = 8, .p = 1, .output_length = 64},
                "pleaseletmein"),
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
      "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

TEST(Ksf, OneLaneOfLibsodiumIsTheReference) {
  const auto input = unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  for (const std::size_t tag_length : {32U, 48U, 64U})
    for (const std::uint32_t memory_kib : {8U, 1021U, 4096U})
      for (const std::uint32_t passes : {1U, 2U, 3U}) {
        const auto parameters = argon2id(memory_kib, passes, 1, tag_length);
        EXPECT_EQ(stretched(parameters, as_text(input)), by_the_reference(parameters, input))
            << memory_kib << " KiB, " << passes << " passes";
      }
}

TEST(Ksf, ProfilesAreWhatTheirDocumentsSay) {
  const auto expect_argon2id = [](KsfProfile profile, std::uint32_t memory_kib, std::uint32_t passes,
                                  std::uint32_t lanes) {
    const auto parameters = std::get<Argon2id>(ksf_parameters(profile, 48));
    EXPECT_EQ(parameters.memory_kib, memory_kib);
    EXPECT_EQ(parameters.passes, passes);
    EXPECT_EQ(parameters.lanes, lanes);
    EXPECT_EQ(parameters.tag_length, 48U);
    EXPECT_EQ(parameters.salt, Buffer(16, 0));
  };
  expect_argon2id(KsfProfile::rfc9807, 2097152, 1, 4);
  expect_argon2id(KsfProfile::rfc9106_2, 65536, 3, 4);
  expect_argon2id(KsfProfile::small, 19456, 2, 1);
  const auto scrypt = std::get<Scrypt>(ksf_parameters(KsfProfile::scrypt_rfc9807, 32));
  EXPECT_EQ(scrypt.N, 32768U);
  EXPECT_EQ(scrypt.r, 8U);
  EXPECT_EQ(scrypt.p, 1U);
  EXPECT_EQ(scrypt.output_length, 32U);
  EXPECT_EQ(scrypt.salt, Buffer(16, 0));
}

TEST(Ksf, ProfilesRunAndDiffer) {
  EXPECT_EQ(
      stretched(ksf_parameters(KsfProfile::small, 64), std::string(64, 'x')),
      by_the_reference(std::get<Argon2id>(ksf_parameters(KsfProfile::small, 64)), as_bytes(std::string(64, 'x'))));
  EXPECT_EQ(stretched(ksf_parameters(KsfProfile::scrypt_rfc9807, 32), "x").size(), 64U);  // OpenSSL's ceiling is raised
}

// The profile on a thousandth of its memory, and whole where time is no concern (PAKE_FULL=1: 2 GiB), against the
// reference and against what an implementation of other hands gives (Go's golang.org/x/crypto/argon2).
TEST(Ksf, Rfc9807IsArgon2idBitForBit) {
  const std::string input(64, '\x5a');
  auto parameters = std::get<Argon2id>(ksf_parameters(KsfProfile::rfc9807, 64));
  if (const char* full = std::getenv("PAKE_FULL"); full != nullptr && std::string_view(full) == "1") {
    EXPECT_EQ(stretched(parameters, input),
              "644cba6d9ad3d2f1a4bbdbbadff0f529283d9fd13deafb8e44efa19888c8e591"
              "272336a1372239b8f4ea2517fcf05a4a1b7851629df58be1549d98b8f00e9166");
    EXPECT_EQ(stretched(parameters, input), by_the_reference(parameters, as_bytes(input)));
  }
  parameters.memory_kib /= 1024;
  EXPECT_EQ(stretched(parameters, input),
            "c76551940ee87642b342043715dd81d3e7f2de67aca770128ec5d122d060b368"
            "6cdc8570ecf2d55797763290932ac9bb2655576ee131dea406230c2f24216c0e");
  EXPECT_EQ(stretched(parameters, input), by_the_reference(parameters, as_bytes(input)));
}

TEST(Ksf, TheIdentityIsItsInput) {
  const std::string input(48, 'i');
  EXPECT_EQ(stretched(IdentityWithoutAnyProtection{}, input), hex(as_bytes(input)));
  EXPECT_EQ(stretched(IdentityWithoutAnyProtection{}, std::string(65, 'i')), "misuse");
  EXPECT_EQ(stretched(IdentityWithoutAnyProtection{}, ""), "misuse");
}

TEST(Ksf, ParametersOutOfBoundsAreMisuse) {
  EXPECT_EQ(stretched(argon2id(1024, 0, 1), "x"), "misuse");
  EXPECT_EQ(stretched(argon2id(1024, 1, 0), "x"), "misuse");
  EXPECT_EQ(stretched(argon2id(31, 1, 4), "x"), "misuse");
  EXPECT_EQ(stretched(argon2id(1024, 1, 1, 15), "x"), "misuse");
  EXPECT_EQ(stretched(argon2id(1024, 1, 1, 65), "x"), "misuse");
  EXPECT_EQ(stretched(with_salt(argon2id(1024, 1, 1), "7 bytes"), "x"), "misuse");
  EXPECT_EQ(stretched(Scrypt{.N = 3, .r = 8, .p = 1, .output_length = 32}, "x"), "misuse");
  EXPECT_EQ(stretched(Scrypt{.N = 1, .r = 8, .p = 1, .output_length = 32}, "x"), "misuse");
  EXPECT_EQ(stretched(Scrypt{.N = 16, .r = 0, .p = 1, .output_length = 32}, "x"), "misuse");
  EXPECT_EQ(stretched(Scrypt{.N = 16, .r = 8, .p = 0, .output_length = 32}, "x"), "misuse");
  EXPECT_EQ(stretched(Scrypt{.N = 16, .r = 1U << 15U, .p = 1U << 15U, .output_length = 32}, "x"), "misuse");
}

TEST(Ksf, TooMuchMemoryIsUnavailable) {
  EXPECT_EQ(stretched(argon2id(std::numeric_limits<std::uint32_t>::max(), 1, 1), "x"), "unavailable");  // 4 TiB
}

// The reference implementation uses freed memory if the system gives it some threads and then no more.
TEST(Ksf, WithoutThreadsTheLanesRunOneAfterTheOther) {
  const auto parameters = argon2id(1024, 2, 4);
  const auto tag = stretched(parameters, "x");
  pthread_attr_t usual, huge;
  ASSERT_EQ(::pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(::pthread_getattr_default_np(&huge), 0);
  ::pthread_attr_setstacksize(&huge, std::size_t{1} << 46U);  // the address space has room for one such stack, at most
  ::pthread_setattr_default_np(&huge);
  const auto without_threads = stretched(parameters, "x");
  ::pthread_setattr_default_np(&usual);
  ::pthread_attr_destroy(&usual);
  ::pthread_attr_destroy(&huge);
  EXPECT_EQ(without_threads, tag);
}

TEST(Ksf, AByteNamesAProfileOrNothing) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto profile = decode_ksf_profile(static_cast<std::uint8_t>(byte));
    EXPECT_EQ(profile.has_value(), byte >= 1 && byte <= 4) << byte;
    if (profile) {
      EXPECT_EQ(static_cast<int>(*profile), byte);
      EXPECT_NE(to_string(*profile), "unknown");
    }
  }
}

TEST(Ksf, StrengthIsATotalOrder) {
  constexpr std::array kRising = {KsfProfile::small, KsfProfile::scrypt_rfc9807, KsfProfile::rfc9106_2,
                                  KsfProfile::rfc9807};
  for (std::size_t i = 0; i < kRising.size(); ++i)
    for (std::size_t j = 0; j < kRising.size(); ++j) EXPECT_EQ(compare_strength(kRising[i], kRising[j]), i <=> j);
}

TEST(KsfJob, MovesToAnotherThread) {
  KsfJob job(argon2id(64, 1, 1), Digest::copy_of(as_bytes("of the OPRF")));
  std::string result;
  std::thread([&result, moved = std::move(job)] { result = hex(moved.run()->reveal()); }).join();
  EXPECT_EQ(result, stretched(argon2id(64, 1, 1), "of the OPRF"));
}

// --- More than a hash's bytes

TEST(Ksf, GivesAsManyBytesAsAreAsked) {
  const Scrypt scrypt = {.salt = to_buffer(as_bytes("NaCl")), .N = 1024, .r = 8, .p = 16, .output_length = 64};
  // RFC 7914, Section 12.
  EXPECT_EQ(hex(stretch(scrypt, as_bytes("password"), 64)->reveal()), stretched(scrypt, "password"));
  EXPECT_EQ(stretch(scrypt, as_bytes("password"), 80)->size(), 80U);
  const auto argon = argon2id(64, 1, 1);
  EXPECT_EQ(hex(stretch(argon, as_bytes("password"), 32)->reveal()), stretched(argon, "password"));
  EXPECT_EQ(stretch(argon, as_bytes("password"), 160)->size(), 160U);
  EXPECT_EQ(stretch(scrypt, as_bytes("password"), 15).error(), Errc::misuse);
  EXPECT_EQ(stretch(scrypt, as_bytes("password"), 1025).error(), Errc::misuse);
  EXPECT_EQ(stretch(IdentityWithoutAnyProtection(), Buffer(80), 80).error(), Errc::misuse);
}

TEST(Pbkdf2, KnownAnswers) {
  const auto derived = [](HashId hash, std::string_view password, std::string_view salt, std::uint32_t iterations,
                          std::size_t size) {
    return hex(pbkdf2(hash, as_bytes(password), as_bytes(salt), iterations, size)->reveal());
  };
  // RFC 7914, Section 11.
  EXPECT_EQ(derived(HashId::sha256, "passwd", "salt", 1, 64),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
            "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
  // RFC 6070, Section 2.
  EXPECT_EQ(derived(HashId::sha1, "password", "salt", 4096, 20), "4b007901b765489abead49d926f721d065a429c1");
  EXPECT_EQ(pbkdf2(HashId::sha256, {}, {}, 0, 20).error(), Errc::misuse);
  EXPECT_EQ(pbkdf2(HashId::sha256, {}, {}, 1, 0).error(), Errc::misuse);
  EXPECT_EQ(pbkdf2(HashId::sha256, {}, {}, 1, 1025).error(), Errc::misuse);
}

}  // namespace
}  // namespace pake::crypto
