"""What the tests of `pake send` and `pake receive` share: both programs, and a peer that says what it likes."""

import contextlib
import hashlib
import os
import random
import socket
import struct
import sys
import threading

from harness import PATIENCE, Case, tcp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "channel"))
import wire  # noqa: E402

OFFER, ENTRIES, PREFIX, DATA, HOLE, END, UNREADABLE = 1, 2, 3, 4, 5, 6, 7
ACCEPT, DECLINE, ASK, FETCH, RESULT = 0x10, 0x11, 0x12, 0x13, 0x14
FILE, FOLDER, STREAM, TEXT = 1, 2, 3, 4
VERSION = b"\x02"
LEAF = 16_384
NO_SUCH_SERVICE = b"\x01"


def answer_as_an_impostor(listener, answered):
    """Until the listener is closed: whoever connects meets another code, and `answered` gets the listener's address."""
    with contextlib.suppress(OSError):
        while True:
            connection = listener.accept()[0]
            answered.append(listener.getsockname())
            with connection, contextlib.suppress(Exception):
                connection.settimeout(PATIENCE)
                wire.server_handshake(connection, wire.CodeHost(b"copper-copper-12"), (wire.CHACHA20_POLY1305,))


def data(size, seed=0):
    return random.Random(size + seed).randbytes(size)


def tree_hash(content):
    """docs/files.md, section 2."""
    leaves = [hashlib.sha256(content[at:at + LEAF]).digest() for at in range(0, len(content), LEAF)]
    return hashlib.sha256(b"".join(leaves) + struct.pack(">Q", len(content))).digest()


def message(kind, body=b""):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def entry(path, size=0, kind=FILE, mode=0, modified=1_600_000_000, nanoseconds=0):
    path = path.encode() if isinstance(path, str) else path
    return struct.pack(">BBQqIH", kind, mode, size, modified, nanoseconds, len(path)) + path


def offer(entries, total, count=None):
    return (message(OFFER, VERSION + struct.pack(">IQ", len(entries) if count is None else count, total)) +
            b"".join(message(ENTRIES, one) for one in entries))


class Inbox:
    """Collects what the pipe hands over, and gives messages back one at a time."""

    def __init__(self):
        self._bytes, self._changed, self._ended = b"", threading.Condition(), False

    def write(self, some):
        with self._changed:
            self._bytes += some
            self._changed.notify_all()

    def flush(self):
        pass

    def end(self):
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def next(self):
        """(type, body), or None at the end."""
        with self._changed:
            def whole():
                return len(self._bytes) >= 4 and len(self._bytes) >= 4 + int.from_bytes(self._bytes[1:4], "big")
            assert self._changed.wait_for(lambda: self._ended or whole(), PATIENCE), "no message comes"
            if not whole():
                return None
            size = 4 + int.from_bytes(self._bytes[1:4], "big")
            taken, self._bytes = self._bytes[:size], self._bytes[size:]
            return taken[0], taken[4:]


class Stranger:
    """One end of a transfer that is not ours: it writes messages as they are given."""

    def __init__(self, pipe, connection):
        self.pipe, self.connection, self.inbox = pipe, connection, Inbox()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        try:
            self.pipe.read_all(self.inbox)
        except (wire.ProtocolError, wire.Truncated, ConnectionError, OSError):
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)  # as who has read that the other side gave up
        finally:
            self.inbox.end()

    def say(self, *messages):
        try:
            self.pipe.write(b"".join(messages))
        except (ConnectionError, OSError):
            pass

    def hear(self):
        return self.inbox.next()

    def finish(self):
        try:
            self.pipe.finish_writing()
        except (ConnectionError, OSError):
            pass
        self._thread.join(PATIENCE)

    def close(self):
        self.connection.close()


class FilesPipe(wire.Pipe):
    """A pipe whose stream is a transfer's: its OPEN carries the version."""

    def __init__(self, connection, keys, is_client, ahead=b"", version=VERSION):
        self._version = version
        super().__init__(connection, keys, is_client, ahead, service=b"files")

    def send_frames(self, *frames):
        super().send_frames(*((kind, stream, payload + self._version if kind == wire.OPEN else payload)
                              for kind, stream, payload in frames))

    def on_frame(self, kind, stream, payload, output):
        if kind == wire.OPEN and payload == wire.lp1(b"files") + self._version:
            payload = wire.lp1(b"files")
        elif kind == wire.OPEN:
            return self.send_frames((wire.RESET, stream, NO_SUCH_SERVICE))
        super().on_frame(kind, stream, payload, output)


class Transfers(Case):
    def folder(self, name):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        return path

    def put(self, name, content=b""):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def sender(self, *args, **how):
        """A `pake send` that shows its code and where it listens."""
        program = self.start("send", "--listen", "127.0.0.1:0", *args, **how)
        return self.shown(program)

    @staticmethod
    def shown(program):
        program.code_shown = program.wait_for(r"the code is  (\S+)\n", "err")[1]
        program.address = program.wait_for(r"pake receive (\S+)\n", "err")[1]
        return program

    def receiver(self, sender, *args, out=None, yes=True, **how):
        words = ("--out", out or self.path("out")) + (("--yes",) if yes else ())
        return self.start("receive", sender.address, *words, *args, env={"PAKE_CODE": sender.code_shown}, **how)

    def assert_ends(self, sender, receiver, codes):
        ended = (sender.wait(), receiver.wait())
        self.assertEqual(ended, codes, f"--- sender:\n{sender.err}\n--- receiver:\n{receiver.err}")

    def names_below(self, name):
        """All paths below a folder, as bytes."""
        top = os.fsencode(self.path(name))
        found = []
        for folder, folders, files in os.walk(top):
            found += [os.path.relpath(os.path.join(folder, one), top) for one in folders + files]
        return sorted(found)

    def strange_sender(self, *args, yes=True, code="copper-copper-11", version=VERSION, **how):
        """A `pake receive` that has dialled a stranger; both."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        words = ("--out", self.path("out")) + (("--yes",) if yes else ())
        receiver = self.start("receive", "127.0.0.1:%d" % listener.getsockname()[1], *words, "--wait", "0", *args,
                              env={"PAKE_CODE": code}, **how)
        listener.settimeout(PATIENCE)
        connection = listener.accept()[0]
        self.addCleanup(connection.close)
        keys, _ = wire.server_handshake(connection, wire.CodeHost(code.encode()), (wire.CHACHA20_POLY1305,))
        return Stranger(FilesPipe(connection, keys, False, version=version), connection), receiver

    def strange_receiver(self, sender, version=VERSION):
        """A stranger that has dialled `sender`, with the right code."""
        connection = socket.create_connection(tcp(sender.address))
        self.addCleanup(connection.close)
        keys, finish = wire.client_handshake(connection, wire.ByCode(sender.code_shown.encode()),
                                             (wire.CHACHA20_POLY1305,))
        return Stranger(FilesPipe(connection, keys, True, finish, version), connection)


class Cutter:
    """Stands between the two sides, and breaks each connection off once so many bytes have come from the sender.

    A connection that ends of itself sooner was no cut: the next one is. The last ones are left alone. With `stalls`
    nothing more passes instead, until this ends."""

    def __init__(self, address, after, stalls=False):
        self._address, self._after, self._stalls = tcp(address), list(after), stalls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self.cuts, self._sockets, self._threads = 0, [], []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        """Ends what still passes."""
        for one in [self._server, *self._sockets]:
            self._shut(one)
        self._thread.join(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        for one in [self._server, *self._sockets]:
            one.close()

    @staticmethod
    def _shut(one):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                receiver = self._server.accept()[0]
                self._sockets.append(receiver)
                try:
                    sender = socket.create_connection(self._address)
                except OSError:
                    self._shut(receiver)
                    continue
                self._sockets.append(sender)
                left = self._after[0] if self._after else None
                for direction in ((receiver, sender, None), (sender, receiver, left)):
                    self._threads.append(threading.Thread(target=self._pass, args=direction, daemon=True))
                    self._threads[-1].start()

    def _pass(self, source, target, left):
        with contextlib.suppress(OSError):
            while some := source.recv(65_536 if left is None else min(65_536, left)):
                target.sendall(some)
                if left is not None:
                    left -= len(some)
                    if left == 0:
                        self.cuts += 1
                        self._after.pop(0)
                        if not self._stalls:
                            self._shut(source)
                            self._shut(target)
                        return
            target.shutdown(socket.SHUT_WR)
