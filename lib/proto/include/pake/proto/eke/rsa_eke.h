// RSA-EKE as the seed's two programs speak it (Bellovin and Merritt 1992): history, for study and interoperation.
// It is broken: one run with a modulus of the attacker's making, or one recorded run, tests a whole dictionary. Never
// protect anything with it.
//
// The listening side (L) and the connecting side (C) of the seed:
//
//   1  C -> L   user name                          2  L -> C   "yes" | "no"
//   3  C -> L   E_pw(PK)                           4  L -> C   E_pw(Base64(RSAES-PKCS1-v1_5(PK, Ks)))
//   5  C -> L   E_Ks(NC)                           6  L -> C   E_Ks(NC NS)
//   7  C -> L   E_Ks(NS)                           then chat lines, in clear
//
// Ks, NC, NS are ten decimal digits; PK is a SubjectPublicKeyInfo in PEM. No message says how long it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/rsa.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"

namespace pake::eke {

/// How E encrypts. Both sides must be set alike; nothing on the wire says it.
enum class CipherMode : std::uint8_t {
  gcm,  // AES-128-GCM with nonce = key and no tag: the printed programs
  cbc,  // AES-128-CBC with IV = key: an older printing
};

/// Which protocol C speaks.
enum class Form : std::uint8_t {
  seed,   // the printed programs
  paper,  // the paper's own, where L has the key: for the laboratory that shows the attack on it
};

/// The paper's form (Bellovin and Merritt 1992, Section 2.3), with a key of 1,024 bits. L is A of the paper, C is B:
///
///   1  C -> L   user name                          2  L -> C   Base64(n) E_pw(e, or e + 1)
///   3  C -> L   E_pw(R^e mod n)                    4  L -> C   E_R(NS)
///   5  C -> L   E_R(NS NC)                         6  L -> C   E_R(NC)            then chat lines, in clear
///
/// n and the encrypted numbers are big-endian in kPaperNumber bytes; an exponent that decrypts to an even number is one
/// less. Choice: n is odd and its highest 64 bits are ones, so that a number below it looks like random bytes, as the
/// paper asks.
inline constexpr std::size_t kPaperNumber = 128;
inline constexpr std::size_t kPaperNumberText = 172;  // in Base64; no padding is added before, 128 is whole blocks

/// What the teaching programs print. L learns user, pk, Ks, NC in this order, C learns pk, Ks, NC, N1_2.
enum class Value : std::uint8_t { user, pk, Ks, NC, N1_2 };

/// Is told every value at the moment the seed prints it: C's pk when message 1 is taken, all others inside receive(). A
/// value is told once it is well formed, so what a wrong password decrypts to is not.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  /// `text` lives as long as the call. These are the run's secrets: for teaching programs and tests alone.
  virtual void learnt(Value value, std::string_view text) = 0;
};

/// A user name has 1 to this many bytes.
inline constexpr std::size_t kMaxUserName = 1024;

/// Who may connect, and with which password. Fill it first; then any number of threads may read it.
class UserTable {
 public:
  /// Adds `name` or gives it another password, of which the cipher uses the first 16 bytes. Errc::misuse unless `name`
  /// has 1 to kMaxUserName bytes.
  [[nodiscard]] Status add(std::string_view name, SecretBuffer password);
  /// The password of `name`, or null. The pointer lives until the table is changed.
  [[nodiscard]] const SecretBuffer* find(std::string_view name) const noexcept;
  /// True when some other name of the table starts with `name`.
  [[nodiscard]] bool begins_longer(std::string_view name) const noexcept;

 private:
  std::map<std::string, SecretBuffer, std::less<>> passwords_;
};

/// Why a run failed.
enum class Failure : std::uint8_t {
  unknown_user,      // L: message 1 names nobody in the table; the peer was told "no"
  refused_user,      // C: message 2 is "no"
  unclear_answer,    // C: message 2 is neither "yes" nor "no"
  bad_base64,        // a message is not canonical Base64
  bad_pem,           // L: message 3 does not decrypt to the PEM of an RSA key: as a rule, another password
  key_too_small,     // L: a modulus of fewer than 1024 bits
  key_too_large,     // L: a modulus of more than 4096 bits
  even_modulus,      // L
  bad_exponent,      // L: even, below 3, or above 2^32 - 1
  bad_modulus,       // C, paper: even, or its highest 64 bits are not ones
  bad_inner_base64,  // C: message 4 does not decrypt to Base64 of the key's size: as a rule, another password
  bad_pkcs1,         // C: message 4 holds no PKCS#1 block for our key
  bad_Ks,            // C: not ten digits
  bad_NC,            // L: message 5 does not decrypt to ten digits
  bad_N1_2,          // C: message 6 does not decrypt to twenty digits
  wrong_NC,          // C: message 6 does not begin with our NC
  wrong_NS,          // L: message 7 does not decrypt to our NS
  no_randomness,     // either: the source gave, again and again, bytes that are of no use
};

/// A lower-case sentence for a person, without a full stop; it says where a wrong password is the likely cause.
[[nodiscard]] std::string_view explain(Failure failure) noexcept;

/// Errc::auth_failed if a wrong user or password can be the cause, Errc::unavailable for no_randomness, else
/// Errc::malformed.
[[nodiscard]] Errc error_class(Failure failure) noexcept;

class Run;  // private to the room

/// What a driver of either side sees.
class RsaMachine : public Machine {
 public:
  ~RsaMachine() override;

  [[nodiscard]] Want want() const noexcept final;
  [[nodiscard]] Result<Buffer> take_message() final;
  [[nodiscard]] Incoming incoming() const noexcept final;
  [[nodiscard]] Result<std::size_t> receive(Bytes bytes, Arrived arrived) final;
  // There are no records and no jobs here: each of these is misuse.
  [[nodiscard]] Status provide_record(std::optional<Bytes> stored) final;
  [[nodiscard]] Result<std::unique_ptr<Job>> take_job() final;
  [[nodiscard]] Status resume(std::unique_ptr<Job> job) final;
  [[nodiscard]] std::optional<Errc> error() const noexcept final;
  [[nodiscard]] Result<SessionKey> take_session_key() final;
  /// Why the run failed; nothing unless want() == Want::failed.
  [[nodiscard]] std::optional<Failure> failure() const noexcept;

 protected:
  explicit RsaMachine(std::unique_ptr<Run> run) noexcept;

 private:
  std::unique_ptr<Run> run_;
};

struct ListenerConfig {
  Borrowed<UserTable> users;  // outlives the machine
  CipherMode mode = CipherMode::gcm;
  Observer* observer = nullptr;  // outlives the machine
};

/// The listening side, one run. Session key: Ks, 10 bytes, once message 7 has proved that the peer knows it.
///
/// An unknown user is answered: Want::send with "no", then Want::failed.
///
/// Messages end without framing like this. Message 1: when all bytes that arrived are a known name that begins no
/// longer one, or by silence. Message 3: when its first bytes decrypt to a whole key, or, with a password that makes
/// that impossible, with the padding of its Base64 or by silence; a silence after a number of bytes that nothing
/// encrypts to ends nothing (receive() returns 0, as if more were to come). Messages 5 and 7: with their 24th byte;
/// what follows message 7 is the first chat line and is not consumed.
class RsaListener final : public RsaMachine {
 public:
  /// `rng` outlives the machine. The permit is spent when message 3 is first tried under the password, refunded when
  /// message 7 has verified.
  RsaListener(const ListenerConfig& config, GuessPermit permit, Rng& rng);
};

struct ConnectorConfig {
  std::string user;  // 1 to kMaxUserName bytes, else the machine has failed with Errc::misuse from the start
  SecretBuffer password;
  crypto::RsaKeyPair key;  // fresh for every run: C's errors tell an attacker about messages under the same key
  CipherMode mode = CipherMode::gcm;
  Observer* observer = nullptr;  // outlives the machine
  Form form = Form::seed;        // paper: `key` is not used
};

/// The connecting side, one run. Session key: Ks, 10 bytes.
///
/// Done means: message 6 began with our NC. Whether the peer accepts message 7, or somebody changed the NS half of
/// message 6 on its way, only the peer can know.
///
/// Every message it waits for ends by itself: "yes" or "no", then message 4 by the size of our key, then 44 bytes.
class RsaConnector final : public RsaMachine {
 public:
  /// `rng` outlives the machine.
  RsaConnector(ConnectorConfig config, Rng& rng);
};

// The chat that follows, in clear and without integrity: a line of C, an answer of L, and so on until C says "quit".

/// A line has 1 to this many bytes: its answer must fit the 1,024 bytes that the seed's programs read at once.
inline constexpr std::size_t kMaxLine = 1016;
/// Ends the chat; it has no answer.
inline constexpr std::string_view kQuit = "quit";

/// True for 1 to kMaxLine bytes without LF, CR and NUL. `kQuit` is such a line too.
[[nodiscard]] bool is_line(std::string_view line) noexcept;
/// "receive " and the line.
[[nodiscard]] Buffer answer(std::string_view line);

}  // namespace pake::eke
