"""`pake listen` and `pake dial` at terminals: the code's prompt, two people who type, and the terminals afterwards."""

import re
import signal
import socket
import subprocess
import termios
import unittest

from harness import AUTH_FAILED, CUT_SHORT, FAILED, OK, USAGE
from pipe_test import Pipe
from screen import Screen
from terminal import Terminal


class AtTerminals(Pipe):
    def terminal(self, *args, **how):
        terminal = Terminal(*args, **how)
        self.addCleanup(terminal.close)
        return terminal

    def asked(self, host, *args, **how):
        """A `pake dial` that waits for the code of `host`."""
        caller = self.terminal("dial", host.address, *args, **how)
        caller.see("Code: ")
        return caller

    def assert_sane_end(self, terminal, code):
        self.assertEqual(terminal.wait(), code)
        self.assertEqual(terminal.modes(), terminal.modes_before, "the terminal is as it was")


class Prompt(AtTerminals):
    def test_the_code_is_shown_as_it_is_typed(self):
        with open("/dev/null") as nothing:
            host = self.host(stdin=subprocess.PIPE)
            caller = self.asked(host, stdin=nothing)
            self.assertTrue(caller.has(termios.ECHO))
            caller.type(host.code_shown)
            caller.see(host.code_shown)
            caller.type("\r")
            caller.see("connected: both sides know the code\r\n")
            self.assertEqual(host.wait(), OK)
            self.assert_sane_end(caller, OK)

    def test_hidden_it_is_not_and_the_echo_is_back_behind_it(self):
        with open("/dev/null") as nothing:
            host = self.host(stdin=subprocess.PIPE)
            caller = self.asked(host, "--hide", stdin=nothing)
            self.assertFalse(caller.has(termios.ECHO))
            caller.type(host.code_shown[:-1] + "x\x7f" + host.code_shown[-1:] + "\r")
            shown = caller.see("(?s).*connected: both sides know the code\r\n")
            self.assertNotIn(host.code_shown.split("-")[0], shown)
            self.assertEqual(caller.modes(), caller.modes_before)
            self.assertEqual(host.wait(), OK)
            self.assert_sane_end(caller, OK)

    def test_signals_restore_the_echo_and_cost_nothing(self):
        host = self.host()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            caller = self.asked(host, "--hide")
            self.assertFalse(caller.has(termios.ECHO))
            if number == signal.SIGINT:
                caller.type(host.code_shown + "\x03")
            elif number == signal.SIGQUIT:
                caller.type("\x1c")
            else:
                caller.send_signal(number)
            self.assert_sane_end(caller, 128 + number)
        caller = self.dial(host.address, host.code_shown)
        self.assertEqual((caller.wait(), host.wait()), (OK, OK))

    def test_nothing_typed_ends_it_and_costs_nothing(self):
        host = self.host()
        for typed in ("\r", "\x04"):
            with self.subTest(typed=typed):
                caller = self.asked(host)
                caller.type(typed)
                caller.see("error: no code was typed\r\n")
                self.assert_sane_end(caller, FAILED)
        caller = self.dial(host.address, host.code_shown)
        self.assertEqual((caller.wait(), host.wait()), (OK, OK))

    def test_a_misspelt_word_asks_again_and_costs_nothing(self):
        with open("/dev/null") as nothing:
            host = self.host(stdin=subprocess.PIPE)
            caller = self.asked(host, stdin=nothing)
            for typed in ("copper\r", "coppr-copper-11\r"):
                caller.type(typed)
                caller.see("error: this is not a code")
                caller.see("nothing was sent\r\n")
                caller.see("Code: ")
            caller.type(host.code_shown + "\r")
            caller.see("connected: ")
            self.assertEqual(host.wait(), OK)
            self.assert_sane_end(caller, OK)

    def test_an_option_to_ask_wins_over_an_old_variable(self):
        with open("/dev/null") as nothing:
            host = self.host(stdin=subprocess.PIPE)
            for option in ("--code-prompt", "--password-prompt"):
                caller = self.asked(host, option, stdin=nothing, env={"PAKE_CODE": "copper-copper-11",
                                                                      "PAKE_PASSWORD": "copper-copper-11"})
                caller.type("\x03")
                self.assert_sane_end(caller, 128 + signal.SIGINT)

    def test_the_listener_can_be_interrupted_while_it_waits(self):
        host = self.terminal("listen", "127.0.0.1:0")
        host.see("pake dial ")
        host.type("\x03")
        self.assert_sane_end(host, 128 + signal.SIGINT)


class Talk(AtTerminals):
    """Two people, each at a terminal."""

    def setUp(self):
        super().setUp()
        self.host = self.terminal("listen", "127.0.0.1:0")
        code = re.search(r"the code is  (\S+)", self.host.see(r"the code is  \S+\r\n"))[1]
        self.caller = self.terminal("dial", self.host.see(r"127\.0\.0\.1:[0-9]+\r\n").strip())
        self.caller.see("Code: ")
        self.caller.type(code + "\r")
        for side in (self.host, self.caller):
            side.see("connected: ")
            side.see("> ")

    def say(self, speaker, keys, heard):
        speaker.type(keys + "\r")
        (self.host if speaker is self.caller else self.caller).see(re.escape(heard) + "\r\n")
        speaker.see("> ")

    def test_lines_with_editing_and_history(self):
        self.say(self.caller, "hellx\x7fo", "hello")
        self.say(self.host, "orld\x01w", "world")
        self.say(self.caller, "grüße 日本", "grüße 日本")
        self.say(self.caller, "\x1b[A\x1b[A", "hello")

    def test_what_comes_stands_above_the_line_being_typed(self):
        for text in ("first", "second"):
            self.host.type("half a li\x1b[D")
            self.host.see("half a li")
            self.caller.type(text + "\r")
            self.host.see(f"{text}\r\n")
            self.host.see("> half a li")
            self.say(self.host, "\x05ne", "half a line")
            self.caller.see("> ")  # its own again

    def test_each_ends_its_own_half(self):
        self.caller.type("half a li\x15\x04")  # the line is killed: at its start the key is the end
        self.say(self.host, "are you there?", "are you there?")
        self.say(self.host, "well then", "well then")
        self.host.type("\x04")
        self.assert_sane_end(self.host, OK)
        self.assert_sane_end(self.caller, OK)

    def test_an_interrupt_is_a_cut_to_the_other_side(self):
        self.caller.type("half a li\x03")
        self.assert_sane_end(self.caller, 128 + signal.SIGINT)
        self.host.see("error: ")
        self.assert_sane_end(self.host, CUT_SHORT)

    def test_an_interrupt_still_counts_after_the_end_of_input(self):
        self.host.type("\x04")
        self.say(self.caller, "bye", "bye")
        self.host.type("\x03")
        self.assert_sane_end(self.host, 128 + signal.SIGINT)
        self.caller.see("error: ")
        self.assert_sane_end(self.caller, CUT_SHORT)

    def test_a_side_that_vanishes_is_noticed(self):
        self.host.type("half a li")
        self.caller.send_signal(signal.SIGKILL)
        self.host.see("error: ")
        self.assert_sane_end(self.host, CUT_SHORT)


class Mixed(AtTerminals):
    """A terminal on one side, pipes on the other."""

    def connected(self):
        host = self.host(stdin=subprocess.PIPE)
        caller = self.asked(host)
        caller.type(host.code_shown + "\r")
        caller.see("connected: ")
        caller.see("> ")
        return host, caller

    def test_the_terminal_ends_its_half_and_hears_on(self):
        host, caller = self.connected()
        caller.type("the last line\r\x04")
        host.wait_for("^the last line\n$")
        host.wait_for_end_of_output()  # the half-close
        host.write("still heard\n")
        caller.see("still heard\r\n")
        host.write("without an end of line")
        self.assertEqual(host.wait(), OK)
        caller.see("without an end of line")
        self.assert_sane_end(caller, OK)

    def test_what_would_drive_the_terminal_is_spelled_out(self):
        host, caller = self.connected()
        evil = "a\x1b]0;title\x07b\x1b[2Jc\rd\x9b31me\x7ff\u202eg"
        host.process.stdin.write(evil.encode() + b"\xff\x1b\n")
        host.process.stdin.flush()
        shown = caller.see("a[^\n]*\n")
        self.assertNotRegex(shown.removesuffix("\r\n"), "[\x00-\x1f\x7f-\x9f\u202e]")
        for spelling in (r"\x1b]0;title", r"\x07b", r"\x1b[2Jc", r"\rd", r"31me"):
            self.assertIn(spelling, shown)
        caller.type("\x04")
        self.assertEqual(host.wait(), OK)
        self.assert_sane_end(caller, OK)

    def test_the_same_bytes_reach_a_pipe_as_they_are(self):
        host, caller = self.connected()
        caller.type("\x16\x1b[2J\r\x04")  # quoted: libedit takes the key as it is
        host.wait_for("^\x1b\\[2J\n$")
        self.assertEqual(host.wait(), OK)
        self.assert_sane_end(caller, OK)


class Rows(AtTerminals):
    """What stands on the screen: one side at a terminal that is drawn, the other behind pipes."""

    def setUp(self):
        super().setUp()
        self.host = super().host(stdin=subprocess.PIPE)

    def connected(self, columns=40, **how):
        screen = Screen("dial", self.host.address, columns=columns, **how)
        self.addCleanup(screen.close)
        screen.see("Code: ")
        screen.type(self.host.code_shown + "\r")
        screen.see("> ")
        return screen

    def end(self, screen):
        screen.type("\x15\x04")
        self.assertEqual(self.host.wait(), OK)
        self.assert_sane_end(screen, OK)

    def test_a_line_of_the_other_side_carries_a_mark(self):
        screen = self.connected()
        self.host.write("error: this is not ours\n> nor this\n")
        screen.wait_for_rows("| error: this is not ours", "| > nor this", ">")
        self.end(screen)

    def test_a_wrapped_line_stays_whole_below_what_comes(self):
        screen = self.connected()
        for text in ("x" * 30 + "y" * 30, "日本" * 25, "a\tb" * 12, "x" * 38, "x" * 78, "x" * 79):
            for left in (0, 25):
                with self.subTest(text=text, left=left):
                    screen.type(text + "\x1b[D" * left)
                    screen.settle()
                    before, rows_before = screen.drawn(), screen.rows()
                    self.host.write("first\n")
                    screen.wait_for(lambda rows: "| first" in rows)
                    screen.wait_for(lambda rows: screen.drawn() == before)
                    screen.settle()
                    self.assertEqual(len(screen.rows()), 1 + len(rows_before), screen.rows())
                    screen.type("\x15\x0b\x0c")  # killed, both ways; the screen is cleared
                    screen.wait_for(lambda rows: rows == [">"])
        self.end(screen)

    def test_a_resized_line_is_drawn_once(self):
        for columns, wider in ((40, 70), (70, 40), (40, 20), (20, 100)):
            with self.subTest(columns=columns, then=wider):
                self.host = super().host(stdin=subprocess.PIPE)
                screen = self.connected(columns)
                self.host.write("before\n")
                screen.wait_for_rows("| before", ">")
                text = "".join(chr(ord("a") + i % 26) for i in range(60))
                screen.type(text)
                screen.wait_for(lambda rows: screen.drawn() == "> " + text)
                screen.resize(wider)
                screen.wait_for(lambda rows: screen.drawn() == "> " + text and rows.count("| before") == 1
                                and len(rows[rows.index("| before"):]) == 1 + -(-62 // wider))
                self.host.write("after\n")
                screen.wait_for(lambda rows: "| after" in rows and screen.drawn() == "> " + text)
                self.assertEqual(len([row for row in screen.rows() if row.startswith("> ")]), 1, screen.rows())
                self.end(screen)

    def test_a_terminal_that_wraps_old_rows_anew_says_where_its_cursor_is(self):
        for answer, rows_up in (("\x1b[5;63R", 0), ("\x1b[5;23R", 1)):  # it has wrapped them anew, or cut them off
            with self.subTest(answer=answer):
                self.host = super().host(stdin=subprocess.PIPE)
                caller = self.terminal("dial", self.host.address, columns=40)
                caller.see("Code: ")
                caller.type(self.host.code_shown + "\r")
                caller.see("> ")
                caller.type("x" * 59 + "y")
                caller.see("y$")  # all of it is drawn
                caller.resize(70)
                caller.see(r"\x1b\[6n")
                caller.type("a" + answer + "b\r")
                drawn = caller.see(r"(?s).*> x{59}y")
                self.assertEqual(drawn.count("\x1b[A"), rows_up, repr(drawn))
                self.host.wait_for("x{59}yab\n")
                self.end(caller)

    def test_any_locale_and_any_byte_passes(self):
        for locale in ("C", "POSIX", "", "C.UTF-8", "no_SUCH.locale"):
            with self.subTest(locale=locale):
                self.host = super().host(stdin=subprocess.PIPE)
                caller = self.terminal("dial", self.host.address, env={"LC_ALL": locale, "LANG": locale})
                caller.see("Code: ")
                caller.type(self.host.code_shown + "\r")
                caller.see("> ")
                caller.type("grüße 日本\r")
                self.host.wait_for("grüße 日本\n")
                caller.type(b"gr\xfc\xdfe\r")
                self.host.wait_for("gr\udcfc\udcdfe\n")
                caller.type("a\tb\r")
                self.host.wait_for("a\tb\n")
                self.end(caller)


class OneWay(AtTerminals):
    """A file for one direction, a person at the other end."""

    def test_a_side_with_a_file_for_stdout_ends_with_the_other_side(self):
        content = b"a photo\0" * 50_000
        with open(self.path("photo", ""), "wb") as photo:
            photo.write(content)
        with open(self.path("photo"), "rb") as photo, open(self.path("copy"), "wb") as copy:
            host = self.host(stdin=photo)
            caller = self.asked(host, stdout=copy)
            caller.type(host.code_shown + "\r")
            self.assertEqual(host.wait(), OK)
            self.assert_sane_end(caller, OK)
        with open(self.path("copy"), "rb") as copy:
            self.assertEqual(copy.read(), content)

    def test_what_was_typed_before_arrives(self):
        with open(self.path("copy"), "wb") as copy:
            host = self.host(stdin=subprocess.PIPE)
            caller = self.asked(host, stdout=copy)
            caller.type(host.code_shown + "\r")
            caller.see("> ")
            caller.type("thank you\r")
            host.wait_for("thank you\n")
            self.assertEqual(host.wait(), OK)
            self.assert_sane_end(caller, OK)

    def test_a_person_is_told_that_the_other_side_has_ended(self):
        host = self.host()
        caller = self.asked(host)
        caller.type(host.code_shown + "\r")
        caller.see("note: the other side has ended; Ctrl-D ends this side too\r\n")
        caller.see("> ")
        caller.type("\x04")
        self.assertEqual(host.wait(), OK)
        self.assert_sane_end(caller, OK)


class Listening(AtTerminals):
    """How the other machine is reached."""

    def test_plain_it_says_how_to_let_other_machines_in(self):
        try:
            with socket.create_server(("127.0.0.1", 8088)):
                pass
        except OSError:
            self.skipTest("somebody listens on port 8088 of this machine")
        host = self.start("listen")
        host.wait_for(r"\Athe code is  \S+\non the other side:  pake dial 127\.0\.0\.1:8088\n"
                      r"note: only programs on this machine reach this address\n"
                      r"hint: `pake listen 8088` lets other machines in; they type: pake dial \S+:8088\n", "err")

    def test_a_port_alone_is_every_interface(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        for typed in (f":{port}", f"{port}"):
            host = self.start("listen", typed)
            code = host.wait_for(r"\Athe code is  (\S+)\non the other side:  pake dial \S+:%d\n" % port, "err")[1]
            caller = self.start("dial", f"127.0.0.1:{port}", env={"PAKE_CODE": code})
            self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)


class Sources(AtTerminals):
    """Where the code may come from, beside the prompt and PAKE_PASSWORD."""

    def test_a_file_and_a_descriptor(self):
        for end_of_line in ("", "\n", "\r\n"):
            for option in ("--code-file", "--code-fd", "--password-file", "--password-fd"):
                with self.subTest(option=option, end_of_line=end_of_line):
                    host = self.host()
                    path = self.path("code", host.code_shown + end_of_line)
                    with open(path) as file:
                        where = path if option.endswith("-file") else str(file.fileno())
                        caller = self.start("dial", host.address, option, where, pass_fds=(file.fileno(),))
                        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err)

    def test_an_option_is_taken_before_the_variable_and_the_terminal(self):
        host = self.host()
        caller = self.start("dial", host.address, "--password-file", self.path("code", host.code_shown),
                            env={"PAKE_PASSWORD": "copper-copper-11"})
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err)

    def test_both_variables(self):
        for name in ("PAKE_CODE", "PAKE_PASSWORD"):
            host = self.host()
            caller = self.start("dial", host.address, env={name: host.code_shown})
            self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err)

    def test_what_is_wrong_names_its_source(self):
        for name in ("PAKE_CODE", "PAKE_PASSWORD"):
            caller = self.start("dial", "127.0.0.1:1", env={name: "copper"})
            self.assertEqual(caller.wait(), USAGE)
            self.assertIn(f"error: what {name} gives is not a code", caller.err)
        host = self.host()
        caller = self.start("dial", host.address, env={"PAKE_CODE": "copper-copper-11"})
        self.assertEqual(caller.wait(), AUTH_FAILED)
        for side in (host, caller):
            side.wait_for("error: wrong code, or somebody is in between\n", "err")
        self.assertRegex(caller.err, "hint: .*PAKE_CODE")

    def test_a_file_that_is_not_there(self):
        caller = self.start("dial", "127.0.0.1:1", "--password-file", self.path("absent"))
        self.assertEqual(caller.wait(), FAILED)
        self.assertRegex(caller.err, "error: cannot open .*: No such file")

    def test_in_argv_it_is_refused_and_not_repeated(self):
        for words in (("copper-copper-11",), ("--password", "copper-copper-11"), ("-p", "copper-copper-11"),
                      ("--password=copper-copper-11",)):
            with self.subTest(words):
                caller = self.start("dial", "127.0.0.1:1", *words)
                self.assertEqual(caller.wait(), USAGE)
                self.assertIn("hint: use --code-file", caller.err)
                self.assertNotIn("copper", caller.err)

    def test_the_variable_does_not_stay_in_the_environment(self):
        host = self.host()
        caller = self.dial(host.address, host.code_shown, stdin=subprocess.PIPE)
        caller.wait_for("connected", "err")
        with open(f"/proc/{caller.process.pid}/environ", "rb") as environment:
            self.assertNotIn(host.code_shown.encode(), environment.read())
        self.assertEqual((caller.wait(), host.wait()), (OK, OK))


if __name__ == "__main__":
    unittest.main(verbosity=2)
