"""Two programs 80 ms apart, in two network namespaces: how many round trips the first byte waits for."""

import itertools
import os
import select
import subprocess
import sys
import time
import unittest

import far_apart
from harness import OK, PATIENCE, Case
from pipe_test import Pipe

ROUND_TRIP = 0.080
AT_MOST = 1.5 * ROUND_TRIP
RUNS = 20  # at most, until one is not delayed by what else this machine does
CANNOT_RUN = 77

LOGIN_PEER = os.environ["LOGIN_PEER"]

CLIENT_HELLO, RETRY, SERVER_HELLO, CLIENT_FINISH, DATA = 1, 2, 3, 4, 0x10


def second_frame(payload):
    """The type of the frame behind the first one in a segment."""
    return payload[4 + int.from_bytes(payload[1:4], "big")]


class Codes(Pipe):
    def first_byte(self):
        """One run; the seconds from the TCP connection to the first byte at the listener, and the segments with bytes until then."""
        here, there, link = WORLD
        link.segments.clear()
        said, heard = os.pipe(), os.pipe()
        os.write(said[1], b"hello")
        with here.inside():
            host = self.start("listen", f"{here.address}:8088", stdout=heard[1])
        code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
        with there.inside():
            caller = self.dial(f"{here.address}:8088", code, stdin=said[0])
        self.assertTrue(select.select([heard[0]], (), (), PATIENCE)[0], "nothing arrives")
        arrived = time.monotonic()
        segments = [segment for segment in link.segments if segment.left + link.delay <= arrived]
        os.close(said[1])
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        self.assertEqual(os.read(heard[0], 100), b"hello")
        for end in (said[0], *heard):
            os.close(end)
        # The connection stands for the listener when the caller's second segment is there, for the caller a half earlier.
        answer_to_syn = next(segment for segment in segments if segment.syn and segment.source is here)
        connected = answer_to_syn.left + 2 * link.delay
        return arrived - connected, [segment for segment in segments if segment.payload]

    def test_the_first_byte_is_there_one_round_trip_after_the_connection(self):
        here, there, _ = WORLD
        waits = []
        for _ in range(RUNS):
            wait, segments = self.first_byte()
            waits.append(wait)
            flights = [source for source, _ in itertools.groupby(segment.source for segment in segments)]
            self.assertEqual(flights, [there, here, there], "hello, hello, and the first bytes")
            third = segments[2].payload
            self.assertEqual((third[0], second_frame(third)), (CLIENT_FINISH, DATA), "the first record rides behind the finish")
            if wait < AT_MOST:
                break
        print("round trips:", *(f"{wait / ROUND_TRIP:.3f}" for wait in waits), file=sys.stderr)
        self.assertGreaterEqual(min(waits), ROUND_TRIP, "the link is as slow as it is said to be")
        self.assertLess(min(waits), AT_MOST)


class Logins(Case):
    def test_a_password_and_a_ticket_take_one_round_trip_and_a_retry_one_more(self):
        here, there, link = WORLD
        one, two = [CLIENT_HELLO, SERVER_HELLO, CLIENT_FINISH], [CLIENT_HELLO, RETRY, CLIENT_HELLO, SERVER_HELLO, CLIENT_FINISH]
        for suite, by_password in (("ristretto255", one), ("p256", two)):
            with self.subTest(suite=suite):
                link.segments.clear()
                with here.inside():
                    server = self.start("serve", f"{here.address}:0", f"suite={suite}", program=LOGIN_PEER)
                address = server.wait_for(r"listening on (.*)\n", "err")[1]
                with there.inside():
                    client = self.start("connect", address, "resume=yes", program=LOGIN_PEER, stdin=subprocess.PIPE)
                client.write("hello")
                self.assertEqual((client.wait(), server.stop(), client.out), (OK, OK, "hellohello"))
                segments = [segment.payload for segment in link.segments if segment.payload]
                types = [payload[0] for payload in segments]
                resumed = len(types) - 1 - types[::-1].index(CLIENT_HELLO)  # where the second connection begins
                self.assertEqual((types[:len(by_password)], types[resumed:resumed + 3]), (by_password, one))
                for finish in (len(by_password) - 1, resumed + 2):
                    self.assertEqual(second_frame(segments[finish]), DATA)


if __name__ == "__main__":
    try:
        WORLD = far_apart.connect_two(ROUND_TRIP / 2)
    except OSError as error:
        print(f"skipped: two network namespaces cannot be had here: {error}")
        sys.exit(CANNOT_RUN)
    unittest.main(verbosity=2)
