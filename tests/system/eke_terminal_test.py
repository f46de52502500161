"""`pake eke connect` at a terminal: prompt, editing, history, keys that end it, and the terminal afterwards."""

import re
import signal
import termios
import unittest

from harness import AUTH_FAILED, CUT_SHORT, OK, Case
from terminal import Terminal


class Prompt(Case):
    def setUp(self):
        super().setUp()
        self.listener = self.listen()
        self.terminal = Terminal("eke", "connect", self.listener.address)
        self.addCleanup(self.terminal.close)
        self.terminal.see("Authentication success\r\n")
        self.terminal.see("> ")

    def say(self, keys, answer):
        self.terminal.type(keys + "\r")
        self.terminal.see(re.escape(f"Server say: {answer}\r\n"))
        self.terminal.see("> ")

    def assert_sane_end(self, code):
        self.assertEqual(self.terminal.wait(), code)
        self.assertEqual(self.terminal.modes(), self.terminal.modes_before, "the terminal is as it was")

    def test_editing_and_history(self):
        self.say("hello", "receive hello")
        self.say("hellx\x7fo", "receive hello")
        self.say("orld\x01w", "receive world")
        self.say("\x1b[A\x1b[A", "receive hello")
        self.say("grüße 日本", "receive grüße 日本")
        self.terminal.type("quit\r")
        self.assert_sane_end(OK)
        self.listener.wait_for("User server say: world\n(?s:.*)User server quit!\n")

    def test_an_empty_line_asks_again(self):
        self.terminal.type("\r")
        self.terminal.see("> ")
        self.say("hello", "receive hello")

    def test_a_line_too_long_is_refused_and_the_session_goes_on(self):
        self.terminal.type("x" * 1017 + "\r")
        self.terminal.see("error: a line of 1017 bytes was not sent")
        self.say("hello", "receive hello")
        self.terminal.type("\x04")
        self.assert_sane_end(OK)

    def test_end_of_input(self):
        self.terminal.type("\x04")
        self.assert_sane_end(OK)
        self.listener.wait_for("User server quit!\n")

    def test_interrupt(self):
        self.terminal.type("half a li\x03")
        self.assert_sane_end(128 + signal.SIGINT)
        self.listener.wait_for("User Abnormal Exit\n")

    def test_terminate(self):
        self.terminal.send_signal(signal.SIGTERM)
        self.assert_sane_end(128 + signal.SIGTERM)

    def test_a_listener_that_vanishes_is_noticed(self):
        self.terminal.type("half a li")
        self.listener.stop(signal.SIGKILL)
        self.terminal.see("error: 127.0.0.1:[0-9]+: the peer")
        self.assert_sane_end(CUT_SHORT)


class Password(Case):
    def ask(self):
        self.listener = self.listen(env={"PAKE_PASSWORD": "swordfish"})
        self.terminal = Terminal("eke", "connect", self.listener.address, "--password-prompt")
        self.addCleanup(self.terminal.close)
        self.terminal.see("Password: ")
        self.assertFalse(self.terminal.has(termios.ECHO))

    def test_it_is_not_shown(self):
        self.ask()
        self.terminal.type("swordfisj\x7fh\r")
        shown = self.terminal.see("(?s).*> ")
        self.assertIn("Authentication success", shown)
        self.assertNotIn("swordf", shown)
        self.terminal.type("quit\r")
        self.assertEqual(self.terminal.wait(), OK)

    def test_a_wrong_one(self):
        self.ask()
        self.terminal.type("another\r")
        self.assertEqual(self.terminal.wait(), AUTH_FAILED)

    def test_signals_restore_the_echo(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.ask()
            if number == signal.SIGINT:
                self.terminal.type("swo\x03")
            else:
                self.terminal.send_signal(number)
            self.assertEqual(self.terminal.wait(), 128 + number)
            self.assertEqual(self.terminal.modes(), self.terminal.modes_before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
