"""`pake listen` and `pake dial` against peers that mean harm: who cuts, who floods, who stays silent, who holds the answer.

The peers stand on the channel's independent implementation (tests/interop/channel/wire.py)."""

import os
import random
import re
import socket
import sys
import time
import unittest

from harness import CUT_SHORT, reset, tcp
from pipe_terminal_test import AtTerminals

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "channel"))
import wire  # noqa: E402

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
