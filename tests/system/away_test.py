"""`pake forward` under load while the network goes away and comes back: PAKE_CUTS times, 2 unless told. scripts/soak has 20.

Each time all connections that are open are reset, nothing reaches the backend twice, and a new channel is made by the ticket, in
one round trip. Every fifth time nobody says that the connection is gone: the channel's own pings find it out, within a minute.
"""

import os
import signal
import socket
import sys
import threading
import time
import unittest

import far_apart
from harness import tcp
from serving import PASSWORD, ServeCase

CUTS = int(os.environ.get("PAKE_CUTS", 2))
LONGEST = 150  # seconds, for what is silent to be found out
CLIENT_HELLO, SERVER_HELLO, CLIENT_FINISH = 1, 3, 4
CANNOT_RUN = 77
SIZE = 40_000
RST = 4


class Router:
    """On the way between the two: it can be away, and forget what passed before."""

    def __init__(self, link):
        self.link, self.is_away, self.forgotten = link, False, set()
        link.change = self.change

    def change(self, source, packet):
        tcp = far_apart.tcp_of(packet)
        if self.is_away or not tcp:
            return None if self.is_away else packet
        if frozenset(port.to_bytes(2, "big") for port in tcp[:2]) not in self.forgotten:
            return packet
        if not tcp[2] & RST:
            os.write(source.tun, far_apart.broken_off(packet)[1])
        return None

    def forget(self):
        """As after a restart: whoever goes on with a connection of before is reset."""
        self.forgotten |= {segment.flow for segment in self.link.segments}


class Backend:
    """Says back what it hears, and notes whose connections came: each names itself in its first 16 bytes."""

    def __init__(self, path):
        self.came = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, connection):
        name = b""
        with connection:
            try:
                while data := connection.recv(65536):
                    if len(name) < 16:
                        name += data[:16 - len(name)]
                        if len(name) == 16:
                            self.came.append(name)
                    connection.sendall(data)
            except OSError:
                pass


class Load:
    """Opens one connection after the other in `place`, and notes how each ended."""

    def __init__(self, place, address):
        self.place, self.address, self.whole, self.cut, self.wrong, self.is_over = place, address, [], [], [], False
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def run(self):
        with self.place.inside():  # this thread alone
            while not self.is_over:
                self.connect()

    def connect(self):
        name = os.urandom(16)
        said, came = name + os.urandom(SIZE), b""
        try:
            with socket.create_connection(self.address, LONGEST) as connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while data := connection.recv(65536):
                    came += data
        except (ConnectionResetError, BrokenPipeError):
            self.cut.append(name)
            time.sleep(0.05)  # there is no channel now
        except OSError as error:
            self.wrong.append(f"{error}")
        else:
            (self.whole if came == said else self.wrong).append(name)

    def finish(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Away(ServeCase):
    def test_each_cut_is_reported_and_nothing_is_sent_twice(self):
        here, there, link = WORLD
        router = Router(link)
        backend = Backend(self.path("backend"))
        with here.inside():
            server = self.serve("--service", "raw=unix:" + self.path("backend"), address=f"{here.address}:8088")
        self.add_user()
        with there.inside():
            forward = self.start("forward", f"alice@{here.address}:8088", "raw", "-L", "0", env={"PAKE_PASSWORD": PASSWORD},
                                 has_terminal=False)
        load = Load(there, tcp(forward.wait_for(r"raw is at (\S+)\n", "err")[1]))
        for cut in range(1, CUTS + 1):
            self.wait_for_more(load)
            resets = len(load.cut)
            router.is_away = True
            time.sleep(0.5)
            if cut % 5:
                router.forget()
            else:
                self.wait_until(lambda: forward.err.count("connecting again") >= cut)
            router.is_away = False
            self.wait_until(lambda: forward.err.count("connected again") >= cut)
            self.assertGreater(len(load.cut), resets, "who was in the midst of it was not told")
        self.wait_for_more(load)
        load.finish()
        self.assertEqual(load.wrong, [])
        self.assertEqual(len(set(backend.came)), len(backend.came))
        self.assertLessEqual(set(load.whole), set(backend.came))
        # No question: there is nobody to ask, and the password was used once.
        self.assertEqual((server.err.count("by=password"), server.err.count("by=ticket")), (1, CUTS), server.err)
        self.assert_one_round_trip(there, link)
        self.assertEqual(forward.stop(), 128 + signal.SIGTERM, forward.err)
        self.assertNotIn("error:", forward.err)
        print(f"{len(load.whole)} connections whole, {len(load.cut)} reset in {CUTS} cuts", file=sys.stderr)

    def assert_one_round_trip(self, there, link):
        """Hello, hello, and the client's finish is on its way."""
        opened = {}
        for segment in link.segments:
            if segment.payload:
                opened.setdefault(segment.flow, []).append(segment)
        begun = [segments for segments in opened.values() if len(segments) > 2]
        self.assertEqual(len(begun), CUTS + 1)
        for segments in begun:
            self.assertEqual([segment.payload[0] for segment in segments[:3]], [CLIENT_HELLO, SERVER_HELLO, CLIENT_FINISH])
            self.assertEqual([segment.source is there for segment in segments[:3]], [True, False, True])

    def wait_for_more(self, load):
        before = len(load.whole)
        self.wait_until(lambda: len(load.whole) > before + 5)

    def wait_until(self, is_so):
        until = time.monotonic() + LONGEST
        while not is_so():
            self.assertLess(time.monotonic(), until, "waited in vain")
            time.sleep(0.05)


if __name__ == "__main__":
    try:
        WORLD = far_apart.connect_two(0.01)
    except OSError as error:
        print(f"skipped: two network namespaces cannot be had here: {error}")
        sys.exit(CANNOT_RUN)
    unittest.main(verbosity=2)
