"""Two people who meet behind a server, which passes on what it cannot read: --via."""

import contextlib
import os
import socket
import subprocess
import threading
import unittest

from harness import AUTH_FAILED, CUT_SHORT, OK, UNREACHABLE, USAGE, tcp
from sending import Cutter, Transfers, data
from serving import PASSWORD, Meeting, ServeCase

THROTTLED, SERVICE = 5, 8
STRANGERS = "strangers_meet = true\n[services]\necho = \"echo\"\n"
USERS = "[services]\nmeet = \"meet\"\n"


class Wire:
    """A way to the server on which somebody listens: all that passes is kept."""

    def __init__(self, address):
        self._address = tcp(address)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self._lock, self._sockets, self._passed = threading.Lock(), [], []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._server.accept()[0]
                server = socket.create_connection(self._address)
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source, target):
        with contextlib.suppress(OSError):
            kept = []
            with self._lock:
                self._passed.append(kept)
            while some := source.recv(65536):
                kept.append(some)
                target.sendall(some)
            target.shutdown(socket.SHUT_WR)

    def cut(self):
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._server.close()
        self.cut()

    def has(self, what):
        with self._lock:
            return any(what in b"".join(stream) for stream in self._passed)


class ViaCase(ServeCase, Transfers):
    def start_server(self, config=STRANGERS):
        self.server = self.serve("--config", self.path("pake.toml", config))
        return self.server

    def wire(self):
        wire = Wire(self.server.address)
        self.addCleanup(wire.close)
        return wire

    def send(self, *args, via=None, **how):
        program = self.start("send", "--via", via or self.server.address, *args, **how)
        program.code_shown = program.wait_for(r"the code is  (\S+)\n", "err")[1]
        return program

    def receive(self, code, *args, via=None, out="out", env=None, **how):
        return self.start("receive", "--via", via or self.server.address, "--yes", "--out", self.path(out), *args,
                          env={"PAKE_CODE": code} | (env or {}), **how)

    def both_end(self, listener, dialler):
        for program in (listener, dialler):
            program.process.stdin.close()
        self.assertEqual((listener.wait(), dialler.wait()), (OK, OK), listener.err + dialler.err)

    def ends(self, sender, receiver, codes=(OK, OK)):
        self.assert_ends(sender, receiver, codes)


class Strangers(ViaCase):
    def test_a_file_passes_and_the_server_reads_nothing(self):
        self.start_server()
        wire = self.wire()
        content = data(3_000_000)
        sender = self.send(self.put("in/violets and harvests.bin", content), via=wire.address)
        receiver = self.receive(sender.code_shown, via=wire.address)
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/violets and harvests.bin"), content)
        for program in (sender, receiver):
            self.assertIn("which cannot read it", program.err)
        self.assertRegex(sender.code_shown, r"^[0-9]{1,7}-[a-z]+-[a-z]+-[0-9]{2}$")
        selector, *words = sender.code_shown.split("-")
        self.assertLess(int(selector), 2**20)
        self.assertTrue(wire.has(b"pake"))  # the Meet: what passed was seen
        for secret in (b"violets and", content[1000:1016], content[-16:], *(word.encode() for word in words[:2])):
            self.assertFalse(wire.has(secret), secret)

    def test_lines_pass_both_ways(self):
        self.start_server()
        listener = self.start("listen", "--via", self.server.address, stdin=subprocess.PIPE)
        code = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        self.assertEqual(listener.wait_for(r"on the other side:  (.*)\n", "err")[1],
                         f"pake dial --via {self.server.address}")
        dialler = self.start("dial", "--via", self.server.address, env={"PAKE_CODE": code}, stdin=subprocess.PIPE)
        listener.write("from here\n")
        dialler.write("from there\n")
        self.both_end(listener, dialler)
        self.assertEqual((listener.out, dialler.out), ("from there\n", "from here\n"))

    def test_several_receivers_each_have_a_meeting(self):
        self.start_server()
        sender = self.start("send", "--via", self.server.address, "--keep", "2", self.put("in/a", b"abc"))
        codes = []
        for number in range(2):
            codes.append(sender.wait_for(r"(?s)" + r"the code is  (\S+)\n.*" * (number + 1), "err")[number + 1])
            receiver = self.receive(codes[-1], out=f"out{number}")
            self.assertEqual(receiver.wait(), OK, receiver.err)
            self.assertEqual(self.read(f"out{number}/a"), b"abc")
        self.assertEqual(sender.wait(), OK, sender.err)
        self.assertNotEqual(*codes)

    def test_a_wrong_code_uses_it_up(self):
        self.start_server()
        sender = self.send(self.put("in/a", b"abc"))
        selector = sender.code_shown.split("-")[0]
        receiver = self.receive(f"{selector}-copper-copper-11")
        self.ends(sender, receiver, (AUTH_FAILED, AUTH_FAILED))
        late = self.receive(sender.code_shown)
        self.assertEqual(late.wait(), UNREACHABLE, late.err)
        self.assertIn(f"nobody waits under {selector}", late.err)
        self.assertFalse(os.path.exists(self.path("out/a")))

    def test_with_more_tries_the_next_one_may_know_it(self):
        self.start_server()
        sender = self.send("--tries", "2", self.put("in/a", b"abc"))
        selector = sender.code_shown.split("-")[0]
        wrong = self.receive(f"{selector}-copper-copper-11")
        self.assertEqual(wrong.wait(), AUTH_FAILED, wrong.err)
        self.ends(sender, self.receive(sender.code_shown))
        self.assertIn("1 try is left", sender.err)

    def test_who_comes_and_says_nothing_costs_a_try(self):
        self.start_server()
        sender = self.send("--tries", "2", self.put("in/a", b"abc"))
        joined = Meeting(self.server.address, Meeting.JOIN, selector=int(sender.code_shown.split("-")[0]))
        self.assertEqual(joined.met()[0], Meeting.JOINED)
        joined.hang_up()
        self.ends(sender, self.receive(sender.code_shown))

    def test_where_nobody_may_meet_it_is_said(self):
        self.start_server("[services]\necho = \"echo\"\n")
        for program in (self.run_pake("send", "--via", self.server.address, self.put("in/a")),
                        self.run_pake("listen", "--via", self.server.address),
                        self.run_pake("dial", "--via", self.server.address, env={"PAKE_CODE": "7-copper-copper-11"})):
            self.assertEqual(program.code, SERVICE, program.err)
            self.assertIn("lets no strangers meet", program.err)
            self.assertIn("--via NAME@HOST", program.err)

    def test_a_number_under_which_nobody_waits(self):
        self.start_server()
        for number in (0, 7, 2**20):
            program = self.run_pake("dial", "--via", self.server.address, env={"PAKE_CODE": f"{number}-copper-copper-11"})
            self.assertEqual(program.code, UNREACHABLE, program.err)
            self.assertIn(f"nobody waits under {number} ", program.err)

    def test_after_ten_wrong_numbers_one_waits(self):
        self.start_server()
        for number in range(10):
            self.refused(lambda: Meeting(self.server.address, Meeting.JOIN, selector=number).met())
        program = self.run_pake("dial", "--via", self.server.address, "--deadline", "3",
                                env={"PAKE_CODE": "11-copper-copper-11"})
        self.assertEqual(program.code, THROTTLED, program.err)
        self.assertRegex(program.err, r"try again in \d{2,3} s")

    def test_a_server_that_is_not_there(self):
        program = self.run_pake("send", "--via", "127.0.0.1:1", self.put("in/a"))
        self.assertEqual(program.code, UNREACHABLE, program.err)

    def test_words_that_do_not_go_together(self):
        file = self.put("in/a")
        for words in (("send", "--via", "127.0.0.1:1", "--listen", "0", file), ("send", "--via", "127.0.0.1:1", "--lan", file),
                      ("receive", "--via", "127.0.0.1:1", "--yes", "127.0.0.1:2"), ("dial", "--via", "127.0.0.1:1", "127.0.0.1:2"),
                      ("listen", "--via", "127.0.0.1:1", "0"), ("send", "--password-file", file, file),
                      ("dial", "--via", "7-copper-copper-11"),
                      ("send", "--via", "@127.0.0.1", file)):
            with self.subTest(words):
                program = self.run_pake(*words, env={"PAKE_CODE": "7-copper-copper-11"})
                self.assertEqual(program.code, USAGE, program.err)
        program = self.run_pake("dial", "--via", "127.0.0.1:1", env={"PAKE_CODE": "copper-copper-11"})
        self.assertEqual(program.code, USAGE, program.err)
        self.assertIn("no number in front", program.err)


class Cuts(ViaCase):
    def cutter(self, *after):
        cutter = Cutter(self.server.address, after)
        self.addCleanup(cutter.close)
        return cutter

    def test_after_cuts_both_go_on_behind_the_server(self):
        self.start_server()
        content = data(2_000_000)
        sender = self.send(self.put("in/a", content))
        cutter = self.cutter(700_000, 300_000)
        receiver = self.receive(sender.code_shown, via=cutter.address)
        self.ends(sender, receiver)
        self.assertEqual(cutter.cuts, 2)
        self.assertEqual(self.read("out/a"), content)
        for program in (sender, receiver):
            self.assertEqual(program.err.count("connected again"), 2, program.err)

    def test_when_the_server_goes_it_ends_in_time(self):
        self.start_server()
        sender = self.send(self.put("in/a", data(50_000_000)), "--wait", "1")
        receiver = self.receive(sender.code_shown, "--wait", "1")
        for side in (sender, receiver):
            side.wait_for("connected: both sides", "err")
        self.server.process.kill()
        self.ends(sender, receiver, (CUT_SHORT, CUT_SHORT))
        whole = [name for name in os.listdir(self.path("out")) if not name.endswith(".pake-part")]
        self.assertEqual(whole, [])


class Users(ViaCase):
    def setUp(self):
        super().setUp()
        self.start_server(USERS)
        self.add_user("alice")
        self.add_user("bob", "another password")

    def test_users_meet_by_the_service_of_that_name(self):
        content = data(700_000)
        sender = self.send(self.put("in/a", content), via="alice@" + self.server.address, env={"PAKE_PASSWORD": PASSWORD})
        self.assertIn("pake receive --via NAME@" + self.server.address, sender.err)
        receiver = self.receive(sender.code_shown, via="bob@" + self.server.address, env={"PAKE_PASSWORD": "another password"})
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/a"), content)

    def test_the_service_may_have_another_name(self):
        self.server.stop()
        self.start_server("[services]\nrendezvous = \"meet\"\n")
        alice, bob = {"PAKE_PASSWORD": PASSWORD}, {"PAKE_PASSWORD": "another password"}
        program = self.run_pake("send", "--via", "alice@" + self.server.address, self.put("in/a"), env=alice)
        self.assertEqual(program.code, SERVICE, program.err)
        self.assertIn("no service called meet\n", program.err)
        sender = self.send("--via-service", "rendezvous", self.put("in/a", b"abc"), via="alice@" + self.server.address, env=alice)
        self.ends(sender, self.receive(sender.code_shown, "--via-service", "rendezvous", via="bob@" + self.server.address, env=bob))
        self.assertEqual(self.read("out/a"), b"abc")
        for wrong in (("--via", self.server.address, "--via-service", "rendezvous"),
                      ("--via", "alice@" + self.server.address, "--via-service", "7 services")):
            program = self.run_pake("send", *wrong, self.put("in/a"), env=alice)
            self.assertEqual(program.code, USAGE, program.err)

    def test_a_password_and_a_code_from_files(self):
        listener = self.start("listen", "--via", "alice@" + self.server.address, "--password-file",
                              self.path("alice", PASSWORD + "\n"), stdin=subprocess.PIPE)
        code = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        dialler = self.start("dial", "--via", "bob@" + self.server.address, "--code-file", self.path("code", code + "\n"),
                             "--password-file", self.path("bob", "another password\n"), stdin=subprocess.PIPE)
        listener.write("x\n")
        self.both_end(listener, dialler)
        self.assertEqual(dialler.out, "x\n")

    def test_a_wrong_password_and_a_server_without_that_service(self):
        file = self.put("in/a")
        program = self.run_pake("send", "--via", "alice@" + self.server.address, file, env={"PAKE_PASSWORD": "wrong"})
        self.assertEqual(program.code, AUTH_FAILED, program.err)
        other = self.serve("--config", self.path("other.toml", STRANGERS))
        program = self.run_pake("send", "--via", "alice@" + other.address, file, env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(program.code, SERVICE, program.err)
        self.assertIn("no service called meet", program.err)


class Configured(ViaCase):
    def test_the_configuration_says_behind_whom(self):
        self.start_server()
        os.makedirs(self.path("home/pake"))
        self.path("home/pake/config.toml", f"via = \"box\"\n[host.box]\naddress = \"{self.server.address}\"\n")
        home = {"XDG_CONFIG_HOME": self.path("home")}
        sender = self.start("send", self.put("in/a", b"abc"), env=home)
        code = sender.wait_for(r"the code is  (\S+)\n", "err")[1]
        receiver = self.start("receive", "--yes", "--out", self.path("out"), env=home | {"PAKE_CODE": code})
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/a"), b"abc")
        listener = self.start("listen", "127.0.0.1:0", env=home)  # what is typed wins
        self.assertRegex(listener.wait_for(r"the code is  (\S+)\n", "err")[1], r"^[a-z]")
        self.assertEqual(self.run_pake("hosts", "list", env=home | {"XDG_STATE_HOME": self.directory}).code, OK)
        program = self.run_pake("connect", "alice@box", "--check-config", env=home)
        self.assertEqual(program.code, OK, program.err)


if __name__ == "__main__":
    unittest.main()
