#include "login/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "login/connect.h"
#include "login/enroll.h"
#include "login/forward.h"
#include "login/hosts.h"
#include "login/named_hosts.h"
#include "login/options.h"
#include "login/passwd.h"
#include "options/quiet.h"
#include "pake/internal/try.h"
#include "pake/server/config.h"
#include "pipe/exported.h"

namespace pake::cli::login {
namespace {

void append(Settings& settings, Settings more) {
  settings.insert(settings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

std::vector<int> exit_codes_of_login() {
  return {kExitOk,        kExitFailed,   kExitUsage,    kExitAuthFailed, kExitUnreachable,
          kExitThrottled, kExitCutShort, kExitProtocol, kExitService,    kExitStore};
}

std::vector<int> exit_codes_of_connect() {
  auto codes = exit_codes_of_login();
  codes.push_back(kExitRemote);
  return codes;
}

std::vector<Variable> variables_of_login() {
  auto variables = secret_variables(SecretKind::password);
  variables.push_back({"PAKE_ASKPASS",
                       "A program that asks for the password, if there is no terminal: it gets the question as its "
                       "argument and prints the password. A wrong one is not asked for again"});
  variables.push_back({"PAKE_ASKPASS_REQUIRE",
                       "prefer or force: PAKE_ASKPASS asks even if there is a terminal; never: it does not ask"});
  return variables;
}

Value service(std::string& name) {
  auto value = text(name, "SERVICE", [](std::string_view typed) {
    return pake::server::is_service_name(typed) ? "" : "it has 1 to 64 letters, digits and . _ -, a letter first";
  });
  value.completes = Value::Completes::services;
  return value;
}

Command connect_command() {
  const auto options = std::make_shared<ConnectOptions>();
  const auto hosts = std::make_shared<NamedHosts>();
  Command command = {
      .name = "connect",
      .summary = "Log in at a server, then pass bytes both ways to one of its services",
      .brief = "The password is asked for on the terminal, unless an option or PAKE_PASSWORD gives it.",
      .text =
          {"Logs in at a pake serve. The password never leaves this machine, not even encrypted: both sides prove "
           "to each other that they know it or its record, and no certificate is needed.",
           "At a terminal, lines are typed behind the prompt \"> \"; otherwise stdin goes to the service and what "
           "it says goes to stdout, and the exit code is 0 only if everything arrived. If the service is a program, "
           "it ends when the program has, and the exit code is 10 unless the program's status was 0.",
           "With --export no data passes: a key is printed that the server's end of this channel has too. A program "
           "behind a service gets it there if the operator has said so (`export` in pake.toml(5)) under the same "
           "label; name that service, and the key is printed once the program has ended with 0.",
           "With --stdio it serves as a ProxyCommand of ssh: nothing but data is on stdin and stdout, the password "
           "is asked for on the terminal or by the program of PAKE_ASKPASS, and with --remember it is seldom asked "
           "for. The known_hosts of ssh then protects what pake has protected already."},
      .examples = {"pake connect alice@box", "pake connect alice@box:8088 backup < photos.tar",
                   "ssh -o ProxyCommand='pake connect --stdio -- %r@%h sshd' alice@box",
                   "pake connect alice@box tunnel --export wireguard > psk"},
      .exit_codes = exit_codes_of_connect(),
      .environment = variables_of_login(),
      .check =
          [options, hosts](const Given& given) {
            options->gives_key_to_service = given.contains("SERVICE");
            return apply_host(*hosts, given, {.login = options->login, .service = &options->service});
          },
      .run = [options](const Invocation&) { return connect(*options); },
  };
  append(command.settings, login_settings(options->login));
  command.settings.insert(command.settings.begin() + 1,
                          {.flag = "SERVICE", .value = service(options->service), .help = "The service wanted"});
  command.settings.push_back(pipe::export_setting(options->export_label));
  command.settings.push_back({.flag = "--json",
                              .value = flag(options->json),
                              .help = "Say events on stderr as JSON, an object a line, instead of words"});
  command.settings.push_back(
      {.flag = "--stdio",
       .value = flag(options->stdio),
       .help = "Pass bytes as they are, whatever stdin and stdout are, and say nothing but errors"});
  add_client_configuration(command, *hosts);
  return command;
}

Expected<void> check_ports(const ForwardOptions& options) {
  if (options.locals.empty() && options.published.empty())
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = "there is no port to forward and no service to publish",
                                   .hint = "pake forward alice@box wiki -L 8080"});
  for (const auto& local : options.locals)
    if (local.service.empty() && options.service.empty())
      return std::unexpected(Problem{.exit_code = kExitUsage,
                                     .error = "no service is named for -L " + local.typed,
                                     .hint = "name it behind the port, -L " + local.typed +
                                             ":SERVICE, or once for all: " + "pake forward NAME@HOST SERVICE -L " +
                                             local.typed});
  for (auto one = options.published.begin(); one != options.published.end(); ++one)
    if (std::ranges::find(options.published.begin(), one, one->service, &PublishedService::service) != one)
      return std::unexpected(Problem{.exit_code = kExitUsage,
                                     .error = fmt::format("-R names {} twice", one->service),
                                     .hint = "a published service leads to one address"});
  return {};
}

Command forward_command() {
  const auto options = std::make_shared<ForwardOptions>();
  const auto hosts = std::make_shared<NamedHosts>();
  Command command = {
      .name = "forward",
      .summary = "Make a service of a server reachable at a port of this machine",
      .brief = "One login; each connection to the port is a stream of the one encrypted channel. Ctrl-C ends it.",
      .text = {"Listens at each -L and carries every connection to a service of the server. A port without BIND is on "
               "loopback, and takes connections from processes of your own user alone, unless --any-user is given. A "
               "unix socket is made with mode 0600.",
               "With -R a service of this side is published under a name that the server's operator has given to this "
               "user: others reach it there like any service of the server. What connects is led to the one address "
               "that is named here. The server sees what passes.",
               "If the network goes, open connections are reset and the channel is made again, without a question if "
               "the server still takes the ticket of the last one. What was sent is never sent twice. Connections to "
               "a unix socket just end: nothing else can be said there, so use a port if an end has to mean that all "
               "has come.",
               "If the server refuses a connection, whoever made it sees a reset. Why is said here, once until it "
               "changes.",
               "SIGUSR1 makes it say its state. Under systemd it tells when it is ready, and its state."},
      .examples = {"pake forward alice@box wiki -L 8080", "pake forward alice@box -L 8080:wiki -L 5432:database"},
      .exit_codes = exit_codes_of_login(),
      .environment = variables_of_login(),
      .check = [options, hosts](const Given& given) -> Expected<void> {
        PAKE_TRYV(apply_host(*hosts, given,
                             {.login = options->login, .service = &options->service, .locals = &options->locals}));
        return check_ports(*options);
      },
      .run = [options](const Invocation&) { return forward(*options); },
  };
  append(command.settings, login_settings(options->login));
  command.settings.insert(
      command.settings.begin() + 1,
      {.flag = "SERVICE", .value = service(options->service), .help = "The service of ports that name none"});
  command.settings.push_back({.flag = "-L,--local",
                              .value = local_ports(options->locals),
                              .help = "Where to listen, and for which service: 8080, 8080:wiki, "
                                      "192.0.2.7:8080:wiki or unix:PATH:wiki"});
  command.settings.push_back({.flag = "-R,--remote",
                              .value = published_services(options->published),
                              .help =
                                  "Publish a service through the server, for those whom its operator lets: desk:5900, "
                                  "desk:192.0.2.9:5900 or desk:unix:PATH"});
  command.settings.push_back({.flag = "--json",
                              .value = flag(options->json),
                              .help = "Say events on stdout as JSON, an object a line, instead of notes"});
  command.settings.push_back({.flag = "--any-user",
                              .value = flag(options->any_user),
                              .help = "Let processes of other users of this machine connect too"});
  add_client_configuration(command, *hosts);
  return command;
}

Setting ksf_floor(crypto::KsfProfile& value) {
  return {.flag = "--ksf-floor",
          .value = ksf_profile(value),
          .help = "The weakest stretching of the password that the server may ask for"};
}

Command enroll_command() {
  const auto options = std::make_shared<EnrollOptions>();
  const auto hosts = std::make_shared<NamedHosts>();
  Command command = {
      .name = "enroll",
      .summary = "Redeem an invitation, and choose the password of an account",
      .brief = "The code and the password are asked for on the terminal, unless options or the environment give them.",
      .text = {"The operator of a server makes an invitation by pake user invite NAME and hands its code over. Whoever "
               "has it chooses a password for that name here; the server never sees it.",
               "An invitation for a name that has a password already replaces it."},
      .examples = {"pake enroll alice@box", "pake enroll alice@box --code-file code --password-file password"},
      .exit_codes = exit_codes_of_login(),
      .environment = secret_variables(SecretKind::invitation),
      .check =
          [options, hosts](const Given& given) {
            return apply_host(*hosts, given, {.login = options->login, .ksf_floor = &options->ksf_floor});
          },
      .run = [options](const Invocation&) { return enroll(*options); },
  };
  for (auto& variable : variables_of_login()) command.environment.push_back(std::move(variable));
  append(command.settings, login_settings(options->login));
  append(command.settings, secret_settings(options->code));
  command.settings.push_back(ksf_floor(options->ksf_floor));
  add_client_configuration(command, *hosts);
  return command;
}

Command passwd_command() {
  const auto options = std::make_shared<PasswdOptions>();
  const auto hosts = std::make_shared<NamedHosts>();
  Command command = {
      .name = "passwd",
      .summary = "Change one's own password",
      .brief =
          "Both passwords are asked for on the terminal, the new one twice, unless options or the environment give "
          "them.",
      .text = {"Logs in with the old password and stores a record of the new one. The server sees neither. The old "
               "password is good until the server has said that the new one is stored.",
               "Every other channel of this user is closed, and its tickets are no longer good: whoever knew the old "
               "password is logged out. A channel that was opened by a ticket cannot change a password.",
               "Who has forgotten the old password asks the operator for an invitation, and redeems it by pake "
               "enroll."},
      .examples = {"pake passwd alice@box", "pake passwd alice@box --password-file old --new-password-file new"},
      .exit_codes = exit_codes_of_login(),
      .environment = variables_of_login(),
      .check =
          [options, hosts](const Given& given) {
            return apply_host(*hosts, given, {.login = options->login, .ksf_floor = &options->ksf_floor});
          },
      .run = [options](const Invocation&) { return passwd(*options); },
  };
  for (auto& variable : secret_variables(SecretKind::new_password)) command.environment.push_back(std::move(variable));
  append(command.settings, login_settings(options->login));
  append(command.settings, secret_settings(options->chosen));
  command.settings.push_back(ksf_floor(options->ksf_floor));
  add_client_configuration(command, *hosts);
  return command;
}

}  // namespace

Value ksf_profile(crypto::KsfProfile& value) {
  using enum crypto::KsfProfile;
  return choice<crypto::KsfProfile>(
      value, "PROFILE",
      {{"small", small}, {"scrypt-rfc9807", scrypt_rfc9807}, {"rfc9106-2", rfc9106_2}, {"rfc9807", rfc9807}});
}

Settings login_settings(LoginOptions& options) {
  Settings settings = {
      {.flag = "NAME@HOST",
       .value = destination(options.destination),
       .help = "Who logs in where: alice@host, alice@host:8088, alice@unix:PATH, or a host of the configuration",
       .required = true}};
  append(settings, secret_settings(options.password));
  append(settings,
         {{.flag = "--deadline", .value = seconds(options.deadline), .help = "How long the server may take to answer"},
          {.flag = "--ksf-ceiling",
           .value = ksf_profile(options.ksf_ceiling),
           .help = "The most expensive stretching of the password that is run for a server"},
          {.flag = "--remember",
           .value = flag(options.remember),
           .help = "Keep the server's key and the last ticket: another server is refused, and the next login asks "
                   "for no password"},
          {.flag = "--trace",
           .value = file(options.trace),
           .help = "Write every frame that passes into this file, as JSON lines"},
          quiet_setting()});
  return settings;
}

std::vector<Command> commands() {
  std::vector<Command> all;
  all.push_back(connect_command());
  all.push_back(enroll_command());
  all.push_back(passwd_command());
  all.push_back(forward_command());
  all.push_back(hosts_command());
  return all;
}

}  // namespace pake::cli::login
