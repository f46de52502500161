"""A terminal with the real `pake` on it, for tests that type."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from harness import PAKE, PATIENCE, as_shells_say


class Terminal:
    """A program on a terminal of its own, and a person in front of it."""

    def __init__(self, *args, stdin=None, stdout=None, env=None, columns=80):
        """`stdin` is a file that takes the keyboard's place; what asks the terminal itself still finds it. `stdout` likewise."""
        self._master, self._slave = pty.openpty()  # the slave stays open here, so that its modes can be read afterwards
        self.resize(columns)
        self.modes_before = termios.tcgetattr(self._slave)
        self._seen = b""
        environment = {k: v for k, v in os.environ.items() if k not in ("PAKE_PASSWORD", "PAKE_NEW_PASSWORD", "PAKE_CODE")}
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._master)
            os.login_tty(self._slave)
            if stdin is not None:
                os.dup2(stdin.fileno(), 0)
            if stdout is not None:
                os.dup2(stdout.fileno(), 1)
            os.execve(PAKE, [PAKE, *args], environment | {"TERM": "xterm", "LC_ALL": "C.UTF-8"} | (env or {}))

    def see(self, pattern):
        """Waits for `pattern` on the screen, behind what has been seen before."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern.encode(), self._seen)):
            assert select.select([self._master], [], [], max(0, deadline - time.monotonic()))[0], \
                f"no {pattern!r} on the screen: {self._seen!r}"
            self._seen += self._read()
        self._seen = self._seen[found.end():]
        return found[0].decode()

    def _read(self):
        return os.read(self._master, 4096)

    def resize(self, columns, rows=24):
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self._master, keys if isinstance(keys, bytes) else keys.encode())

    def paste(self, keys):
        """Types what fits, and lets the screen be drawn, for a moment."""
        readable, writable, _ = select.select([self._master], [self._master], [], 0.002)
        if readable:
            self._seen += os.read(self._master, 4096)
        if writable:
            self.type(keys)

    def modes(self):
        return termios.tcgetattr(self._slave)

    def has(self, flag):
        return bool(self.modes()[3] & flag)

    def send_signal(self, number):
        os.kill(self._pid, number)

    def wait(self):
        """The exit code, once it has ended by itself."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if select.select([self._master], [], [], 0.02)[0]:
                self._seen += self._read()
                continue
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._pid = 0
                assert not re.search(b"Sanitizer|runtime error", self._seen), self._seen.decode()
                return as_shells_say(os.waitstatus_to_exitcode(status))
        raise AssertionError("it does not end")

    def close(self):
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._master)
        os.close(self._slave)
