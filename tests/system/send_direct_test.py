"""Two who meet behind a server and can reach each other go past it, in two network namespaces; the server is in one of them."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import unittest

import far_apart
from far_apart import broken_off, tcp_of
from harness import OK, PATIENCE, PROTOCOL, tcp
from sending import Inbox, data, wire
from send_via_test import ViaCase
from serving import Meeting

CANNOT_RUN = 77
SYN, ACK = 0x02, 0x10
DIRECTLY = "all passes directly, the other side is"
THROUGH = "which cannot read it"
ADDRESSES, REACHED, CHOICE = 1, 2, 3


def message(kind, body):
    return bytes([kind, len(body)]) + body


def addresses(*list_):
    """Of (IPv4 address, port)."""
    return message(ADDRESSES, bytes([len(list_)]) +
                   b"".join(b"\x04" + socket.inet_aton(host) + struct.pack(">H", port) for host, port in list_))


class DirectPipe(wire.Pipe):
    """A channel whose stream 1 is the search for a direct way."""

    def __init__(self, connection, keys, ahead=b""):
        super().__init__(connection, keys, True, ahead, service=b"direct")


class DirectCase(ViaCase):
    def setUp(self):
        super().setUp()
        self.here, self.there, self.link = WORLD
        self.link.change = lambda source, packet: packet
        with self.here.inside():
            self.server = self.serve("--config", self.path("pake.toml", "strangers_meet = true\n[services]\necho = \"echo\"\n"),
                                     address=f"{self.here.address}:0")
        self.port = int(self.server.address.rsplit(":", 1)[1])

    def may_dial(self, *namespaces):
        """Only from these connections begin, but for those to the server; packets of others are lost."""
        def change(source, packet):
            tcp = tcp_of(packet)
            begins = tcp is not None and tcp[2] & (SYN | ACK) == SYN and tcp[1] != self.port
            return None if begins and source not in namespaces else packet
        self.link.change = change

    def sends(self, *args, **how):
        with self.here.inside():
            return self.send(*args, **how)

    def receives(self, code, *args, **how):
        with self.there.inside():
            return self.receive(code, *args, **how)

    def wait_for_both(self, sender, receiver, words):
        for program in (sender, receiver):
            program.wait_for(words, "err")


class Direct(DirectCase):
    def check_way(self, words, *args):
        content = data(300_000)
        sender = self.sends(self.put("in/a", content), "--json", *args)
        receiver = self.receives(sender.code_shown, "--json")
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/a"), content)
        for program, other in ((sender, self.there), (receiver, self.here)):
            self.assertIn(words, program.err)
            [way] = [event for event in map(json.loads, program.out.splitlines()) if event["event"] == "way"]
            if words == THROUGH:
                self.assertEqual(way, {"event": "way", "way": "through", "server": self.server.address})
            else:
                self.assertEqual(way["way"], "directly")
                self.assertEqual(way["address"].rsplit(":", 1)[0], other.address)
            self.assertEqual(program.err.count("both sides know the code"), 1, program.err)

    def test_no_byte_passes_the_server(self):
        sender = self.sends("-", stdin=subprocess.PIPE)
        receiver = self.receives(sender.code_shown)
        self.wait_for_both(sender, receiver, DIRECTLY)
        self.server.process.kill()
        sender.write("what comes when the server has gone\n")
        sender.process.stdin.close()
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/stdin"), b"what comes when the server has gone\n")

    def test_one_who_can_dial_is_enough(self):
        for who in (self.here, self.there):
            with self.subTest(who.address):
                self.may_dial(who)
                self.check_way(DIRECTLY)

    def test_if_neither_can_it_passes_the_server(self):
        self.may_dial()
        self.check_way(THROUGH)

    def test_who_does_not_want_it_tells_no_address(self):
        seen = []
        def change(source, packet):
            tcp = tcp_of(packet)
            if tcp is not None and self.port not in tcp[:2]:
                seen.append(tcp)
            return packet
        self.link.change = change
        for side in (0, 1):
            sender = self.sends(self.put("in/a", data(3)), *("--no-direct",) * (side == 0))
            receiver = self.receives(sender.code_shown, *("--no-direct",) * (side == 1), out=f"out{side}")
            self.ends(sender, receiver)
            for program in (sender, receiver):
                self.assertIn(THROUGH, program.err)
        self.assertEqual(seen, [])

    def test_a_cut_leads_back_to_the_server(self):
        content = data(2_000_000)
        passed = 0
        def change(source, packet):
            nonlocal passed
            tcp = tcp_of(packet)
            if tcp is None or self.port in tcp[:2] or not tcp[3]:
                return packet
            passed += tcp[3]
            if passed <= 700_000:
                return packet
            there, back = broken_off(packet)
            os.write(source.tun, back)
            return there
        self.link.change = change
        sender = self.sends(self.put("in/a", content))
        receiver = self.receives(sender.code_shown)
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/a"), content)
        for program in (sender, receiver):
            self.assertIn(DIRECTLY, program.err)
            self.assertEqual(program.err.count("connected again"), 1, program.err)


class Pipes(DirectCase):
    """pake listen and pake dial in all they do, and pake pair: none of what they pass needs the server."""

    def shows(self, command, *args, stdin=subprocess.PIPE, **how):
        with self.here.inside():
            program = self.start(*command.split(), "--via", self.server.address, *args, stdin=stdin, **how)
        program.code_shown = program.wait_for(r"the code is  (\S+)\n", "err")[1]
        return program

    def types(self, code, command, *args, env=None, **how):
        with self.there.inside():
            return self.start(*command.split(), "--via", self.server.address, *args, env={"PAKE_CODE": code} | (env or {}),
                              stdin=subprocess.PIPE, **how)

    def talk(self, listener, dialler):
        listener.write("from here\n")
        dialler.write("from there\n")
        self.both_end(listener, dialler)
        self.assertEqual((listener.out, dialler.out), ("from there\n", "from here\n"))
        for program in (listener, dialler):
            self.assertEqual(program.err.count("both sides know the code"), 1, program.err)

    def test_no_line_passes_the_server(self):
        for who in (self.here, self.there):
            with self.subTest(who.address):
                self.may_dial(who)
                listener = self.shows("listen")
                dialler = self.types(listener.code_shown, "dial")
                for program, other in ((listener, self.there), (dialler, self.here)):
                    program.wait_for(f"{DIRECTLY} {other.address}:", "err")
                self.server.process.kill()
                self.talk(listener, dialler)
                with self.here.inside():
                    self.server = self.serve("--config", self.path("pake.toml"), address=self.server.address)

    def test_if_neither_can_or_one_does_not_want_it_lines_pass_the_server(self):
        for args, more in (((), ()), (("--no-direct",), ()), ((), ("--no-direct",))):
            with self.subTest(listen=args, dial=more):
                self.may_dial(*(() if not args + more else (self.here, self.there)))
                listener = self.shows("listen", *args)
                dialler = self.types(listener.code_shown, "dial", *more)
                self.talk(listener, dialler)
                for program in (listener, dialler):
                    self.assertIn(THROUGH, program.err)

    def test_a_port_is_reached_without_the_server(self):
        with self.here.inside():
            service = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(service.close)
        service.settimeout(PATIENCE)
        listener = self.shows("listen", "--service", "127.0.0.1:%d" % service.getsockname()[1])
        dialler = self.types(listener.code_shown, "dial", "-L", "0")
        port = tcp(dialler.wait_for(r"(\S+) leads to the other side", "err")[1])
        self.wait_for_both(listener, dialler, DIRECTLY)
        self.server.process.kill()
        with self.there.inside():
            connection = socket.create_connection(port, PATIENCE)
        self.addCleanup(connection.close)
        connection.sendall(b"past the server")
        with service.accept()[0] as served:
            self.assertEqual(served.recv(100), b"past the server")
        dialler.stop()
        listener.wait()

    def test_keys_are_of_the_channel_that_is_left(self):
        printed = [self.shows("listen", "--export", "wireguard")]
        printed.append(self.types(printed[0].code_shown, "dial", "--export", "wireguard"))
        state = [{"XDG_STATE_HOME": self.path(name)} for name in ("a", "b")]
        kept = [self.shows("pair --name other", env=state[0])]
        kept.append(self.types(kept[0].code_shown, "pair --name other", env=state[1]))
        for pair in (printed, kept):
            self.assertEqual([program.wait() for program in pair], [OK, OK], pair[0].err + pair[1].err)
            for program in pair:
                self.assertIn(DIRECTLY, program.err)
        self.assertEqual(len(printed[0].out), 45)
        self.assertEqual(printed[0].out, printed[1].out)
        self.assertEqual(*(self.read(f"{name}/pake/pairs/other") for name in ("a", "b")))


class Hostile(DirectCase):
    """The one who knows the code lists what it likes."""

    def joins(self, sender):
        selector, _, code = sender.code_shown.partition("-")
        with self.here.inside():
            met = Meeting(self.server.address, Meeting.JOIN, selector=int(selector))
        self.addCleanup(met.hang_up)
        self.assertEqual(met.met()[0], Meeting.JOINED)
        by_code = wire.ByCode(code.encode())
        by_code.name = selector.encode()
        keys, finish = wire.client_handshake(met.connection, by_code, (wire.CHACHA20_POLY1305,))
        return DirectPipe(met.connection, keys, finish)

    def says(self, pipe, *messages):
        inbox = Inbox()
        thread = threading.Thread(target=self.reads, args=(pipe, inbox), daemon=True)
        thread.start()
        with contextlib.suppress(OSError):
            pipe.write(b"".join(messages))
        return thread

    @staticmethod
    def reads(pipe, inbox):
        with contextlib.suppress(wire.ProtocolError, wire.Truncated, OSError):
            pipe.read_all(inbox)
        pipe.connection.close()

    def listener(self, host):
        with self.here.inside():
            listener = socket.create_server((host, 0))
        self.addCleanup(listener.close)
        return listener, listener.getsockname()[1]

    def test_an_address_that_must_not_be_told_ends_it_and_none_is_dialled(self):
        good, port = self.listener(self.here.address)
        for bad in (addresses((self.here.address, port), ("127.0.0.1", 8088)), addresses((self.here.address, port), ("239.255.80.88", 8088)),
                    addresses((self.here.address, port), (self.here.address, 22)), addresses(*[(self.here.address, port)] * 2),
                    addresses(*((self.here.address, port + i) for i in range(9))), message(CHOICE, b"\x01"), b"\x01\xff"):
            with self.subTest(bad.hex()):
                sender = self.sends(self.put("in/a", b"abc"))
                thread = self.says(self.joins(sender), bad)
                self.assertEqual(sender.wait(), PROTOCOL, sender.err)
                thread.join(PATIENCE)
        good.settimeout(0)
        self.assertRaises(BlockingIOError, good.accept)

    def test_each_address_is_dialled_once_and_gets_no_code(self):
        listeners = [self.listener(self.here.address) for _ in range(8)]
        sender = self.sends(self.put("in/a", b"abc"), "--wait", "0")
        pipe = self.joins(sender)
        self.says(pipe, addresses(*((self.here.address, port) for _, port in listeners)))
        for listener, _ in listeners:
            listener.settimeout(PATIENCE)
            connection = listener.accept()[0]
            hello = wire.read_frame(connection, (wire.CLIENT_HELLO,), 8192)
            for word in filter(str.isalpha, sender.code_shown.split("-")):  # two digits stand in a selector by chance
                self.assertNotIn(word.encode(), hello)
            connection.close()
        pipe.write(message(CHOICE, b"\x00"))
        pipe.connection.close()
        sender.wait()
        for listener, _ in listeners:
            listener.settimeout(0)
            self.assertRaises(BlockingIOError, listener.accept)

    def test_what_was_met_for_does_not_begin_if_the_search_is_against_the_rules(self):
        with self.here.inside():
            listener = self.start("listen", "--via", self.server.address, stdin=subprocess.PIPE)
        listener.code_shown = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        listener.write("to whom?\n")
        self.says(self.joins(listener), addresses(), message(CHOICE, b"\x02"))
        self.assertEqual(listener.wait(), PROTOCOL, listener.err)

    def test_who_claims_a_way_that_does_not_stand_is_refused(self):
        sender = self.sends(self.put("in/a", b"abc"))
        self.says(self.joins(sender), addresses(), message(CHOICE, b"\x02"))
        self.assertEqual(sender.wait(), PROTOCOL, sender.err)


if __name__ == "__main__":
    try:
        WORLD = far_apart.connect_two(0)
    except OSError as error:
        print(f"skipped: two network namespaces cannot be had here: {error}")
        sys.exit(CANNOT_RUN)
    unittest.main(verbosity=2)
