// rsa_eke.json: RSA-EKE as pycryptodome computes it, with every byte of randomness given.
#include <algorithm>
#include <map>

#include "eke/cipher.h"
#include "pake/base/writer.h"
#include "pake/testing/fixed_rng.h"
#include "vectors.h"

namespace pake::vectors {
namespace {

using crypto::RsaKeyError;
using crypto::RsaKeyPair;
using crypto::RsaPublicKey;

eke::CipherMode mode_of(Fields& entry) {
  const auto mode = entry.text("mode");
  entry.require(mode == "gcm" || mode == "cbc", "unknown mode");
  return mode == "gcm" ? eke::CipherMode::gcm : eke::CipherMode::cbc;
}

RsaKeyPair key_of(Fields& entry) {
  auto key = RsaKeyPair::from_pkcs8(entry.bytes("pkcs8"));
  entry.require(key.has_value(), "pkcs8 is no key");
  return std::move(*key);
}

RsaPublicKey public_half(Fields& entry, const RsaKeyPair& pair) {
  auto key = RsaPublicKey::from_pem(as_bytes(pair.public_pem()));
  entry.require(key.has_value(), "the public half is refused");
  return std::move(*key);
}

void check_cipher(Fields& entry) {
  const auto mode = mode_of(entry);
  const auto secret = entry.text("secret");
  const auto text = entry.bytes("text");
  const auto message = eke::encrypt(mode, as_bytes(secret), text);
  entry.require(as_text(message) == entry.text("message"), "message");
  entry.require(message.size() == eke::message_size(text.size()), "message_size");
  entry.expect("ciphertext", crypto::base64_decode(message).value());
  entry.require(ct_equal(eke::decrypt(mode, as_bytes(secret), message).value().reveal(), text), "decrypt");
}

void check_key(Fields& entry) {
  static_cast<void>(entry.text("id"));
  const auto pair = key_of(entry);
  entry.require(pair.public_pem() == entry.text("pem"), "pem");
  entry.require(pair.bits() == entry.number("bits"), "bits");
  entry.require(public_half(entry, pair).bits() == pair.bits(), "bits of the public half");
}

void check_refused_key(Fields& entry) {
  static const std::map<std::string, RsaKeyError> errors = {{"not_pem", RsaKeyError::not_pem},
                                                            {"too_small", RsaKeyError::too_small},
                                                            {"too_large", RsaKeyError::too_large},
                                                            {"even_modulus", RsaKeyError::even_modulus},
                                                            {"bad_exponent", RsaKeyError::bad_exponent}};
  static_cast<void>(entry.text("id"));
  const auto error = errors.find(entry.text("error"));
  entry.require(error != errors.end(), "unknown error");
  const auto key = RsaPublicKey::from_pem(as_bytes(entry.text("pem")));
  entry.require(!key, "accepted");
  entry.require(key.error() == error->second, "refused for another reason");
}

/// The octets of PS, as many as leave room for a message of this size.
Buffer padding_of(Fields& entry, const RsaKeyPair& pair, std::size_t message_size) {
  auto padding = entry.bytes("padding");
  entry.require(padding.size() + message_size + 3 == pair.modulus_size(), "the padding has another size");
  entry.require(std::ranges::count(padding, 0) == 0, "a zero in the padding");
  return padding;
}

void check_pkcs1(Fields& entry) {
  static_cast<void>(entry.text("id"));
  const auto pair = key_of(entry);
  const auto message = entry.bytes("message");
  testing::FixedRng rng(padding_of(entry, pair, message.size()));
  const auto ciphertext = public_half(entry, pair).encrypt(message, rng).value();
  entry.expect("ciphertext", ciphertext);
  const auto decrypted = pair.decrypt(ciphertext);
  entry.require(decrypted && ct_equal(decrypted->reveal(), message), "decrypt");
}

/// Random bytes from which these ten digits are drawn.
Buffer drawn(Fields& entry, const std::string& name) {
  const auto digits = entry.text(name);
  entry.require(digits.size() == eke::kDigits && eke::all_digits(as_bytes(digits)), name + " is not ten digits");
  auto bytes = to_buffer(as_bytes(digits));
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(byte - '0');
  return bytes;
}

void check_run(Fields& entry) {
  static_cast<void>(entry.text("id"));
  const auto mode = mode_of(entry);
  const auto user = entry.text("user");
  const auto password = entry.text("password");
  auto pair = key_of(entry);
  const auto padding = padding_of(entry, pair, eke::kDigits);
  testing::FixedRng L_rng(Writer().put(drawn(entry, "Ks")).put(padding).put(drawn(entry, "NS")).take());
  testing::FixedRng C_rng(drawn(entry, "NC"));
  eke::UserTable users;
  entry.require(users.add(user, SecretBuffer::copy_of(as_bytes(password))).has_value(), "user");
  eke::RsaListener L({.users = users, .mode = mode}, GuessPermit::uncounted_for_study(), L_rng);
  eke::RsaConnector C(
      {.user = user, .password = SecretBuffer::copy_of(as_bytes(password)), .key = std::move(pair), .mode = mode},
      C_rng);
  auto& messages = entry.object("messages");
  for (int number = 1; number <= 7; ++number) {
    const auto name = std::to_string(number);
    Machine& from = number % 2 == 1 ? static_cast<Machine&>(C) : L;
    Machine& to = number % 2 == 1 ? static_cast<Machine&>(L) : C;
    const auto message = from.take_message();
    messages.require(message && as_text(*message) == messages.text(name), "message " + name);
    messages.require(to.receive(*message, Arrived::more_may_come) == message->size(),
                     "message " + name + " is refused");
  }
  for (Machine* machine : {static_cast<Machine*>(&L), static_cast<Machine*>(&C)}) {
    const auto key = machine->take_session_key();
    entry.require(key && as_text(key->reveal()) == entry.text("Ks"), "session key");
  }
}

}  // namespace

void check_rsa_eke(Sections& file) {
  file.each("cipher", check_cipher);
  file.each("keys", check_key);
  file.each("refused_keys", check_refused_key);
  file.each("pkcs1", check_pkcs1);
  file.each("runs", check_run);
}

}  // namespace pake::vectors
