"""`pake listen` and `pake dial` with much to carry: PAKE_PIPE_BYTES each way at once, 48 MiB unless told. scripts/soak has 3 GiB."""

import hashlib
import os
import sys
import threading
import time
import unittest

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from harness import OK
from pipe_test import Pipe

MUCH = int(os.environ.get("PAKE_PIPE_BYTES", 48 << 20))
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


class Volume(Pipe):
    def pipe(self):
        """The two ends of a pipe as files: to read, to write."""
        ends = os.pipe()
        return os.fdopen(ends[0], "rb"), os.fdopen(ends[1], "wb")

    def carry(self, size):
        """`size` bytes each way at once."""
        seeds = [os.urandom(32), os.urandom(32)]
        print("seeds", *(seed.hex() for seed in seeds), file=sys.stderr)
        (host_in, host_feed), (host_says, host_out) = self.pipe(), self.pipe()
        (caller_in, caller_feed), (caller_says, caller_out) = self.pipe(), self.pipe()
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
