"""`pake listen` and `pake dial` against peers that mean harm: who cuts, who floods, who stays silent, who holds the answer.

The peers stand on the channel's independent implementation (tests/interop/channel/wire.py)."""

import contextlib
import os
import random
import re
import signal
import socket
import sys
import time
import unittest

from harness import AUTH_FAILED, CUT_SHORT, OK, PAKE, USAGE, reset, tcp
from flood import Flood, raise_file_limit
from pipe_terminal_test import AtTerminals
from pipe_test import THROTTLED, Pipe

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "channel"))
import wire  # noqa: E402

FULL = bool(os.environ.get("PAKE_FULL"))
RUNS = int(os.environ.get("PAKE_PIPE_RUNS", 20))  # scripts/soak has hundreds


def shake_hands(address, code, aeads=(wire.CHACHA20_POLY1305,)):
    """A connection to a listener that has its ServerHello; the keys, and the finish that is not sent yet."""
    connection = socket.create_connection(tcp(address))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection, *wire.client_handshake(connection, wire.ByCode(code.encode()), aeads)


class Cut(AtTerminals):
    """The listener sits at a terminal, into which lines are pasted."""

    def test_lines_that_are_typed_while_the_channel_ends_reach_nobody(self):
        seed = int.from_bytes(os.urandom(4), "big")
        choice = random.Random(seed)
        for number in range(RUNS):
            with self.subTest(seed=seed, number=number):
                host = self.terminal("listen", "127.0.0.1:0")
                code = re.search(r"the code is  (\S+)", host.see(r"the code is  \S+\r\n"))[1]
                address = host.see(r"127\.0\.0\.1:[0-9]+\r\n").strip()
                connection, keys, finish = shake_hands(address, code)
                host.type("pasted\r" * 400)
                wire.Pipe(connection, keys, True, finish)
                cut_at = time.monotonic() + choice.uniform(0.02, 0.14)
                while time.monotonic() < cut_at:
                    host.paste("pasted\r" * 10)
                reset(connection)
                self.assertEqual(host.wait(), CUT_SHORT)


def hello_of(client):
    return wire.make_hello(client, os.urandom(32), (wire.CHACHA20_POLY1305,), list(client.suites), b"", b"")


class Floods(Pipe):
    """Law 7 of the wire: a stranger's connections never keep anybody out."""

    def setUp(self):
        super().setUp()
        raise_file_limit()

    def listener(self, files=None):
        limited = {"program": "/usr/bin/prlimit"} if files else {}
        words = (f"--nofile={files}:{files}", PAKE) if files else ()
        host = self.start(*words, "listen", "127.0.0.1:0", **limited)
        host.code_shown = host.wait_for(r"the code is  (\S+)\n", "err")[1]
        host.address = host.wait_for(r"pake dial (127\.0\.0\.1:[0-9]+)\n", "err")[1]
        return host

    def is_let_in(self, files=None):
        """The time that an honest caller took, against 3,000 silent connections and 500 new ones a second."""
        host = self.listener(files)
        with Flood(host.address, 3000, 500):
            began = time.monotonic()
            caller = self.dial(host.address, host.code_shown)
            caller.wait_for("connected: ", "err")
            took = time.monotonic() - began
            self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        self.assertLessEqual(host.err.count("turned away"), 1)
        return took

    def test_an_honest_caller_is_let_in(self):
        runs = 20 if FULL else 3
        took = [self.is_let_in(files) for files in (None, 1024, 40) for _ in range(runs)]
        print(f"{max(took):.2f} s at most", file=sys.stderr)
        self.assertLess(max(took), 2 if FULL else 20)

    def test_the_cap_holds(self):
        host = self.listener()
        before = host.open_files()
        most = 0
        with Flood(host.address, 1000, 2000):
            end = time.monotonic() + 1
            while time.monotonic() < end:
                most = max(most, host.open_files() - before)
        self.assertLessEqual(most, 64 + 16, "connections held at once")
        self.assertGreater(most, 32, "it accepts")


class Answers(Pipe):
    """Who may hold the one answer."""

    def stopped(self, host):
        """The listener stands still, so that what is sent meanwhile arrives in one turn."""
        @contextlib.contextmanager
        def stop():
            host.process.send_signal(signal.SIGSTOP)
            yield
            time.sleep(0.05)
            host.process.send_signal(signal.SIGCONT)
        return stop()

    def test_who_has_gone_already_is_not_answered(self):
        host = self.host()
        with self.stopped(host):
            stranger = socket.create_connection(tcp(host.address))
            stranger.sendall(hello_of(wire.ByCode(b"copper-copper-11")))
            stranger.shutdown(socket.SHUT_WR)
        self.assertNotIn(stranger.recv(4096)[:1], (b"\x03",), "no ServerHello")
        stranger.close()
        caller = self.dial(host.address, host.code_shown)
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)

    def test_nobody_is_answered_in_the_turn_of_the_right_finish(self):
        for number in range(5):
            with self.subTest(number=number):
                host = self.host()
                strangers = [socket.create_connection(tcp(host.address)) for _ in range(8)]
                connection, keys, finish = shake_hands(host.address, host.code_shown)
                strangers += [socket.create_connection(tcp(host.address)) for _ in range(8)]
                time.sleep(0.1)
                with self.stopped(host):
                    for stranger in strangers[:8]:
                        stranger.sendall(hello_of(wire.ByCode(b"copper-copper-11")))
                    connection.sendall(finish)
                    for stranger in strangers[8:]:
                        stranger.sendall(hello_of(wire.ByCode(b"copper-copper-11")))
                host.wait_for("connected: ", "err")
                for stranger in strangers:
                    with stranger, contextlib.suppress(ConnectionError):
                        self.assertNotEqual(stranger.recv(4096)[:1], b"\x03", "no ServerHello")
                connection.close()

    def test_who_is_answered_has_ten_seconds(self):
        host = self.host()
        began = time.monotonic()
        connection, _, _ = shake_hands(host.address, host.code_shown)
        second = self.dial(host.address, host.code_shown)
        self.assertEqual(second.wait(), THROTTLED)
        self.assertIn("error: somebody else is trying this code: ask for a new one\n", second.err)
        self.assertEqual(host.wait(), AUTH_FAILED)
        self.assertTrue(9 < time.monotonic() - began < 40)
        connection.close()

    def test_tries(self):
        for wrong, tries, code in ((0, 2, OK), (1, 2, OK), (2, 2, AUTH_FAILED), (4, 5, OK), (5, 5, AUTH_FAILED)):
            with self.subTest(wrong=wrong, tries=tries):
                host = self.host("--tries", str(tries))
                for _ in range(wrong):
                    self.assertEqual(self.dial(host.address, "copper-copper-11").wait(), AUTH_FAILED)
                if code == OK:
                    self.assertEqual(host.err.count("note: somebody tried a wrong code"), wrong)
                    self.assertEqual(self.dial(host.address, host.code_shown).wait(), OK)
                self.assertEqual(host.wait(), code, host.err)

    def test_one_more_try_lets_the_owner_in_while_a_stranger_holds_one(self):
        host = self.host("--tries", "2")
        connection, _, _ = shake_hands(host.address, host.code_shown)
        caller = self.dial(host.address, host.code_shown)
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        connection.close()

    def test_more_tries_than_five_are_refused(self):
        for number in ("0", "6", "x"):
            self.assertEqual(self.run_pake("listen", "127.0.0.1:0", "--tries", number).code, USAGE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
