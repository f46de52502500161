"""`pake enroll`, `pake connect` and `pake forward` against `pake serve`: the real binary on both sides."""

import hashlib
import os
import random
import signal
import socket
import subprocess
import termios
import threading
import unittest

from harness import AUTH_FAILED, FAILED, OK, PATIENCE, PROTOCOL, UNREACHABLE, USAGE, reset, tcp
from serving import PASSWORD, Closed, ServeCase, Session, WasReset, wire
from terminal import Terminal

THROTTLED, SERVICE = 5, 8


class Login(ServeCase):
    """A server with alice, who has enrolled by an invitation."""

    def destination(self, name="alice"):
        return f"{name}@{self.server.address}"

    def invite(self, name="alice"):
        return self.path("code", self.pake("user", "invite", name).out)

    def enroll(self, name="alice", password=PASSWORD, code=None, **how):
        return self.run_pake("enroll", self.destination(name), "--ksf-floor", "small", "--code-file",
                             code or self.invite(name), "--password-file", self.path("chosen", password + "\n"), **how)

    def connect(self, *args, name="alice", password=PASSWORD, said=b"", **how):
        """A whole `pake connect` to which `said` is piped; returns exit code, stdout and stderr."""
        program = subprocess.run([os.environ["PAKE"], "connect", self.destination(name), *args], input=said,
                                 capture_output=True, timeout=4 * PATIENCE, check=False,
                                 env={**os.environ, "PAKE_PASSWORD": password}, **how)
        self.assertNotRegex(program.stderr.decode(), "Sanitizer|runtime error")
        return program

    def backend(self, serve):
        """A service behind the server; `serve(connection)` has a thread of its own for each connection."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.addCleanup(listener.close)

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return "127.0.0.1:%d" % listener.getsockname()[1]


def echo(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)


class Enrol(Login):
    def test_a_code_becomes_a_password_and_works_once(self):
        self.server = self.serve()
        code = self.invite()
        enrolled = self.enroll(code=code)
        self.assertEqual((enrolled.code, enrolled.out), (OK, ""), enrolled.err)
        self.assertIn("note: enrolled", enrolled.err)
        self.assertEqual(self.connect(said=b"hello\n").stdout, b"receive hello\n")
        again = self.enroll(code=code)
        self.assertEqual(again.code, AUTH_FAILED, again.err)
        self.assertEqual(self.connect(said=b"still\n").stdout, b"receive still\n")

    def test_an_invitation_for_a_user_resets_the_password_when_it_is_redeemed(self):
        self.server = self.serve()
        self.enroll()
        code = self.invite()
        self.assertEqual(self.connect(said=b"a\n").returncode, OK)
        self.assertEqual(self.enroll(code=code, password="another one").code, OK)
        self.assertEqual(self.connect(said=b"a\n").returncode, AUTH_FAILED)
        self.assertEqual(self.connect(said=b"a\n", password="another one").stdout, b"receive a\n")

    def test_code_and_password_of_the_environment_are_not_mixed_up(self):
        self.server = self.serve()
        code = self.pake("user", "invite", "alice").out.strip()
        enrolled = self.run_pake("enroll", self.destination(), "--ksf-floor", "small",
                                 env={"PAKE_CODE": code, "PAKE_PASSWORD": PASSWORD})
        self.assertEqual(enrolled.code, OK, enrolled.err)
        self.assertEqual(self.connect(said=b"a\n").stdout, b"receive a\n")

    def test_what_is_no_invitation_is_refused_before_anything_is_sent(self):
        self.server = self.serve()
        self.pake("user", "invite", "alice")
        for text in ("violin-harvest-42", "1234567-violin-harvest-sunset", "nonsense"):
            refused = self.enroll(code=self.path("wrong", text))
            self.assertEqual(refused.code, USAGE)
            self.assertRegex(refused.err, "error: what .* gives is not an invitation code.*\nhint: ")
        in_argv = self.run_pake("enroll", self.destination(), "--code", "1234567-a-b-c-d")
        self.assertEqual(in_argv.code, USAGE)
        self.assertRegex(in_argv.err, "error: .*\nhint: ")

    def test_another_name_cannot_use_a_code(self):
        self.server = self.serve()
        code = self.invite("alice")
        refused = self.enroll("bob", code=code)
        self.assertEqual(refused.code, AUTH_FAILED, refused.err)
        self.assertEqual(self.enroll("alice", code=code).code, OK, "the code was used up")


class Passwd(Login):
    NEW = "another good one"

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.assertEqual(self.enroll().code, OK)

    def passwd(self, *args, **how):
        return self.run_pake("passwd", self.destination(), "--ksf-floor", "small", *args, **how)

    def assert_changed(self, password=None):
        self.assertEqual(self.connect(said=b"a\n").returncode, AUTH_FAILED)
        self.assertEqual(self.connect(said=b"a\n", password=password or self.NEW).stdout, b"receive a\n")

    def assert_unchanged(self):
        self.assertEqual(self.connect(said=b"a\n").stdout, b"receive a\n")

    def test_each_source_of_each_password(self):
        old, new = self.path("old", PASSWORD + "\n"), self.path("new", self.NEW + "\n")
        changed = self.passwd("--password-file", old, "--new-password-file", new,
                              env={"PAKE_PASSWORD": "not this", "PAKE_NEW_PASSWORD": "nor this"})
        self.assertEqual((changed.code, changed.out), (OK, ""), changed.err)
        self.assertIn("note: the password of alice@", changed.err)
        self.assert_changed()
        back = self.passwd(env={"PAKE_PASSWORD": self.NEW, "PAKE_NEW_PASSWORD": PASSWORD})
        self.assertEqual(back.code, OK, back.err)
        self.assert_unchanged()
        with open(new, "rb") as file:
            changed = self.passwd("--new-password-fd", str(file.fileno()), pass_fds=(file.fileno(),),
                                  env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(changed.code, OK, changed.err)
        self.assert_changed()

    def test_a_wrong_password_changes_nothing(self):
        refused = self.passwd(env={"PAKE_PASSWORD": "wrong", "PAKE_NEW_PASSWORD": self.NEW})
        self.assertEqual(refused.code, AUTH_FAILED, refused.err)
        self.assert_unchanged()

    def test_what_is_no_password_is_refused_before_anything_is_sent(self):
        for given in ("", "a\x01b", "x" * 1025):
            refused = self.passwd("--new-password-file", self.path("new", given), env={"PAKE_PASSWORD": PASSWORD})
            self.assertIn(refused.code, (FAILED, USAGE))
            self.assertRegex(refused.err, "^error: ")
        in_argv = self.passwd("--new-password", self.NEW, env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(in_argv.code, USAGE)
        self.assertRegex(in_argv.err, "error: a password on the command line .*\nhint: use --new-password-file")
        self.assertNotIn(self.NEW, in_argv.err)
        self.assert_unchanged()

    def test_a_stretching_weaker_than_wanted_changes_nothing(self):
        refused = self.run_pake("passwd", self.destination(),
                                env={"PAKE_PASSWORD": PASSWORD, "PAKE_NEW_PASSWORD": self.NEW})
        self.assertEqual(refused.code, PROTOCOL, refused.err)
        self.assertIn("hint: --ksf-floor", refused.err)
        self.assert_unchanged()

    def test_at_a_terminal_the_new_one_is_asked_for_twice(self):
        terminal = Terminal("passwd", self.destination(), "--ksf-floor", "small")
        self.addCleanup(terminal.close)
        terminal.see("Old password of alice@[^:]*:[0-9]+: ")
        self.assertFalse(terminal.has(termios.ECHO))
        terminal.type("wrong\n")
        terminal.see("New password of alice@[^:]*:[0-9]+: ")
        terminal.type(self.NEW + "\n")
        terminal.see("Again: ")
        terminal.type("mistyped\n")
        terminal.see("error: the two are not the same")
        terminal.see("New password of alice@[^:]*:[0-9]+: ")
        terminal.type(self.NEW + "\n")
        terminal.see("Again: ")
        terminal.type(self.NEW + "\n")
        terminal.see("error: wrong password")
        terminal.see("Old password of alice@[^:]*:[0-9]+: ")  # and the new one is known by now
        terminal.type(PASSWORD + "\n")
        terminal.see("note: the password of alice@")
        self.assertEqual(terminal.wait(), OK)
        self.assert_changed()

    def test_others_of_this_user_are_logged_out(self):
        other = Session(self.server.address)
        self.assertTrue(other.echo(b"still here"))
        ticket = other.ticket
        changed = self.passwd(env={"PAKE_PASSWORD": PASSWORD, "PAKE_NEW_PASSWORD": self.NEW})
        self.assertEqual(changed.code, OK, changed.err)
        with self.assertRaises((Closed, WasReset)):
            other.read_until(lambda: False)
        self.refused(lambda: Session(self.server.address, ticket=ticket))

    def test_a_resumed_channel_cannot_change_a_password(self):
        logged_in = Session(self.server.address)
        self.assertTrue(logged_in.echo(b"for a ticket"))
        resumed = Session(self.server.address, ticket=logged_in.ticket, service=b"pake:account")
        body = bytes([2, wire.OPAQUE_RISTRETTO255, 5]) + b"alice" + bytes(32)  # docs/wire.md, section 14
        resumed.pipe.write(bytes([1]) + len(body).to_bytes(3, "big") + body)
        with self.assertRaises(WasReset):
            resumed.read_until(lambda: resumed.sink.data)
        resumed.hang_up()
        self.assert_unchanged()


class Connect(Login):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--service", "raw=" + self.backend(echo))
        self.assertEqual(self.enroll().code, OK)

    def test_a_pipe_carries_every_byte_both_ways(self):
        for size in (0, 1, 3_000_000):
            data = random.Random(size).randbytes(size)
            piped = self.connect("raw", said=data)
            self.assertEqual(piped.returncode, OK, piped.stderr)
            self.assertEqual(hashlib.sha256(piped.stdout).digest(), hashlib.sha256(data).digest())

    def test_wrong_password_and_unknown_name_look_alike(self):
        wrong = self.connect(password="wrong")
        unknown = self.connect(name="mallory")
        for refused in (wrong, unknown):
            self.assertEqual((refused.returncode, refused.stdout), (AUTH_FAILED, b""))
        self.assertEqual(wrong.stderr.replace(b"alice", b"mallory"), unknown.stderr)

    def test_a_throttled_account_says_how_long(self):
        for _ in range(10):
            self.assertEqual(self.connect(password="wrong").returncode, AUTH_FAILED)
        throttled = self.connect()
        self.assertEqual(throttled.returncode, THROTTLED, throttled.stderr)
        self.assertRegex(throttled.stderr.decode(), r"try again in [0-9]+ s")
        self.pake("user", "unthrottle", "alice")
        self.assertEqual(self.connect(said=b"a\n").stdout, b"receive a\n")

    def test_no_server_and_no_service(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = "127.0.0.1:%d" % closed.getsockname()[1]
        away = self.run_pake("connect", f"alice@{nobody}", env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(away.code, UNREACHABLE)
        self.assertRegex(away.err, "error: cannot connect to .*\nhint: ")
        refused = self.connect("nonesuch", said=b"a\n")
        self.assertEqual(refused.returncode, SERVICE, refused.stderr)
        self.assertRegex(refused.stderr, b"error: the server has no service of that name\nhint: ")

    def test_a_destination_that_is_none_is_refused(self):
        for typed in ("box", "@box", "al ice@box", "violin-harvest-42", "alice@violin-harvest-42", "alice@box:http"):
            refused = self.run_pake("connect", typed, env={"PAKE_PASSWORD": PASSWORD})
            self.assertEqual(refused.code, USAGE, typed)
            self.assertRegex(refused.err, "^error: ", typed)


class Forward(Login):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--service", "raw=" + self.backend(echo))
        self.assertEqual(self.enroll().code, OK)

    def forward(self, *args, **how):
        program = self.start("forward", self.destination(), *args, env={"PAKE_PASSWORD": PASSWORD}, **how)
        program.address = program.wait_for(r"raw is at (\S+)\n", "err")[1]
        return program

    @staticmethod
    def roundtrip(address, data):
        if address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(address[5:])
        else:
            connection = socket.create_connection(tcp(address), PATIENCE)
        with connection:
            connection.settimeout(PATIENCE)
            sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
            sender.start()
            came = b""
            while chunk := connection.recv(65536):
                came += chunk
            sender.join()
            return came

    def test_each_connection_is_a_stream(self):
        forward = self.forward("raw", "-L", "0")
        results = {}

        def one(number):
            data = random.Random(number).randbytes(20_000 + number)
            results[number] = self.roundtrip(forward.address, data) == data

        threads = [threading.Thread(target=one, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, dict.fromkeys(range(40), True))
        self.assertEqual(forward.stop(signal.SIGINT), 128 + signal.SIGINT)

    def test_a_unix_socket_is_its_owners(self):
        path = self.path("socket")
        forward = self.forward("-L", f"unix:{path}:raw")
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        self.assertEqual(self.roundtrip(forward.address, b"over a socket"), b"over a socket")

    def test_a_cut_of_the_backend_is_a_reset_and_no_end(self):
        self.server.stop()
        self.server = self.serve("--service", "raw=" + self.backend(lambda c: (c.recv(1), reset(c))))
        forward = self.forward("raw", "-L", "0")
        with socket.create_connection(tcp(forward.address), PATIENCE) as connection:
            connection.sendall(b"x")
            with self.assertRaises(ConnectionResetError):
                while connection.recv(10):
                    pass

    def test_a_server_that_comes_back_is_joined_again_without_a_question(self):
        forward = self.forward("raw", "-L", "0")
        self.assertEqual(self.roundtrip(forward.address, b"before"), b"before")
        self.server.process.kill()
        self.server.wait()
        forward.wait_for("connecting again", "err")
        service = next(arg for arg in self.server.process.args if arg.startswith("raw="))
        self.server = self.serve("--service", service, address=self.server.address)
        forward.wait_for("connected again", "err")
        self.assertEqual(self.roundtrip(forward.address, b"after"), b"after")

    def test_usage(self):
        for args in ((), ("-L", "8080"), ("raw",), ("raw", "-L", "not a port"), ("raw", "-L", "8080:127.0.0.1:x")):
            refused = self.run_pake("forward", "alice@box", *args, env={"PAKE_PASSWORD": PASSWORD})
            self.assertEqual(refused.code, USAGE, args)
            self.assertRegex(refused.err, "^error: ", args)

    @unittest.skipUnless(os.getuid() == 0, "only root can be another user")
    def test_another_user_is_refused(self):
        forward = self.forward("raw", "-L", "0")
        host, port = tcp(forward.address)
        script = f"import socket; c = socket.create_connection(({host!r}, {port})); c.sendall(b'x'); print(c.recv(1))"
        stranger = subprocess.run(["/usr/bin/python3", "-c", script], user=65534, capture_output=True, check=False,
                                  timeout=PATIENCE)
        self.assertNotIn(b"b'x'", stranger.stdout)
        forward.wait_for("another user was refused", "err")


class Prompts(Login):
    def test_three_tries_at_a_terminal(self):
        self.server = self.serve()
        self.enroll()
        terminal = Terminal("connect", self.destination())
        self.addCleanup(terminal.close)
        for _ in range(2):
            terminal.see("Password of alice@[^:]*:[0-9]+: ")
            terminal.type("wrong\n")
            terminal.see("error: wrong password")
        terminal.see("Password of alice@[^:]*:[0-9]+: ")
        terminal.type(PASSWORD + "\n")
        terminal.see("> ")
        terminal.type("hello\n")
        terminal.see("receive hello")
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), OK)


if __name__ == "__main__":
    unittest.main()
