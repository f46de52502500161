// This library as a peer of bench/side_by_side.py: what it is asked and answers is in README.md. The argument names the
// back end of ristretto255.
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "pake/crypto/backend.h"
#include "pake/crypto/group.h"
#include "pake/crypto/rng.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/srp/srp.h"

namespace {

using namespace pake;
using namespace pake::opaque;

constexpr auto kSuite = SuiteId::ristretto255;

/// Nanoseconds of CPU time of this thread.
std::uint64_t cpu_time() {
  timespec now{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) std::abort();
  return (static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U) + static_cast<std::uint64_t>(now.tv_nsec);
}

void require(bool condition) {
  if (!condition) std::abort();
}
void send_all(int to, Bytes bytes) {
  require(send(to, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}
Buffer receive_all(int from, std::size_t size) {
  Buffer bytes(size);
  require(recv(from, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size));
  return bytes;
}

/// Both sides of one user. A failed step throws std::bad_expected_access and ends the program.
class Run {
 public:
  Run() {
    auto requested = ClientRegistration(kSuite, password()).create_registration_request(rng_).value();
    const auto response =
        create_registration_response(requested.registration_request, keys_, user(), GuessPermit::uncounted_for_study())
            .value();
    record_ = std::move(requested.next).finalize_registration_request(response, {.ksf = no_ksf_}, rng_).value().record;
  }

  struct Times {
    std::uint64_t server;
    std::uint64_t client;
  };
  /// The CPU time of the server's part of `count` logins and of the client's last step, from bytes to bytes: what each
  /// side needs of the other is computed between the clocks.
  Times log_in(std::size_t count) {
    auto clients = start_clients(count);
    std::vector<LoginAnswered> answers;
    std::vector<LoginFinished> finished;
    answers.reserve(count);
    finished.reserve(count);
    const auto begin = cpu_time();
    for (const auto& client : clients) answers.push_back(answer(client.ke1));
    const auto answered = cpu_time();
    for (std::size_t i = 0; i < count; ++i)
      finished.push_back(std::move(clients[i].next).generate_ke3(answers[i].ke2, {.ksf = no_ksf_}).value());
    const auto computed = cpu_time();
    for (std::size_t i = 0; i < count; ++i)
      static_cast<void>(std::move(answers[i].next).server_finish(finished[i].ke3).value());
    const auto end = cpu_time();
    return {.server = (answered - begin) + (end - computed), .client = computed - answered};
  }

  /// The server's part of `count` logins, answered eight at a time.
  std::uint64_t log_in_by_eights(std::size_t count) {
    auto clients = start_clients(count);
    std::vector<Result<LoginAnswered>> answers;
    std::vector<LoginFinished> finished;
    answers.reserve(count);
    finished.reserve(count);
    const auto begin = cpu_time();
    for (auto rest = std::span(clients); !rest.empty(); rest = rest.subspan(std::min<std::size_t>(8, rest.size())))
      for (auto& answered : answer_all(rest.first(std::min<std::size_t>(8, rest.size()))))
        answers.push_back(std::move(answered));
    const auto answered = cpu_time();
    for (std::size_t i = 0; i < count; ++i)
      finished.push_back(std::move(clients[i].next).generate_ke3(answers[i].value().ke2, {.ksf = no_ksf_}).value());
    const auto computed = cpu_time();
    for (std::size_t i = 0; i < count; ++i)
      static_cast<void>(std::move(answers[i].value().next).server_finish(finished[i].ke3).value());
    return (answered - begin) + (cpu_time() - computed);
  }

  /// The server's thread of `count` logins over TCP on loopback, a connection each: accept, KE1, KE2, KE3, close.
  std::uint64_t log_in_over_tcp(std::size_t count) {
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    require(bind(listening, name, size) == 0 && listen(listening, 16) == 0 && getsockname(listening, name, &size) == 0);
    std::thread client([&] {
      crypto::SystemRng rng;
      for (std::size_t i = 0; i < count; ++i) {
        auto started = ClientLogin(kSuite, password()).generate_ke1(rng).value();
        const int connected = socket(AF_INET, SOCK_STREAM, 0);
        require(connect(connected, name, size) == 0);
        send_all(connected, started.ke1);
        const auto ke2 = receive_all(connected, sizes(kSuite).KE2());
        send_all(connected, std::move(started.next).generate_ke3(ke2, {.ksf = no_ksf_}).value().ke3);
        std::uint8_t end = 0;
        require(recv(connected, &end, 1, 0) == 0);
        close(connected);
      }
    });
    const auto begin = cpu_time();
    for (std::size_t i = 0; i < count; ++i) {
      const int accepted = accept(listening, nullptr, nullptr);
      require(accepted >= 0);
      auto answered = answer(receive_all(accepted, sizes(kSuite).KE1()));
      send_all(accepted, answered.ke2);
      static_cast<void>(std::move(answered.next).server_finish(receive_all(accepted, sizes(kSuite).KE3())).value());
      close(accepted);
    }
    const auto spent = cpu_time() - begin;
    client.join();
    close(listening);
    return spent;
  }

  /// RFC 9497's BlindEvaluate, from bytes to bytes.
  std::uint64_t evaluate(std::size_t count) {
    const auto& group = crypto::Group::get(crypto::GroupId::ristretto255);
    const auto key = group.random_scalar(rng_).value();
    const auto blinded = group.encode(group.multiply_generator(key).value());
    const auto begin = cpu_time();
    for (std::size_t i = 0; i < count; ++i) {
      const auto element = group.decode(blinded.reveal()).value();
      static_cast<void>(group.encode(group.multiply(key, element).value()));
    }
    return cpu_time() - begin;
  }

 private:
  std::vector<LoginStarted> start_clients(std::size_t count) {
    std::vector<LoginStarted> clients;
    clients.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      clients.push_back(ClientLogin(kSuite, password()).generate_ke1(rng_).value());
    return clients;
  }
  static SecretBuffer password() { return SecretBuffer::copy_of(as_bytes("correct horse")); }
  static Bytes user() { return as_bytes("user 4711"); }
  LoginAnswered answer(const Buffer& ke1) {
    const auto record = RegistrationRecord::decode(kSuite, record_).value();
    return ServerLogin(kSuite, GuessPermit::uncounted_for_study())
        .generate_ke2(ke1, {.record = record, .credential_identifier = user()}, keys_, rng_)
        .value();
  }
  std::vector<Result<LoginAnswered>> answer_all(std::span<const LoginStarted> clients) {
    const std::vector<Bytes> stored(clients.size(), record_);
    const auto records = RegistrationRecord::decode_all(kSuite, stored);
    std::vector<LoginToAnswer> batch;
    batch.reserve(clients.size());
    for (std::size_t i = 0; i < clients.size(); ++i)
      batch.push_back({.login = ServerLogin(kSuite, GuessPermit::uncounted_for_study()),
                       .ke1 = clients[i].ke1,
                       .inputs = {.record = records[i].value(), .credential_identifier = user()}});
    return generate_ke2(batch, keys_, rng_);
  }

  crypto::SystemRng rng_;
  ServerKeys keys_ = ServerKeys::generate(kSuite, rng_).value();
  crypto::KsfParameters no_ksf_ = crypto::IdentityWithoutAnyProtection{};
  Buffer record_;
};

/// The server's part of `count` SRP logins, as python-srp has them.
std::uint64_t srp_login(std::size_t count) {
  constexpr srp::Parameters kParameters = {.mode = srp::Mode::pysrp, .group = srp::Group::bits_2048};
  const auto name = as_bytes("user 4711"), password = as_bytes("correct horse");
  crypto::SystemRng rng;
  const auto stored = srp::Verifier::make(kParameters, name, password, rng).value().encode();
  std::uint64_t spent = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto client = srp::start(kParameters, name, password, rng).value();
    const auto begin = cpu_time();
    const auto verifier = srp::Verifier::decode(stored.reveal()).value();
    auto answered = srp::respond(verifier, name, GuessPermit::uncounted_for_study(), client.A, rng).value();
    spent += cpu_time() - begin;
    const auto proof = std::move(client.next).prove(answered.s, answered.B).value();
    const auto computed = cpu_time();
    static_cast<void>(std::move(answered.next).finish(proof.M1).value());
    spent += cpu_time() - computed;
  }
  return spent;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = argc == 2 ? argv[1] : "";
  for (const auto backend : crypto::kRistrettoBackends)
    if (wanted == to_string(backend) && !crypto::choose_ristretto255_backend(backend)) {
      std::cout << "missing" << std::endl;
      return 77;
    }
  Run run;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string step;
    std::size_t count = 0;
    words >> step >> count;
    if (step == "describe")
      std::cout << "pake, " << to_string(crypto::ristretto255_backend());
    else if (step == "login")
      std::cout << run.log_in(count).server;
    else if (step == "eights")
      std::cout << run.log_in_by_eights(count);
    else if (step == "connections")
      std::cout << run.log_in_over_tcp(count);
    else if (step == "client")
      std::cout << run.log_in(count).client;
    else if (step == "evaluate")
      std::cout << run.evaluate(count);
    else if (step == "srp")
      std::cout << srp_login(count);
    else
      std::cout << "unknown";
    std::cout << std::endl;
  }
}
