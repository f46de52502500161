"""Addresses and names: what is looked up, how long that may take, and where a listener can be reached."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

from harness import FAILED, OK, PAKE, UNREACHABLE, USAGE, needs_ipv6, tcp
from pipe_test import Pipe

SILENT = "127.0.0.53"  # a name server that never answers, on port 53


def can_have_its_own_files():
    """Whether /etc/hosts and /etc/resolv.conf can be replaced for one process."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True)
    return tried.returncode == 0


@unittest.skipUnless(can_have_its_own_files(), "no mount namespace for a hosts file of the test's own")
class Names(Pipe):
    def dial_with(self, files, address, code, *args):
        """`pake dial` in a mount namespace in which these files have other contents."""
        mounts = "".join(f"mount --bind {self.path(os.path.basename(path), content)} {path} && " for path, content in files.items())
        return self.start("--mount", "sh", "-c", f'{mounts}exec "$@"', "sh", PAKE, "dial", address, *args, program="unshare",
                          env={"PAKE_PASSWORD": code})

    @contextlib.contextmanager
    def silent_server(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            try:
                server.bind((SILENT, 53))
            except OSError as error:
                self.skipTest(f"no port 53 for a name server: {error}")
            yield {"/etc/resolv.conf": f"nameserver {SILENT}\n", "/etc/nsswitch.conf": "hosts: files dns\n"}

    def test_a_look_up_counts_in_the_deadline(self):
        with self.silent_server() as files:
            began = time.monotonic()
            caller = self.dial_with(files, "slow.example:1", "copper-copper-11", "--deadline", "1")
            self.assertEqual(caller.wait(), UNREACHABLE)
            self.assertTrue(1 <= time.monotonic() - began < 4)
            self.assertIn("error: cannot connect to slow.example:1: ", caller.err)

    def test_a_look_up_is_abandoned_on_a_signal(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), self.silent_server() as files:
                caller = self.dial_with(files, "slow.example:1", "copper-copper-11", "--deadline", "60")
                time.sleep(1)
                began = time.monotonic()
                caller.stop(number)
                self.assertLess(time.monotonic() - began, 3)
                self.assertIn(caller.wait(), (128 + number, -number))

    def test_listening_on_a_name_is_abandoned_too(self):
        commands = (("listen", "slow.example:0"), ("dial", "127.0.0.1:1", "-L", "slow.example:0"),
                    ("serve", "slow.example:0", "--data", self.path("data")),
                    ("serve", "127.0.0.1:0", "--data", self.path("other data"), "--metrics", "slow.example:9464"),
                    ("forward", "alice@127.0.0.1:1", "-L", "slow.example:0:echo"))
        with self.silent_server() as files:
            mounts = "".join(f"mount --bind {self.path(os.path.basename(p), content)} {p} && " for p, content in files.items())
            hosts = [self.start("--mount", "sh", "-c", f'{mounts}exec "$@"', "sh", PAKE, *command, program="unshare",
                                env={"PAKE_CODE": "copper-copper-11", "PAKE_PASSWORD": "x"}) for command in commands]
            time.sleep(2)
            for host, command in zip(hosts, commands):
                with self.subTest(command):
                    self.assertIsNone(host.process.poll(), host.err)
                    began = time.monotonic()
                    self.assertEqual(host.stop(signal.SIGINT), 128 + signal.SIGINT, host.err)
                    self.assertLess(time.monotonic() - began, 3)

    def test_an_address_that_does_not_answer_does_not_hold_the_others_up(self):
        """RFC 8305: a name with two addresses, of which one swallows what is sent."""
        for dead, living in (("127.0.0.3", "127.0.0.4"), ("127.0.0.4", "127.0.0.3")):
            with self.subTest(dead=dead), contextlib.ExitStack() as stack:
                host = self.start("listen", f"{living}:0")
                code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
                port = tcp(host.wait_for(r"pake dial (127\.0\.0\.[34]:[0-9]+)\n", "err")[1])[1]
                hole = stack.enter_context(socket.socket())
                hole.bind((dead, port))
                hole.listen(0)
                for _ in range(3):  # its queue is full: the kernel drops who comes next
                    filler = stack.enter_context(socket.socket())
                    filler.setblocking(False)
                    filler.connect_ex((dead, port))
                hosts = {"/etc/hosts": f"127.0.0.3 two.pake-test\n127.0.0.4 two.pake-test\n"}
                began = time.monotonic()
                caller = self.dial_with(hosts, f"two.pake-test:{port}", code)
                self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
                self.assertLess(time.monotonic() - began, 4)


class Families(Pipe):
    @needs_ipv6
    def test_no_host_stands_for_both(self):
        for address in (":0", "[::]:0"):
            for near in ("127.0.0.1", "[::1]"):
                with self.subTest(address=address, near=near):
                    host = self.start("listen", address)
                    code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
                    port = host.wait_for(r"pake dial \S+:([0-9]+)\n", "err")[1]
                    caller = self.dial(f"{near}:{port}", code)
                    self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
                    self.assertIn(f"connected: {near}:", host.err)


class Words(Pipe):
    """What is said when an address cannot be had."""

    def test_a_unix_path(self):
        missing, file = self.path("no/socket"), self.path("file", "content")
        for path, words in ((missing, "No such file or directory"), (file, "a file that is no socket is there already")):
            host = self.run_pake("listen", f"unix:{path}")
            self.assertEqual(host.code, FAILED)
            self.assertIn(f"error: cannot listen on unix:{path}: {words}\n", host.err)
            self.assertNotIn("port 0", host.err)
            for words_before in (("serve", f"unix:{path}", "--data", self.path("data")), ("eke", "listen", f"unix:{path}"),
                                 ("send", file, "--listen", f"unix:{path}")):
                host = self.run_pake(*words_before)
                self.assertEqual(host.code, FAILED)
                self.assertIn(f"error: cannot listen on unix:{path}: {words}\n", host.err)
                self.assertNotIn("port 0", host.err)
        for path, words in ((missing, "no such file or directory"), (file, "Socket operation on non-socket")):
            caller = self.dial(f"unix:{path}", "copper-copper-11")
            self.assertEqual(caller.wait(), UNREACHABLE)
            self.assertIn(words, caller.err)
        self.assertNotIn("hint:", caller.err)
        with open(file) as unchanged:
            self.assertEqual(unchanged.read(), "content")

    def test_a_port_for_metrics(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for address, code, words in (("127.0.0.1:%d" % taken.getsockname()[1], FAILED, "somebody listens there already"),
                                         ("violin-harvest-42:80", USAGE, "this looks like a code")):
                server = self.run_pake("serve", "127.0.0.1:0", "--data", self.path("data"), "--metrics", address)
                self.assertEqual(server.code, code, server.err)
                self.assertIn(words, server.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
