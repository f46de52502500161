"""The manual pages and the shells' completions have what --help has, of every command. PAKE_MANUAL is their directory."""

import functools
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import OK, PAKE, PATIENCE, USAGE, Case

MANUAL = os.path.abspath(os.environ["PAKE_MANUAL"])
EVERY_EXIT_CODE = {"0", "1", "2", "128 + n"}
_VIA = {"3", "4", "5", "6", "7", "8", "9"}
EXIT_CODES = {"pake listen": _VIA, "pake dial": _VIA, "pake send": _VIA, "pake receive": _VIA, "pake pair": _VIA,
              "pake eke listen": {"3", "6", "7", "9"}, "pake eke connect": {"3", "4", "6", "7"},
              "pake connect": {"3", "4", "5", "6", "7", "8", "9", "10"}, "pake enroll": {"3", "4", "5", "6", "7", "8", "9"}, "pake passwd": {"3", "4", "5", "6", "7", "8", "9"},
              "pake forward": {"3", "4", "5", "6", "7", "8", "9"}, "pake serve": {"9"}, "pake sessions list": {"4", "6"}, "pake sessions kill": {"4", "6"}}
for _of_store in ("user add", "user list", "user show", "user disable", "user enable", "user remove", "user invite",
                  "user reset", "user logout", "user unthrottle", "user export", "user import", "keys status",
                  "keys stage", "keys activate", "keys backup", "hosts list", "hosts forget"):
    EXIT_CODES["pake " + _of_store] = {"9"}
_ASKPASS = ["PAKE_ASKPASS", "PAKE_ASKPASS_REQUIRE"]
VARIABLES = {"pake dial": ["PAKE_CODE", "PAKE_PASSWORD"], "pake receive": ["PAKE_CODE", "PAKE_PASSWORD"], "pake pair": ["PAKE_CODE"],
             "pake eke listen": ["PAKE_PASSWORD"],
             "pake eke connect": ["PAKE_PASSWORD"], "pake user add": ["PAKE_PASSWORD"],
             "pake connect": ["PAKE_PASSWORD", *_ASKPASS], "pake forward": ["PAKE_PASSWORD", *_ASKPASS],
             "pake enroll": ["PAKE_CODE", "PAKE_PASSWORD", *_ASKPASS],
             "pake passwd": ["PAKE_PASSWORD", *_ASKPASS, "PAKE_NEW_PASSWORD"]}


def manual(*path):
    return os.path.join(MANUAL, *path)


def needed(program):
    """The program's path; where it is missing the test is skipped, save where ./check wants it."""
    path = shutil.which(program)
    if not path and not os.environ.get("PAKE_REQUIRE_PEERS"):
        raise unittest.SkipTest(f"there is no {program}")
    return path or program


def shell(*argv):
    with tempfile.TemporaryDirectory() as home:  # fish leaves its history in it
        run = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False,
                             env={**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home})
    assert run.returncode == 0 and not run.stderr, run.stderr
    return run.stdout


class Help(Case):
    """What the program says of itself: each command's subcommands and options, found by asking, once."""

    _asked = []

    def commands(self):
        """Each command's name, help and subcommands."""
        if not self._asked:
            self._asked.extend(self.ask())
        return self._asked

    def ask(self, *command):
        program = self.run_pake(*command, "--help")
        self.assertEqual(program.code, OK)
        self.assertNotIn("[]", program.out)
        listed = re.search(r"^Subcommands:\n((?:  .*\n)*)", program.out, re.MULTILINE)
        names = re.findall(r"^  ([a-z]+) ", listed[1] if listed else "", re.MULTILINE)
        yield " ".join(["pake", *command]), program.out, names
        for name in names:
            yield from self.ask(*command, name)

    @staticmethod
    def options(text):
        return {name for line in re.findall(r"^  (-\S+)", text, re.MULTILINE) for name in line.split(",")}


class Pages(Help):
    @staticmethod
    def path_of(command):
        return manual("man1", command.replace(" ", "-") + ".1")

    @staticmethod
    @functools.cache
    def sections(command):
        """The page as a terminal without styles shows it: the text of each section, under its title."""
        page = shell(needed("groff"), "-man", "-Tascii", "-P-cbou", "-rLL=200n", Pages.path_of(command))
        _, *parts = re.split(r"^([A-Z][A-Z ]+)$", page, flags=re.MULTILINE)
        return dict(zip(parts[::2], parts[1::2]))

    def test_one_a_command_and_no_other(self):
        wanted = [os.path.basename(self.path_of(name)) for name, _, _ in self.commands()]
        self.assertEqual(sorted(os.listdir(manual("man1"))), sorted(wanted))

    def test_of_the_configuration_file(self):
        """Every key that the server's own page has, and what the tables in it hold."""
        page = shell(needed("groff"), "-man", "-Tascii", "-P-cbou", "-rLL=200n", manual("man5", "pake.toml.5"))
        self.assertEqual(shell(needed("groff"), "-man", "-ww", "-z", manual("man5", "pake.toml.5")), "")
        keys = set(re.findall(r"^       ([a-z_.A-Z]+) = a? ?(?:list|text|number|true)", page, re.MULTILINE))
        of_page = set(re.findall(r"^       ([a-z_.]+) = ", self.sections("pake serve")["CONFIGURATION"], re.MULTILINE))
        self.assertLess({"data", "limits.idle", "guesses.account_burst"}, of_page)
        self.assertEqual({key.removesuffix(".NAME") for key in keys if not key.partition(".NAME.")[2]}, of_page)
        for key in ("services.NAME.to", "services.NAME.users", "services.NAME.send_user", "published.NAME.publisher"):
            self.assertIn(key, keys)

    def test_are_clean_roff(self):
        for name, _, _ in self.commands():
            self.assertEqual(shell(needed("groff"), "-man", "-ww", "-z", self.path_of(name)), "")

    def test_have_what_help_has(self):
        for name, text, below in self.commands():
            with self.subTest(name):
                sections = self.sections(name)
                self.assertIn(f"{name} [OPTIONS]", sections["SYNOPSIS"])
                self.assertIn(text.splitlines()[0], sections["NAME"])
                tags = re.findall(r"^       (-.*)$", sections["OPTIONS"], re.MULTILINE)
                self.assertEqual({word for tag in tags for word in re.findall(r"--?[a-zA-Z][a-z-]*", tag)}, self.options(text))
                for example in re.split(r"^Examples?:$", text, flags=re.MULTILINE)[1].splitlines():
                    self.assertIn(example.strip(), sections["EXAMPLES"])
                page_of = name.replace(" ", "-") + r"-([a-z]+)\(1\)"
                self.assertEqual(re.findall(page_of, sections.get("COMMANDS", "")), below)

    def test_say_how_a_command_ends(self):
        for name, _, _ in self.commands():
            with self.subTest(name):
                codes = re.findall(r"^       (\d+(?: \+ n)?)\b", self.sections(name)["EXIT STATUS"], re.MULTILINE)
                of_commands = set().union(*(codes for command, codes in EXIT_CODES.items() if command.startswith(name)))
                self.assertEqual(sorted(codes), sorted(EVERY_EXIT_CODE | of_commands))

    def test_name_the_variable_where_it_is_read(self):
        for name, _, _ in self.commands():
            named = re.findall("^       (PAKE_[A-Z_]+)", self.sections(name).get("ENVIRONMENT", ""), re.MULTILINE)
            self.assertEqual(named, VARIABLES.get(name, []), name)

    def test_quiet_means_the_same_everywhere(self):
        for name, text, below in self.commands():
            if not below:
                self.assertIn("--quiet Leave out notes and details: only results, errors and what must be known",
                              " ".join(text.split()), name)

    def test_refer_to_pages_that_there_are(self):
        for name, _, _ in self.commands():
            others = re.findall(r"(\S+)\(1\)", self.sections(name)["SEE ALSO"])
            self.assertTrue(others)
            for other in others:
                self.assertTrue(os.path.exists(manual("man1", other + ".1")), other)


    def test_the_code_of_two_people_is_not_called_a_password(self):
        for name in ("listen", "dial", "send", "receive"):
            for text in (self.run_pake(name, "--help").out, self.sections(f"pake {name}")["DESCRIPTION"]):
                self.assertNotIn("password", text.lower())


class Words(Case):
    """What is said to somebody who types something else than a command line."""

    def said(self, *words):
        program = self.run_pake(*words)
        self.assertEqual((program.code, program.out), (USAGE, ""), program.err)
        return program.err

    def test_help_is_a_command_too(self):
        for words in ((), ("dial",), ("eke",), ("eke", "listen")):
            program = self.run_pake("help", *words)
            self.assertEqual((program.code, program.out), (OK, self.run_pake(*words, "--help").out))
        self.assertEqual(self.said("help", "lisen"), "error: there is no command 'lisen'\nhint: pake listen\n")

    def test_the_nearest_word_is_suggested(self):
        self.assertEqual(self.said("lisen"), "error: there is no command 'lisen'\nhint: pake listen\n")
        self.assertEqual(
            self.said("recieve", "--via", "box"), "error: there is no command 'recieve'\nhint: pake receive\n"
        )
        self.assertEqual(self.said("eke", "conect"), "error: there is no command 'conect'\nhint: pake eke connect\n")
        self.assertEqual(self.said("dial", "--quite"), "error: there is no option --quite\nhint: did you mean --quiet?\n")

    def test_a_group_of_commands_asks_for_one(self):
        for words, missing, hint in ((("sessions", "--data", "D"), "list, kill", "sessions list --data D"),
                                     (("sessions", "--data", "D", "kill", "7"), "list, kill", "sessions kill --data D"),
                                     (("keys", "--json"), "status, stage, activate, backup", "keys status --json"),
                                     (("hosts", "--json"), "list, forget", "hosts list --json"),
                                     (("user", "--data", "D", "disable", "alice"), None, "user disable --data D")):
            err = self.said(*words)
            if missing:
                self.assertIn(f"error: pake {words[0]} needs a command before its options: {missing}\n", err)
            self.assertTrue(err.endswith(f"hint: pake {hint}\n"), err)
        self.assertEqual(self.said("sessions", "--dat", "D"), "error: there is no option --dat\nhint: pake sessions --help\n")
        self.assertEqual(self.said("--data", "D", "user", "list"),
                         "error: --data belongs behind its command\nhint: pake user list --data ...\n")

    def test_host_and_port_are_one_word(self):
        self.assertEqual(self.said("dial", "192.0.2.7", "8088"),
                         "error: host and port are one word\nhint: pake dial 192.0.2.7:8088\n")

    def test_a_port_that_is_none_is_said_as_it_was_typed(self):
        for typed in ("99999", ":99999"):
            self.assertRegex(self.said("listen", typed), f"^error: {typed}: '99999' is no port")

    def test_no_default_is_told_of_what_has_none(self):
        told = re.split(r"\n  (?=-)", self.run_pake("listen", "--help").out)
        self.assertEqual([option for option in told if option.startswith("--service") and "default" in option], [])
        self.assertTrue([option for option in told if option.startswith("--tries") and "default" in option])

    def test_an_address_has_no_scheme(self):
        self.assertEqual(self.said("dial", "tcp://example.org:8088"),
                         "error: 'tcp://' has no place in front of an address\nhint: type example.org:8088\n")

    def test_a_code_in_the_place_of_an_address_is_not_looked_up(self):
        for command in (("dial",), ("listen",), ("eke", "connect"), ("eke", "listen")):
            for code in (("violin-harvest-42",), ("Violin Harvest 42",), ("violin", "harvest", "42"), ("violin-harvst-42",),
                         ("violin-harvest-42:8088",), ("1234567-violin-harvest-violin-harvest",)):
                with self.subTest(command=command, code=code):
                    said = self.said(*command, *code)
                    self.assertIn("error: this looks like a code, and an address belongs here: nothing was looked up", said)
                    self.assertIn("hint: ", said)
                    self.assertNotIn("violin", said.lower())


class Completion(Help):
    def offered(self, line):
        raise NotImplementedError

    def configured(self):
        """Variables under which the shell finds `pake`, and `pake` a configuration."""
        os.makedirs(self.path("config/pake"))
        os.makedirs(self.path("bin"))
        os.symlink(PAKE, self.path("bin/pake"))
        self.path("config/pake/config.toml", '[host.box]\nuser = "alice"\nservice = "wiki"\nservices = ["database"]\n')
        return {"PATH": self.path("bin") + ":" + os.environ["PATH"], "XDG_CONFIG_HOME": self.path("config"),
                "XDG_STATE_HOME": self.path("state")}

    def assert_offers_hosts(self):
        self.assertLessEqual({"alice@box", "wiki", "database"}, self.offered("pake connect "))
        self.assertEqual(self.offered("pake forward al"), {"alice@box"})
        self.assertEqual(self.offered("pake passwd w"), set())

    def assert_offers_all(self):
        for name, text, below in self.commands():
            with self.subTest(name):
                if below:
                    self.assertEqual(self.offered(name + " "), set(below))
                self.assertEqual(self.offered(name + " --"), {name for name in self.options(text) if name.startswith("--")})
        self.assertEqual(self.offered("pake l"), {"lab", "listen"})
        self.assertEqual(self.offered("pake eke c"), {"connect"})
        self.assertEqual(self.offered("pake dial 192.0.2.7 --tr"), {"--trace"})
        self.assertEqual(self.offered("pake listen dial --"), self.offered("pake listen --"))


class Bash(Completion):
    before = ""

    def test_hosts_and_services_of_the_configuration(self):
        self.before = "".join(f"export {name}='{value}'; " for name, value in self.configured().items())
        self.assert_offers_hosts()
        # bash takes an @ for the end of a word, and shows the whole line beside its words.
        self.before += "COMP_LINE='pake connect alice@b' COMP_POINT=20; "
        self.assertEqual(self.offered("pake connect alice @ b"), {"box"})

    def offered(self, line):
        *before, current = line.split(" ")
        script = (self.before + f"compopt() {{ echo compopt $*; }}; source {manual('bash', 'pake')}; complete -p pake >/dev/null\n"
                  f"COMP_WORDS=({' '.join(before)} '{current}') COMP_CWORD={len(before)}; _pake\n"
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        return set(shell("bash", "--norc", "-c", script).splitlines()) - {""}

    def test_offers_what_help_names(self):
        self.assert_offers_all()

    def test_files_where_an_option_takes_one(self):
        self.assertEqual(self.offered("pake dial --trace "), {"compopt -o default"})
        self.assertEqual(self.offered("pake dial --deadline "), set())

    def test_the_words_of_a_choice(self):
        self.assertEqual(self.offered("pake eke listen --mode "), {"gcm", "cbc"})


class Fish(Completion):
    before = ""

    def test_hosts_and_services_of_the_configuration(self):
        self.before = "".join(f"set -x {name} '{value}'; " for name, value in self.configured().items())
        self.assert_offers_hosts()

    def offered(self, line):
        script = self.before + f"source {manual('fish', 'pake.fish')}; complete -C {line!r}"
        return {found.split("\t")[0] for found in shell(needed("fish"), "--no-config", "-c", script).splitlines()}

    def test_offers_what_help_names(self):
        self.assert_offers_all()

    def test_files_where_an_option_takes_one(self):
        name = os.path.basename(self.path("an-odd-name", ""))
        os.chdir(self.directory)
        self.addCleanup(os.chdir, "/")
        self.assertEqual(self.offered("pake dial --trace an-"), {name})
        self.assertEqual(self.offered("pake dial --deadline an-"), set())

    def test_the_words_of_a_choice(self):
        self.assertEqual(self.offered("pake eke listen --mode "), {"gcm", "cbc"})


class Zsh(Completion):
    """zsh completes at a terminal alone; so this types at one, and has every match written into a file."""

    SETUP = r"""
        PS1="<prompt>" fpath=($MANUAL $fpath)
        autoload -U compinit && compinit -u -D
        compadd() {
          builtin compadd "$@"
          local result=$? hits
          [[ " $* " == *" -"[OAD]" "* ]] && return result
          builtin compadd -A hits "$@"
          print -rl -- $hits >>$HITS
          return result
        }
    """

    def setUp(self):
        super().setUp()
        zsh = needed("zsh")
        self.hits = self.path("hits", "")
        setup = self.path("setup", self.SETUP)
        child, self.terminal = pty.fork()
        if child == 0:
            os.execve(zsh, ["zsh", "-f", "-i"], {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": self.directory,
                                                 "MANUAL": manual("zsh"), "HITS": self.hits})
        self.addCleanup(os.waitpid, child, 0)
        self.addCleanup(os.close, self.terminal)
        self.type(f"source {setup}")

    def type(self, text):
        """Types a line and a command behind it; waits for that command's end and a prompt: only there zsh takes keys."""
        os.write(self.terminal, f"{text}\nprint do''ne\n".encode())
        output, end = "", time.monotonic() + PATIENCE
        while not re.search(r"done\r\n(?s:.*)<prompt>", output):
            self.assertTrue(select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0], output)
            output += os.read(self.terminal, 4096).decode()

    def offered(self, line):
        with open(self.hits, "w", encoding="utf-8"):
            pass
        self.type(f"{line}\t\x15")  # a tabulator, then the line is thrown away
        with open(self.hits, encoding="utf-8") as hits:
            return {hit.rstrip("=") for hit in hits.read().split()}

    def test_hosts_and_services_of_the_configuration(self):
        self.type("export " + " ".join(f"{name}='{value}'" for name, value in self.configured().items()))
        self.assertEqual(self.offered("pake forward al"), {"alice@box"})
        self.assertEqual(self.offered("pake connect alice@box w"), {"wiki"})

    def test_offers_what_help_names(self):
        self.assert_offers_all()

    def test_files_where_an_option_takes_one(self):
        os.chdir(self.directory)
        self.addCleanup(os.chdir, "/")
        self.assertIn("setup", self.offered(f"pake dial --trace {self.directory}/se"))
        self.assertEqual(self.offered(f"pake dial --deadline {self.directory}/se"), set())

    def test_the_words_of_a_choice(self):
        self.assertEqual(self.offered("pake eke listen --mode "), {"gcm", "cbc"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
