"""`pake send --lan` and `pake receive --lan` on the links of this machine: who is found, and what an impostor gets."""

import contextlib
import socket
import struct
import threading
import unittest

from harness import AUTH_FAILED, OK, PATIENCE, UNREACHABLE, USAGE
from sending import Transfers, data

import wire  # noqa: E402  the path is sending's

GROUP, PORT = "239.255.80.88", 8088


def announcement(selector, port, version=1):
    return b"pake" + bytes([version]) + struct.pack(">IH", selector, port)


def hears_multicast():
    """Whether a datagram to the group comes back over loopback here; in some containers it does not."""
    with hearing() as listener:
        shout(b"test")
        try:
            return bool(listener.recv(64))
        except TimeoutError:
            return False


@contextlib.contextmanager
def hearing():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
        listener.settimeout(5)
        yield listener


def shout(datagram):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        speaker.sendto(datagram, (GROUP, PORT))


class Impostor:
    """Announces a selector, and answers with a wrong code."""

    def __init__(self, selector):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.selector, self.answered = self._listener.getsockname()[1], selector, 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._shout, self._answer)]
        for thread in self._threads:
            thread.start()

    def _shout(self):
        while not self._over.wait(0.1):
            shout(announcement(self.selector, self.port))

    def _answer(self):
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.answered += 1
            with connection, contextlib.suppress(Exception):
                connection.settimeout(PATIENCE)
                wire.server_handshake(connection, wire.CodeHost(b"copper-copper-12"), (wire.CHACHA20_POLY1305,))

    def close(self):
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)


@unittest.skipUnless(hears_multicast(), "no multicast passes over this machine's loopback")
class Lan(Transfers):
    def sender(self, *args):
        return self.shown(self.start("send", "--lan", *args))

    def receiver(self, code, *args):
        return self.start("receive", "--lan", "--out", self.path("out"), "--yes", *args, env={"PAKE_CODE": code})

    def test_the_sender_is_found_by_the_code_alone(self):
        sender = self.sender(self.put("a", data(300_000)))
        self.assertRegex(sender.code_shown, r"\A[1-9][0-9]{0,2}-[a-z]+-[a-z]+-[0-9]{2}\Z")
        receiver = self.receiver(sender.code_shown)
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertEqual(self.read("out/a"), data(300_000))

    def test_three_senders_at_once(self):
        senders, selectors = [], set()
        while len(senders) < 3:  # two that draw the same number would spend each other's codes
            sender = self.sender(self.put(f"file{len(senders)}", data(len(senders))))
            selector = sender.code_shown.split("-")[0]
            if selector in selectors:
                sender.stop()
                continue
            selectors.add(selector)
            senders.append(sender)
        for number, sender in reversed(list(enumerate(senders))):
            self.assert_ends(sender, self.receiver(sender.code_shown), (OK, OK))
            self.assertEqual(self.read(f"out/file{number}"), data(number))

    def test_what_is_announced_is_the_number_and_the_port_alone(self):
        sender = self.sender(self.put("secret-name", b"x"))
        number = int(sender.code_shown.split("-")[0])
        port = int(sender.address.rsplit(":", 1)[1])
        with hearing() as listener:
            heard = listener.recv(2000)
            while heard[5:9] != announcement(number, port)[5:9]:  # another machine's
                heard = listener.recv(2000)
            self.assertEqual(heard, announcement(number, port))
        sender.stop()

    def test_an_address_takes_the_code_too(self):
        sender = self.sender(self.put("a", b"x"))
        receiver = self.start("receive", sender.address, "--out", self.path("out"), "--yes",
                              env={"PAKE_CODE": sender.code_shown})
        self.assert_ends(sender, receiver, (OK, OK))

    def test_an_impostor_costs_one_try_and_is_named(self):
        sender = self.sender(self.put("a", b"x"))
        impostor = Impostor(int(sender.code_shown.split("-")[0]))
        self.addCleanup(impostor.close)
        receiver = self.receiver(sender.code_shown, "--deadline", "30")
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertLessEqual(impostor.answered, 1)
        if impostor.answered:
            self.assertIn(f"127.0.0.1:{impostor.port} announces", receiver.err)

    def test_an_announcer_that_cannot_be_reached_yet_is_tried_again(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        over = threading.Event()
        self.addCleanup(over.set)

        def announce():
            while not over.wait(0.1):
                shout(announcement(7, port))
        threading.Thread(target=announce, daemon=True).start()
        receiver = self.receiver("7-copper-copper-11", "--deadline", "30")
        receiver.wait_for("announces 7 and is not the other side", "err")
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(PATIENCE)
            listener.accept()[0].close()
        receiver.stop()

    def test_three_impostors_are_the_end(self):
        impostors = [Impostor(7) for _ in range(5)]
        for impostor in impostors:
            self.addCleanup(impostor.close)
        receiver = self.receiver("7-copper-copper-11", "--deadline", "30")
        self.assertEqual(receiver.wait(), AUTH_FAILED, receiver.err)
        answered = [impostor for impostor in impostors if impostor.answered]
        self.assertEqual([impostor.answered for impostor in answered], [1, 1, 1])
        error = [line for line in receiver.err.splitlines() if line.startswith("error: ")][0]
        for impostor in answered:
            self.assertIn(f"127.0.0.1:{impostor.port}", error)

    def test_announcements_that_are_none(self):
        over = threading.Event()

        def run():
            while not over.wait(0.05):
                for datagram in (b"", b"pake", announcement(7, 0), announcement(7, 1, 2), announcement(7, 1) + b"x",
                                 announcement(8, 1), b"x" * 1400):
                    shout(datagram)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        receiver = self.receiver("7-copper-copper-11", "--deadline", "2")
        self.assertEqual(receiver.wait(), UNREACHABLE, receiver.err)
        self.assertIn("nobody in this network announces 7", receiver.err)
        over.set()
        thread.join()


class Words(Transfers):
    def test_codes_without_a_number_and_addresses_that_are_codes(self):
        program = self.run_pake("receive", "--lan", "--yes", "--out", self.path("out"), env={"PAKE_CODE": "copper-copper-11"})
        self.assertEqual(program.code, USAGE)
        self.assertIn("7-word-word-42", program.err)
        for words in (("receive", "7-copper-copper-11"), ("receive", "7", "copper", "copper", "11"),
                      ("dial", "7-copper-copper-11"), ("receive", "--lan", "127.0.0.1:1"),
                      ("send", "--lan", "--listen", "unix:/tmp/x", self.put("a"))):
            with self.subTest(words=words):
                self.assertEqual(self.run_pake(*words).code, USAGE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
