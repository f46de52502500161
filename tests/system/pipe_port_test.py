"""`pake listen --service` and `pake dial -L`: a port of one side at the other, by a code alone."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

from harness import CUT_SHORT, OK, PATIENCE, PROTOCOL, USAGE, Case, tcp
from terminal import Terminal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "channel"))
import wire  # noqa: E402


class Shouter:
    """Says back in capitals what it is told, to its end."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self.callers = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self._server.accept()[0]
                self.callers += 1
                threading.Thread(target=self._shout, args=(connection,), daemon=True).start()

    @staticmethod
    def _shout(connection):
        with connection, contextlib.suppress(OSError):
            while some := connection.recv(65536):
                connection.sendall(some.upper())

    def close(self):
        self._server.close()


class Ports(Case):
    def offer(self, service, *args):
        listener = self.start("listen", "127.0.0.1:0", "--service", service, *args)
        listener.code_shown = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        listener.address = listener.wait_for(r"pake dial (\S+)\n", "err")[1]
        return listener

    def use(self, listener, *args):
        dialler = self.start("dial", listener.address, "-L", "0", *args, env={"PAKE_CODE": listener.code_shown})
        dialler.port = tcp(dialler.wait_for(r"(\S+) leads to the other side", "err")[1])
        self.assertEqual(dialler.port[0], "127.0.0.1")
        return dialler

    def shouter(self):
        shouter = Shouter()
        self.addCleanup(shouter.close)
        return shouter

    def say(self, port, text):
        with socket.create_connection(port, PATIENCE) as connection:
            threading.Thread(target=self._write, args=(connection, text), daemon=True).start()
            answer = b""
            while some := connection.recv(65536):
                answer += some
            return answer

    @staticmethod
    def _write(connection, text):
        with contextlib.suppress(OSError):
            connection.sendall(text)
            connection.shutdown(socket.SHUT_WR)

    def test_connections_pass_at_once_and_one_after_the_other(self):
        shouter = self.shouter()
        dialler = self.use(self.offer(shouter.address))
        held = socket.create_connection(dialler.port, PATIENCE)  # open while the others come and go
        self.addCleanup(held.close)
        held.sendall(b"first ")
        self.assertEqual(held.recv(6), b"FIRST ")
        for number in range(3):
            self.assertEqual(self.say(dialler.port, b"x" * (number * 100_000)), b"X" * (number * 100_000))
        held.sendall(b"last")
        self.assertEqual(held.recv(4), b"LAST")
        self.assertEqual(shouter.callers, 4)

    def test_either_side_ends_it(self):
        for ends in (signal.SIGINT, signal.SIGTERM):
            listener = self.offer(self.shouter().address)
            dialler = self.use(listener)
            self.assertEqual(self.say(dialler.port, b"a"), b"A")
            self.assertEqual((dialler if ends == signal.SIGINT else listener).stop(ends), 128 + ends)
            other = listener if ends == signal.SIGINT else dialler
            self.assertEqual(other.wait(), CUT_SHORT, other.err)

    def test_a_service_that_is_not_there_resets(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            listener = self.offer("127.0.0.1:%d" % nobody.getsockname()[1])
            dialler = self.use(listener)
            # Nothing is written: a write on another thread would take the error away from the read.
            with socket.create_connection(dialler.port, PATIENCE) as connection, self.assertRaises(ConnectionResetError):
                connection.recv(1)
            listener.wait_for("cannot be reached: ", "err")
            self.assertIsNone(dialler.process.poll())  # it may be there the next time

    def test_nothing_but_the_service_is_reached(self):
        shouter = self.shouter()
        listener = self.offer(shouter.address)
        connection = socket.create_connection(tcp(listener.address), PATIENCE)
        self.addCleanup(connection.close)
        keys, finish = wire.client_handshake(connection, wire.ByCode(listener.code_shown.encode()),
                                             (wire.CHACHA20_POLY1305,))
        pipe = wire.Pipe(connection, keys, True, finish, service=b"pipe")
        record = wire.read_frame(connection, (wire.DATA,), wire.MAX_PLAINTEXT + 16)
        plaintext = pipe.opener.open(record)
        self.assertIn(bytes([wire.RESET]) + (1).to_bytes(3, "big") + (1).to_bytes(4, "big"), plaintext)
        self.assertEqual(shouter.callers, 0)

    def test_the_other_side_wants_another_thing(self):
        listener = self.start("listen", "127.0.0.1:0", stdin=subprocess.PIPE)
        listener.code_shown = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        listener.address = listener.wait_for(r"pake dial (\S+)\n", "err")[1]
        dialler = self.use(listener)
        with contextlib.suppress(ConnectionResetError):
            self.say(dialler.port, b"x")
        self.assertEqual(listener.wait(), PROTOCOL, listener.err)
        self.assertNotEqual(dialler.wait(), OK)

    def test_words_that_do_not_go_together(self):
        for words in (("listen", "--service", "127.0.0.1:1", "--export", "x"), ("dial", "-L", "1:wiki"),
                      ("dial", "-L", "1", "--export", "x"), ("listen", "--service", "127.0.0.1:0"), ("listen", "--qr")):
            with self.subTest(words):
                program = self.run_pake(*words, env={"PAKE_CODE": "copper-copper-11"}, has_terminal=False)
                self.assertEqual(program.code, USAGE, program.err)


MASKS = (lambda r, c: (r + c) % 2, lambda r, c: r % 2, lambda r, c: c % 3, lambda r, c: (r + c) % 3,
         lambda r, c: (r // 2 + c // 3) % 2, lambda r, c: r * c % 2 + r * c % 3, lambda r, c: (r * c % 2 + r * c % 3) % 2,
         lambda r, c: ((r + c) % 2 + r * c % 3) % 2)


def read_qr(modules):
    """The text of a QR code of version 1 to 3 in bytes (ISO/IEC 18004), errors not corrected."""
    size = len(modules)
    version = (size - 17) // 4
    mask = MASKS[(modules[8][2] << 2 | modules[8][3] << 1 | modules[8][4]) ^ 0b101]

    def is_data(row, column):
        finders = (row < 9 and (column < 9 or column >= size - 8)) or (row >= size - 8 and column < 9)
        alignment = version > 1 and abs(row - (size - 7)) <= 2 and abs(column - (size - 7)) <= 2
        return not (finders or alignment or row == 6 or column == 6)

    bits, upwards = [], True
    for right in [*range(size - 1, 6, -2), 5, 3, 1]:
        for row in (range(size - 1, -1, -1) if upwards else range(size)):
            bits += [modules[row][column] ^ (mask(row, column) == 0)
                     for column in (right, right - 1) if is_data(row, column)]
        upwards = not upwards

    def number(at, count):
        return int("".join(str(int(bit)) for bit in bits[at:at + count]), 2)

    assert number(0, 4) == 4, "not in bytes"
    return bytes(number(12 + 8 * i, 8) for i in range(number(4, 8))).decode()


class Qr(Case):
    def test_the_code_is_drawn_on_a_terminal(self):
        for words in (("listen", "127.0.0.1:0", "--qr"), ("send", "--listen", "127.0.0.1:0", "--qr", self.path("a", "a"))):
            terminal = Terminal(*words)
            code = terminal.see(r"the code is  \S+").split()[-1]
            lines = terminal.see(r"(?:\x1b\[30;107m[^\x1b]*\x1b\[0m\r\n)+").split("\r\n")[:-1]
            rows = []
            for line in lines:
                cells = line.removeprefix("\x1b[30;107m").removesuffix("\x1b[0m")
                rows += [[cell in "\u2588\u2580" for cell in cells], [cell in "\u2588\u2584" for cell in cells]]
            modules = [row[2:-2] for row in rows[2:2 + len(rows[0]) - 4]]
            self.assertEqual(read_qr(modules), code)
            terminal.close()


if __name__ == "__main__":
    unittest.main()
