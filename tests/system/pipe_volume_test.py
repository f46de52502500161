"""`pake listen` and `pake dial`, and `pake connect`, with much to carry: PAKE_PIPE_BYTES each way at once, 48 MiB unless told,
8 MiB of connect.

scripts/soak has 1 and 3 GiB."""

import hashlib
import os
import socket
import sys
import threading
import time
import unittest

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from harness import OK
from pipe_test import Pipe
from serving import PASSWORD, ServeCase

MUCH = int(os.environ.get("PAKE_PIPE_BYTES", 48 << 20))
THERE_AND_BACK = int(os.environ.get("PAKE_PIPE_BYTES", 8 << 20))
LONGEST = 3600  # seconds for all of them
PIECE = 1 << 20


class Source(threading.Thread):
    """Writes `size` bytes that nobody can guess into a pipe, and keeps their digest. The seed makes them again."""

    def __init__(self, pipe, size, seed):
        super().__init__(daemon=True)
        self._pipe, self._left = pipe, size
        self._keystream = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()
        self._digest = hashlib.sha256()
        self.start()

    def run(self):
        with self._pipe:
            while self._left:
                piece = self._keystream.update(bytes(min(self._left, PIECE)))
                self._digest.update(piece)
                self._pipe.write(piece)
                self._left -= len(piece)

    def result(self):
        self.join()
        return self._digest.hexdigest()


class Sink(threading.Thread):
    """Reads a pipe to its end, and keeps the size and the digest of what came."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self._pipe, self._size, self._digest = pipe, 0, hashlib.sha256()
        self.start()

    def run(self):
        with self._pipe:
            while piece := self._pipe.read1(PIECE):
                self._size += len(piece)
                self._digest.update(piece)

    def result(self):
        self.join()
        return self._size, self._digest.hexdigest()


def pipe():
    """The two ends of a pipe as files: to read, to write."""
    ends = os.pipe()
    return os.fdopen(ends[0], "rb"), os.fdopen(ends[1], "wb")


class Volume(Pipe):
    def carry(self, size):
        """`size` bytes each way at once."""
        seeds = [os.urandom(32), os.urandom(32)]
        print("seeds", *(seed.hex() for seed in seeds), file=sys.stderr)
        (host_in, host_feed), (host_says, host_out) = pipe(), pipe()
        (caller_in, caller_feed), (caller_says, caller_out) = pipe(), pipe()
        began = time.monotonic()
        with host_in, host_out:
            host = self.host(stdin=host_in, stdout=host_out)
        with caller_in, caller_out:
            caller = self.dial(host.address, host.code_shown, stdin=caller_in, stdout=caller_out)
        sources = Source(host_feed, size, seeds[0]), Source(caller_feed, size, seeds[1])
        sinks = Sink(caller_says), Sink(host_says)
        self.assertEqual((caller.wait(LONGEST), host.wait(LONGEST)), (OK, OK), caller.err + host.err)
        for source, sink in zip(sources, sinks):
            self.assertEqual(sink.result(), (size, source.result()))
            print(f"{size} bytes, sha256 {source.result()}", file=sys.stderr)
        print(f"both ways at once in {time.monotonic() - began:.1f} s", file=sys.stderr)

    def test_nothing(self):
        self.carry(0)

    def test_one_byte(self):
        self.carry(1)

    def test_much(self):
        self.carry(MUCH)


class Login(ServeCase):
    """What `pake connect` writes to stdout is what the service wrote, to the byte, and comes back from where stdin went."""

    def test_what_comes_back_is_what_was_said(self):
        def say_back(connection):
            with connection:
                while data := connection.recv(PIECE):
                    connection.sendall(data)

        def accept(listener):
            while True:
                threading.Thread(target=say_back, args=(listener.accept()[0],), daemon=True).start()

        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        config = "[services]\nsocket = \"127.0.0.1:%d\"\n[services.program]\nexec = [\"/bin/cat\"]\n" % listener.getsockname()[1]
        server = self.serve("--config", self.path("pake.toml", config))
        self.add_user()
        for service, size in (("program", 0), ("socket", 0), ("program", 1), ("socket", 1), ("program", THERE_AND_BACK),
                              ("socket", THERE_AND_BACK)):
            with self.subTest(service=service, size=size):
                seed = os.urandom(32)
                print(service, size, "seed", seed.hex(), file=sys.stderr)
                (own_in, feed), (says, own_out) = pipe(), pipe()
                with own_in, own_out:
                    client = self.start("connect", f"alice@{server.address}", service, stdin=own_in, stdout=own_out,
                                        env={"PAKE_PASSWORD": PASSWORD})
                source, sink = Source(feed, size, seed), Sink(says)
                self.assertEqual(client.wait(LONGEST), OK, client.err)
                self.assertEqual(sink.result(), (size, source.result()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
