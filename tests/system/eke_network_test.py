"""What a network, or somebody on it, does to the handshake: no crash, no wait past the deadline, nothing left behind."""

import concurrent.futures
import os
import random
import socket
import time
import unittest

from flood import Flood, raise_file_limit
from harness import AUTH_FAILED, CUT_SHORT, MESSAGES, OK, PAKE, PROTOCOL, TO_LISTENER, Case, Relay, reset, tcp

LONGEST = max(size for _, size in MESSAGES.values())


def pass_on(_, data):
    return [data]


def only(number, action):
    """Does `action(data)` to the message of that number alone."""
    return lambda n, data: action(data) if n == number else [data]


def several(function, cases):
    """function(*case) for all cases, a few at once; the results in order, each with its case."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as pool:
        return list(zip(cases, pool.map(lambda case: function(*case), cases)))


class Segments(Case):
    """Message boundaries are the network's to move."""

    def sessions(self, edits):
        """One session through a relay for each edit; they share a listener."""
        listener = self.listen("--quiet")

        def session(edit):
            with Relay(listener.address, edit) as relay:
                return self.connect(relay.address, "--quiet", lines="hello\n")

        for n, (_, connector) in enumerate(several(session, [(edit,) for edit in edits])):
            with self.subTest(n):
                self.assertEqual(connector.code, OK, connector.err)
                self.assertEqual(connector.out, "Authentication success\nServer say: receive hello\n")
        self.assertNotIn("error:", listener.err)

    def test_a_relay_that_does_nothing_changes_nothing(self):
        self.sessions([pass_on])

    def test_every_message_split_at_every_byte(self):
        """One session splits each of its seven messages behind the same byte, so the longest has them all.

        At every ninth unless PAKE_FULL is set, as scripts/soak does: EveryMessageMayBeSplitAnywhere has them all in one process.
        """
        def split_at(at):
            return lambda _, data: [data[:at], 0.002, data[at:]] if at < len(data) else [data]

        self.sessions([split_at(at) for at in range(1, LONGEST, 1 if os.environ.get("PAKE_FULL") else 9)])

    def test_every_byte_alone(self):
        self.sessions([lambda _, data: [action for i in range(len(data)) for action in (data[i:i + 1], 0.001)]])

    def test_a_slow_peer_is_waited_for(self):
        """Only a name ends with a silence, so it alone may not be interrupted for long."""
        self.sessions([lambda number, data: [0.5, data[:1], 0.01 if number == 1 else 0.5, data[1:]]])


class Harm(Case):
    """Somebody changes, cuts or lengthens what is sent: both sides end, and say what happened."""

    def harmed(self, edit):
        """A session in which `edit` does harm, with a listener of its own; returns both sides."""
        listener = self.listen("--deadline", "1", "--once")
        with Relay(listener.address, edit) as relay:
            connector = self.connect(relay.address, "--deadline", "1", lines="never said\n")
        listener.code = listener.wait()
        return listener, connector

    def assert_both_complain(self, listener, connector):
        for side in (listener, connector):
            self.assertIn(side.code, (AUTH_FAILED, CUT_SHORT, PROTOCOL), side.err)
            self.assertRegex(side.err, "error: [^A-Z]")
        self.assertIn("Connected From", listener.out)
        self.assertNotIn("say:", listener.out + connector.out)

    def test_a_flipped_bit_never_authenticates(self):
        seed = random.randrange(2**32)
        print("seed", seed)
        chance = random.Random(seed)
        cases = [(number, chance.randrange(8 * MESSAGES[number][1])) for number in range(3, 8) for _ in range(6)]

        def session(number, bit):
            def flip(data):
                flipped = bytearray(data)
                flipped[bit // 8] ^= 1 << bit % 8
                return [bytes(flipped)]

            return self.harmed(only(number, flip))

        for (number, bit), (listener, connector) in several(session, cases):
            with self.subTest(message=number, bit=bit):
                self.assert_both_complain(listener, connector)
                self.assertNotIn("Authentication success", listener.out)
                if number < 6:  # of a half of 6, and of 7, only the listener can know
                    self.assertNotIn("Authentication success", connector.out)

    def test_a_message_that_stays_short_ends_at_the_deadline(self):
        cases = [(number, kept) for number, (_, size) in MESSAGES.items() for kept in (0, 1, size - 1)]
        began = time.monotonic()
        for (number, kept), sides in several(
                lambda number, kept: self.harmed(only(number, lambda data: [data[:kept], "stop"])), cases):
            with self.subTest(message=number, kept=kept):
                self.assert_both_complain(*sides)
        self.assertLess(time.monotonic() - began, 10 * len(cases), "each ends a second after its last message")

    def test_a_message_with_more_behind_it(self):
        """Behind 7 it is the first chat line; behind any other it is not a run of this protocol."""
        for (number,), sides in several(
                lambda number: self.harmed(only(number, lambda data: [data + b"AAAA"])), [(n,) for n in range(1, 7)]):
            with self.subTest(message=number):
                self.assertIn(sides[1].code, (AUTH_FAILED, CUT_SHORT, PROTOCOL))
                if number != 6:  # which the listener has sent as it should be
                    self.assert_both_complain(*sides)

    def test_what_follows_message_7_is_the_first_line(self):
        listener, _ = self.harmed(only(7, lambda data: [data + b"early"]))
        self.assertIn("Authentication success\nUser server say: early\n", listener.out)

    def test_a_peer_that_vanishes_is_reported_and_costs_nothing(self):
        listener = self.listen()
        self.assert_serves(listener)
        before = listener.open_files()
        for number, (_, size) in MESSAGES.items():
            for kept in (0, size // 2, size):
                for how in ("fin", "rst"):
                    with self.subTest(message=number, kept=kept, how=how):
                        out, err = len(listener.out), len(listener.err)
                        with Relay(listener.address, only(number, lambda data: [data[:kept], how])) as relay:
                            connector = self.connect(relay.address)
                        self.assertIn(connector.code, (AUTH_FAILED, CUT_SHORT), connector.err)
                        listener.wait_for(f"(?s)\\A.{{{err}}}.*error: connection [0-9]+, .*\n", "err")
                        # Part of a name, and then the end: the name of nobody.
                        is_a_name = number == 1 and 0 < kept < size and how == "fin"
                        self.assertIn("user error\n" if is_a_name else "User Abnormal Exit\n", listener.out[out:])
        self.assert_files_return_to(listener, before)
        self.assert_serves(listener)


class Garbage(Case):
    def test_a_listener_fed_anything_goes_on(self):
        seed = random.randrange(2**32)
        print("seed", seed)
        chance = random.Random(seed)
        listener = self.listen("--deadline", "1")
        before = listener.open_files()
        for n in range(60):
            with socket.create_connection(tcp(listener.address)) as peer:
                for part in (b"server" if n % 2 else b"", chance.randbytes(chance.choice([0, 1, 364, 1024, 5000]))):
                    try:
                        peer.sendall(part)
                    except ConnectionError:
                        break
                if n % 3 == 0:
                    reset(peer)
                elif n % 3 == 1:
                    peer.settimeout(20)
                    try:
                        while peer.recv(4096):
                            pass
                    except ConnectionError:
                        pass
        self.assert_serves(listener)
        self.assert_files_return_to(listener, before)

    def test_a_connector_fed_anything_ends(self):
        answers = [(b"", CUT_SHORT), (b"no", AUTH_FAILED), (b"maybe", PROTOCOL), (b"HTTP/1.0 400 Bad\r\n\r\n", PROTOCOL),
                   (b"yes" + b"A" * 235 + b"=", AUTH_FAILED),
                   (b"yes" + b"A" * 236, PROTOCOL), (b"yes" + bytes(236), PROTOCOL), (b"yes" + b"=" * 236, PROTOCOL),
                   (b"yes", AUTH_FAILED), (b"ye", CUT_SHORT), (b"yes" + b"A" * 100, AUTH_FAILED)]
        for answer, code in answers:
            with self.subTest(answer=answer[:20]), socket.create_server(("127.0.0.1", 0)) as server:
                connector = self.start("eke", "connect", "127.0.0.1:%d" % server.getsockname()[1], "--deadline", "5")
                peer, _ = server.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(answer)
                    peer.shutdown(socket.SHUT_WR)
                    self.assertEqual(connector.wait(), code, connector.err)
                self.assertRegex(connector.err, "error: [^A-Z]")

    def test_a_silent_listener_is_not_waited_for_past_the_deadline(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            connector = self.connect("127.0.0.1:%d" % server.getsockname()[1], "--deadline", "1")
            self.assertEqual(connector.code, CUT_SHORT)
            self.assertIn("nothing came in time", connector.err)

    def test_a_silent_connector_is_not_waited_for_past_the_deadline(self):
        listener = self.listen("--deadline", "1", "--once")
        with socket.create_connection(tcp(listener.address)):
            self.assertEqual(listener.wait(), CUT_SHORT)
        self.assertIn("User Abnormal Exit\n", listener.out)


class Later(Case):
    """After the handshake."""

    def test_a_listener_that_vanishes_is_noticed_at_the_prompt(self):
        for number in (9, 15):
            listener = self.listen()
            connector = self.start("eke", "connect", listener.address, stdin=-1)
            connector.wait_for("Authentication success\n")
            listener.stop(number)
            self.assertEqual(connector.process.wait(60), CUT_SHORT)
            connector.wait_for("error: .*: the peer", "err")

    def test_a_connector_that_vanishes_is_reported(self):
        listener = self.listen("--once")
        connector = self.start("eke", "connect", listener.address, stdin=-1)
        connector.wait_for("Authentication success\n")
        connector.stop(9)
        self.assertEqual(listener.wait(), CUT_SHORT)
        self.assertIn("User Abnormal Exit\n", listener.out)

    def test_an_idle_chat_ends(self):
        listener = self.listen("--idle", "1")
        connector = self.start("eke", "connect", listener.address, stdin=-1)
        self.assertEqual(connector.process.wait(60), CUT_SHORT)
        listener.wait_for("User Abnormal Exit\n")

    def test_an_answer_in_pieces_is_one(self):
        self.answers([b"receive ", b"hel", b"lo"], ["receive hello"], OK)

    def test_another_answer_is_shown_as_it_comes(self):
        self.answers([b"what?"], ["what?"], OK)

    def test_an_answer_that_stays_away_is_an_error(self):
        self.answers([], [], CUT_SHORT)
        self.answers([b"receive he"], ["receive he"], CUT_SHORT)

    def answers(self, pieces, shown, code):
        """A session with a listener whose answer to `hello` is this."""
        listener = self.listen()
        with socket.create_server(("127.0.0.1", 0)) as front:
            connector = self.start("eke", "connect", "127.0.0.1:%d" % front.getsockname()[1], "--deadline", "2",
                                   stdin=-1)
            peer, _ = front.accept()
            with peer, socket.create_connection(tcp(listener.address)) as behind:
                for number, (direction, size) in MESSAGES.items():
                    source, target = (peer, behind) if direction == TO_LISTENER else (behind, peer)
                    target.sendall(Relay._read(source, size))
                connector.write("hello\n")
                self.assertEqual(peer.recv(100), b"hello")
                for piece in pieces:
                    peer.sendall(piece)
                    time.sleep(0.02)
                if code == OK:
                    connector.wait_for("Server say: ")
                self.assertEqual(connector.wait(), code, connector.err)
        self.assertEqual([line[12:] for line in connector.out.splitlines() if line.startswith("Server say: ")], shown)


class Floods(Case):
    """A stranger's connections keep nobody out, and say nothing."""

    def test_an_honest_connector_is_let_in(self):
        raise_file_limit()
        for files in (1024, 100):
            with self.subTest(files=files):
                listener = self.start(f"--nofile={files}:{files}", PAKE, "eke", "listen", "127.0.0.1:0", "--quiet",
                                      program="/usr/bin/prlimit")
                listener.address = listener.wait_for(r"listening on (.*)\n", "err")[1]
                with Flood(listener.address, 3000, 500):
                    for _ in range(3):
                        self.assert_serves(listener)
                    self.assertLess(len(listener.err), 2000, "it does not tell each of them")

    def test_that_it_is_full_is_said_once(self):
        listener = self.listen("--max-connections", "1")
        first = self.start("eke", "connect", listener.address, stdin=-1)
        first.wait_for("Authentication success\n")
        for _ in range(50):
            with socket.create_connection(tcp(listener.address)) as stranger:
                self.assertEqual(stranger.recv(1), b"")
        self.assertEqual(listener.err.count("closed at once"), 1)
        self.assertEqual(first.wait(), OK)
        self.assert_serves(listener)


if __name__ == "__main__":
    unittest.main(verbosity=2)
