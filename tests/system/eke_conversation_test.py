"""`pake eke listen` and `pake eke connect` as people use them: what they print, and how they end."""

import fcntl
import itertools
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

from harness import AUTH_FAILED, FAILED, OK, PAKE, PEM, STORE, UNREACHABLE, USAGE, Case, needs_ipv6

DIGITS = r"[0-9]{10}"


class Figures(Case):
    """Figures 1 and 2 of the seed, line by line."""

    def assert_figures(self, listener, connector, said, user="server", peer=r"\('127\.0\.0\.1', [0-9]+\)"):
        printed = re.fullmatch(f"pk: ({PEM})Ks: ({DIGITS})\nNC: ({DIGITS})\nN1_2: ({DIGITS})({DIGITS})\n"
                               "Authentication success\n(.*)", connector.out, re.S)
        self.assertTrue(printed, connector.out)
        pem, ks, nc, nc_again, _, answers = printed.groups()
        self.assertEqual(nc, nc_again)
        self.assertEqual(answers, "".join(f"Server say: receive {line}\n" for line in said))
        self.assertRegex(listener.out,
                         f"\\AConnected From {peer}\nuser is {user}\npk: {re.escape(pem)}Ks: {ks}\nNC: {nc}\n"
                         "N2 is equal to NS\nAuthentication success\n"
                         + "".join(f"User {user} say: {re.escape(line)}\n" for line in said)
                         + f"User {user} quit!\n\\Z")

    def converse(self, *args, said=("hello", "how are you", "grüße"), address="127.0.0.1:0", **figure):
        listener = self.listen(*args, address=address)
        connector = self.connect(listener.address, *args, lines="".join(line + "\n" for line in said))
        self.assertEqual(connector.code, OK, connector.err)
        listener.wait_for("quit!\n")
        self.assertEqual(listener.stop(), 128 + signal.SIGTERM)
        self.assert_figures(listener, connector, said, **figure)
        for side in (listener, connector):
            self.assertEqual(side.err.count("insecure"), 1, side.err)
            self.assertNotIn("error:", side.err)

    def test_gcm(self):
        self.converse()

    def test_cbc(self):
        self.converse("--mode", "cbc")

    @needs_ipv6
    def test_ipv6(self):
        self.converse(address="[::1]:0", peer=r"\('::1', [0-9]+, 0, 0\)")

    def test_unix_socket(self):
        path = self.path("socket")
        self.converse(address="unix:" + path, peer=re.escape(f"'unix:{path}'"))
        self.assertFalse(os.path.exists(path), "the path goes with its listener")

    def test_nothing_said(self):
        self.converse(said=())

    def test_larger_keys(self):
        listener = self.listen()
        for bits in ("1025", "2048", "4096"):
            connector = self.connect(listener.address, "--bits", bits, lines="hello\n")
            self.assertEqual(connector.code, OK, connector.err)
            self.assertIn("Server say: receive hello\n", connector.out)

    def test_without_arguments(self):
        """On 127.0.0.1:8088, in a network of this test's own."""
        inside = subprocess.run(["unshare", "--user", "--map-root-user", "--net", sys.executable, __file__, "--inside"],
                                capture_output=True, text=True)
        if "unshare:" in inside.stderr:
            self.skipTest(inside.stderr.strip())
        self.assertEqual(inside.returncode, 0, inside.stderr)

    def inside_without_arguments(self):
        with socket.socket() as any_socket:  # bring the loopback up
            request = struct.pack("16sH14x", b"lo", 1)
            fcntl.ioctl(any_socket, 0x8914, request)
        listener = self.start("eke", "listen")
        listener.wait_for("listening on 127.0.0.1:8088\n", "err")
        connector = self.start("eke", "connect", stdin=subprocess.PIPE)
        connector.write("hello\nquit\nnever sent\n")
        self.assertEqual(connector.wait(), OK, connector.err)
        listener.wait_for("quit!\n")
        self.assert_figures(listener, connector, ["hello"])


class Chat(Case):
    def setUp(self):
        super().setUp()
        self.listener = self.listen()

    def test_a_line_without_end_is_sent_and_empty_ones_are_not(self):
        connector = self.connect(self.listener.address, lines="\n\na\r\n\nlast")
        self.assertEqual(connector.code, OK)
        self.assertEqual(re.findall("Server say: (.*)\n", connector.out), ["receive a", "receive last"])

    def test_quit_ends_the_session(self):
        connector = self.connect(self.listener.address, lines="a\nquit\nb\n")
        self.assertEqual(connector.code, OK)
        self.assertEqual(re.findall("Server say: (.*)\n", connector.out), ["receive a"])
        self.listener.wait_for("User server quit!\n")

    def test_a_line_too_long_is_refused_and_the_session_goes_on(self):
        longest, longer = "x" * 1016, "y" * 1017
        connector = self.connect(self.listener.address, lines=f"{longer}\n{longest}\n{'z' * 100_000}\nend\n")
        self.assertEqual(re.findall("Server say: (.*)\n", connector.out), ["receive " + longest, "receive end"])
        self.assertRegex(connector.err, "error: a line of 1017 bytes was not sent.*\n"
                                        "error: a line of 100000 bytes was not sent")
        self.assertEqual(connector.code, FAILED, "not everything was said")

    def test_a_line_that_cannot_be_told_from_two_is_refused(self):
        connector = self.connect(self.listener.address, lines="a\rb\nc\0d\nend\n")
        self.assertEqual(re.findall("Server say: (.*)\n", connector.out), ["receive end"])
        self.assertEqual((connector.err.count("was not sent"), connector.code), (2, FAILED))

    def test_nothing_said_reaches_the_terminals_interpreter(self):
        connector = self.connect(self.listener.address, lines="\x1b[2J\udcff\x07\n")
        self.assertIn("Server say: receive \\x1b[2J\\xff\\x07\n", connector.out)
        self.listener.wait_for(r"User server say: \\x1b\[2J\\xff\\x07\n")

    def test_lines_from_a_file(self):
        with open(self.path("lines", "one\ntwo\n")) as lines:
            connector = self.run_pake("eke", "connect", self.listener.address, stdin=lines)
        self.assertEqual(re.findall("Server say: (.*)\n", connector.out), ["receive one", "receive two"])

    def test_a_line_is_sent_when_it_is_there(self):
        connector = self.start("eke", "connect", self.listener.address, stdin=subprocess.PIPE)
        for line in ("first", "second"):
            connector.write(line + "\n")
            connector.wait_for(f"Server say: receive {line}\n")
        self.assertEqual(connector.wait(), OK)

    def test_many_at_once_print_whole_lines(self):
        lines = [f"{'word' * 100} {n}" for n in range(20)]
        connectors = [self.start("eke", "connect", self.listener.address, "--quiet", stdin=subprocess.PIPE)
                      for _ in range(10)]
        for connector in connectors:
            connector.write("\n".join(lines))
            connector.process.stdin.close()
        for connector in connectors:
            self.assertEqual(connector.process.wait(60), OK)
        self.listener.wait_for(r"(?s)(quit!.*){10}")
        said = re.findall("^User server say: (.*)$", self.listener.out, re.M)
        self.assertEqual(sorted(said), sorted(lines * 10))


class Style(Case):
    def test_json_is_an_object_a_line(self):
        listener = self.listen("--json")
        connector = self.connect(listener.address, "--json", lines="hello\n\x1b\udcff\n")
        listener.wait_for('"quit"')
        ours = [json.loads(line) for line in connector.out.splitlines()]
        theirs = [json.loads(line) for line in listener.out.splitlines()]
        self.assertEqual([e["event"] for e in ours],
                         ["pk", "Ks", "NC", "N1_2", "authenticated", "answer", "answer"])
        self.assertEqual([e["event"] for e in theirs],
                         ["listening", "connected", "user", "pk", "Ks", "NC", "N2_equals_NS", "authenticated", "say",
                          "say", "quit"])
        self.assertEqual(theirs[0]["address"], listener.address)
        self.assertEqual({e["conn"] for e in theirs[1:]}, {1})
        self.assertEqual((ours[5]["line"], theirs[8]["line"], theirs[8]["user"]), ("receive hello", "hello", "server"))
        self.assertEqual(bytes.fromhex(theirs[9]["line_hex"]), b"\x1b\xff")
        self.assertTrue(connector.out.isascii() and listener.out.isascii())

    def test_quiet_leaves_the_secrets_out(self):
        listener = self.listen("--quiet")
        connector = self.connect(listener.address, "--quiet", lines="hello\n")
        listener.wait_for("quit!\n")
        self.assertEqual(connector.out, "Authentication success\nServer say: receive hello\n")
        self.assertEqual(listener.out, "Authentication success\nUser server say: hello\nUser server quit!\n")

    def test_help_has_an_example_and_fits_a_pipe(self):
        for command in ([], ["listen"], ["dial"], ["eke"], ["eke", "listen"], ["eke", "connect"]):
            program = self.run_pake(*command, "--help")
            self.assertEqual(program.code, OK)
            self.assertRegex(program.out, "Examples?:\n  .*" + " ".join(["pake", *command]))
            self.assertIn(" ".join(["Usage: pake", *command, "[OPTIONS]"]), program.out)
        self.assertRegex(self.run_pake("--version").out, r"\Apake [0-9]+\.[0-9]+\.[0-9]+\n\Z")


class Users(Case):
    def test_a_file_of_users(self):
        users = self.path("users", "# who may come\nalice:wonderland\nali:baba\nserver:12345678\n")
        listener = self.listen("--users", users)
        for name, password, code in (("alice", "wonderland", OK), ("ali", "baba", OK), ("server", "12345678", OK),
                                     ("alice", "baba", AUTH_FAILED), ("al", "baba", AUTH_FAILED),
                                     ("alicea", "wonderland", AUTH_FAILED)):
            connector = self.connect(listener.address, "--user", name, env={"PAKE_PASSWORD": password})
            self.assertEqual(connector.code, code, f"{name}:{password}\n{connector.err}")
        self.assertNotIn("others may read", listener.err)

    def test_a_file_that_others_may_read_is_said(self):
        users = self.path("users", "a:b\n")
        os.chmod(users, 0o644)
        self.assertIn(f"note: others may read {users}\nhint: chmod 600 {users}\n", self.listen("--users", users).err)

    def test_a_bad_file_is_an_error(self):
        program = self.run_pake("eke", "listen", "127.0.0.1:0", "--users", self.path("users", "a:b\nc\n"))
        self.assertEqual(program.code, STORE)
        self.assertIn("line 2: name:password is expected", program.err)
        self.assertEqual(self.run_pake("eke", "listen", "--users", self.path("absent")).code, STORE)

    def test_the_users_are_all_there_is(self):
        for other in (["--user", "x"], ["--password-file", "x"]):
            program = self.run_pake("eke", "listen", "--users", "x", *other)
            self.assertEqual(program.code, USAGE)


class Secrets(Case):
    def test_every_source(self):
        reading, writing = os.pipe()
        os.write(writing, b"swordfish\n")
        os.close(writing)
        file = self.path("password", "swordfish\n")
        listener = self.listen("--password-fd", str(reading), pass_fds=(reading,))
        os.close(reading)
        self.assertEqual(self.connect(listener.address, "--password-file", file).code, OK)
        self.assertEqual(self.connect(listener.address, env={"PAKE_PASSWORD": "swordfish"}).code, OK)
        self.assertEqual(self.connect(listener.address).code, AUTH_FAILED, "the seed's password is another")

    def test_the_variable_is_gone_from_the_process(self):
        listener = self.listen(env={"PAKE_PASSWORD": "swordfish"})
        with open(f"/proc/{listener.process.pid}/environ", "rb") as environment:
            self.assertNotIn(b"swordfish", environment.read())

    def test_in_the_command_line_it_is_refused(self):
        for arguments in (["--password", "hunter2"], ["--password=hunter2"], ["-p", "hunter2"], ["--pass", "hunter2"]):
            for command in ("listen", "connect"):
                program = self.run_pake("eke", command, *arguments)
                self.assertEqual((program.code, program.out), (USAGE, ""))
                self.assertRegex(program.err, "\\Aerror: a password on the command line .*\nhint: use --password-file")
                self.assertNotIn("hunter2", program.err)

    def test_no_core_dumps(self):
        listener = self.listen()
        with open(f"/proc/{listener.process.pid}/limits") as limits:
            self.assertRegex(limits.read(), r"Max core file size +0 +0 ")


class Ends(Case):
    """Exit codes, and the words that go with them."""

    def test_wrong_password(self):
        listener = self.listen()
        connector = self.connect(listener.address, env={"PAKE_PASSWORD": "another"}, lines="never sent\n")
        self.assertEqual(connector.code, AUTH_FAILED)
        self.assertNotIn("Authentication success", connector.out)
        self.assertRegex(connector.err, "error: .*another password\nhint: ")
        listener.wait_for("error: connection 1, 127.0.0.1:[0-9]+: .*password", "err")
        self.assertNotRegex(listener.out, "Authentication success|say")
        self.assert_serves(listener)

    def test_another_mode_is_another_password(self):
        listener = self.listen("--mode", "cbc")
        self.assertEqual(self.connect(listener.address).code, AUTH_FAILED)
        self.assert_serves(listener, "--mode", "cbc")

    def test_unknown_user(self):
        listener = self.listen()
        connector = self.connect(listener.address, "--user", "mallory")
        self.assertEqual(connector.code, AUTH_FAILED)
        self.assertRegex(connector.out, f"\\Apk: {PEM}connect error\n\\Z")
        listener.wait_for("user error\n")
        self.assert_serves(listener)

    def test_unreachable(self):
        listener = self.listen()
        address = listener.address
        listener.stop()
        for where in (address, "unix:" + self.path("nothing"), "no-such-host.invalid:1"):
            connector = self.connect(where)
            self.assertEqual((connector.code, connector.out), (UNREACHABLE, ""), connector.err)
            self.assertIn(f"error: cannot connect to {where}: ", connector.err)
        self.assertIn(f"hint: start the other side first: pake eke listen {address}\n", self.connect(address).err)

    def test_usage(self):
        for arguments in ([], ["eke"], ["nonsense"], ["eke", "nonsense"], ["eke", "listen", "--nonsense"],
                          ["eke", "listen", "a:b:c"], ["eke", "listen", "host:99999"], ["eke", "connect", "--bits", "512"],
                          ["eke", "connect", "--bits", "8192"], ["eke", "connect", "--mode", "ecb"],
                          ["eke", "connect", "--deadline", "0"], ["eke", "connect", "127.0.0.1:0"],
                          ["eke", "listen", "unix:"], ["eke", "listen", "127.0.0.1:1", "127.0.0.1:2"],
                          ["eke", "connect", "--user", ""], ["eke", "listen", "--user", ""]):
            program = self.run_pake(*arguments)
            self.assertEqual((program.code, program.out), (USAGE, ""), arguments)
            self.assertRegex(program.err, r"\Aerror: [^A-Z].*\n(hint: .*\n)?\Z", arguments)

    def test_address_in_use(self):
        for address in ("127.0.0.1:0", "unix:" + self.path("socket")):
            listener = self.listen(address=address)
            second = self.run_pake("eke", "listen", listener.address)
            self.assertEqual((second.code, second.out), (FAILED, ""))
            self.assertIn(f"error: cannot listen on {listener.address}: somebody listens there already\n", second.err)
            self.assert_serves(listener)

    def test_the_socket_of_a_killed_listener_is_replaced(self):
        address = "unix:" + self.path("socket")
        self.listen(address=address).stop(signal.SIGKILL)
        self.assertTrue(os.path.exists(self.path("socket")))
        self.assert_serves(self.listen(address=address))

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            listener = self.listen()
            connector = self.start("eke", "connect", listener.address, stdin=subprocess.PIPE)
            connector.wait_for("Authentication success\n")
            self.assertEqual(connector.stop(number), 128 + number)
            listener.wait_for("User Abnormal Exit\n")
            connector = self.start("eke", "connect", listener.address, stdin=subprocess.PIPE)
            connector.wait_for("Authentication success\n")
            self.assertEqual(listener.stop(number), 128 + number, "with a session open")

    def test_once(self):
        for password, user, code in (("12345678", "server", OK), ("another", "server", AUTH_FAILED),
                                     ("12345678", "mallory", AUTH_FAILED)):
            listener = self.listen("--once")
            self.connect(listener.address, "--user", user, env={"PAKE_PASSWORD": password})
            self.assertEqual(listener.wait(), code)
            self.assertEqual(self.connect(listener.address).code, UNREACHABLE)

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "w") as full:
            listener = self.listen(stdout=full)
            self.connect(listener.address)
            self.assertEqual(listener.wait(), FAILED)
            self.assertIn("error: cannot write to stdout: No space left on device\n", listener.err)
            connector = self.connect(self.listen().address, stdout=full)
            self.assertEqual(connector.code, FAILED)
            self.assertIn("error: cannot write to stdout: No space left on device\n", connector.err)
            self.assertEqual(self.run_pake("--help", stdout=full).code, FAILED)

    def test_a_reader_that_goes_away_is_an_error(self):
        reading, writing = os.pipe()
        listener = self.listen(stdout=writing)
        os.close(writing)
        os.close(reading)
        self.connect(listener.address)
        self.assertEqual(listener.wait(), FAILED)
        self.assertIn("error: cannot write to stdout: Broken pipe\n", listener.err)

    def test_a_closed_standard_stream_is_an_error(self):
        listener = self.listen()
        for closed, error in (("<&-", "cannot read stdin"), (">&-", "cannot write to stdout")):
            shell = subprocess.run(["sh", "-c", f'exec "$0" eke connect "$1" {closed}', PAKE, listener.address],
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
            self.assertEqual(shell.returncode, FAILED)
            self.assertIn(f"error: {error}: Bad file descriptor\n", shell.stderr)
        self.assert_serves(listener)

    def test_a_reader_that_shares_a_non_blocking_stdout_is_waited_for(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        listener = self.listen(stdout=writing)
        os.close(writing)
        lines = "".join(f"{'x' * 1000}{n}\n" for n in range(100))  # more than a pipe holds
        connector = self.start("eke", "connect", listener.address, "--quiet", stdin=subprocess.PIPE)
        connector.write(lines)
        time.sleep(1)  # by now the pipe is full
        with open(reading) as slow_reader:
            connector.process.stdin.close()
            printed = list(itertools.takewhile(lambda line: line != "User server quit!\n", slow_reader))
        self.assertEqual(sum("say" in line for line in printed), 100)

    def test_more_connections_than_allowed_are_closed(self):
        listener = self.listen("--max-connections", "1")
        first = self.start("eke", "connect", listener.address, stdin=subprocess.PIPE)
        first.wait_for("Authentication success\n")
        self.assertNotEqual(self.connect(listener.address).code, OK)
        listener.wait_for("error: connection 2, .*: closed at once, 1 connections are open\n", "err")
        first.write("hello\n")
        first.wait_for("Server say: receive hello\n")
        self.assertEqual(first.wait(), OK)
        listener.wait_for("quit!\n")
        self.assert_serves(listener)


if __name__ == "__main__":
    if "--inside" in sys.argv:
        inside = unittest.TestSuite([type("Inside", (Figures,), {"runTest": Figures.inside_without_arguments})()])
        sys.exit(not unittest.TextTestRunner().run(inside).wasSuccessful())
    unittest.main(verbosity=2)
