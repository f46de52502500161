"""`pake eke connect` at a terminal: prompt, editing, history, keys that end it, and the terminal afterwards."""

import os
import pty
import re
import select
import signal
import termios
import time
import unittest

from harness import AUTH_FAILED, CUT_SHORT, OK, PAKE, PATIENCE, Case


class Terminal:
    """A program on a terminal of its own, and a person in front of it."""

    def __init__(self, *args):
        self._master, self._slave = pty.openpty()  # the slave stays open here, so that its modes can be read afterwards
        self.modes_before = termios.tcgetattr(self._slave)
        self._seen = b""
        environment = {k: v for k, v in os.environ.items() if k != "PAKE_PASSWORD"}
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._master)
            os.login_tty(self._slave)
            os.execve(PAKE, [PAKE, *args], environment | {"TERM": "xterm", "LC_ALL": "C.UTF-8"})

    def see(self, pattern):
        """Waits for `pattern` on the screen, behind what has been seen before."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern.encode(), self._seen)):
            assert select.select([self._master], [], [], max(0, deadline - time.monotonic()))[0], \
                f"no {pattern!r} on the screen: {self._seen!r}"
            self._seen += os.read(self._master, 4096)
        self._seen = self._seen[found.end():]
        return found[0].decode()

    def type(self, keys):
        os.write(self._master, keys.encode())

    def modes(self):
        return termios.tcgetattr(self._slave)

    def has(self, flag):
        return bool(self.modes()[3] & flag)

    def send_signal(self, number):
        os.kill(self._pid, number)

    def wait(self):
        """The exit code."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if select.select([self._master], [], [], 0.02)[0]:
                self._seen += os.read(self._master, 4096)
                continue
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end")

    def close(self):
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._master)
        os.close(self._slave)


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
