"""`pake enroll`, `pake connect` and `pake forward` against `pake serve`: the real binary on both sides."""

import contextlib
import hashlib
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import termios
import threading
import time
import unittest

from harness import AUTH_FAILED, CUT_SHORT, FAILED, OK, PAKE, PATIENCE, PROTOCOL, STORE, UNREACHABLE, USAGE, reset, tcp
from serving import PASSWORD, SERVER_HELLO_SIZE, Closed, ServeCase, Session, WasReset, wire
from terminal import Terminal

THROTTLED, SERVICE, REMOTE = 5, 8, 10
CUTS = int(os.environ.get("PAKE_CUTS", 3))  # at random points; scripts/soak has hundreds


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

    def log_out(self, state):
        """By the operator. The server's view may be some seconds old: until it refuses the ticket that `state` keeps."""
        self.pake("user", "logout", "alice")
        deadline = time.monotonic() + PATIENCE
        while self.run_pake("connect", self.destination(), "--remember", has_terminal=False,
                            env={"XDG_STATE_HOME": state}).code != FAILED:  # nobody can be asked for the password
            self.assertLess(time.monotonic(), deadline)

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
    with connection, contextlib.suppress(OSError):  # the other side may have gone
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

    def test_nothing_is_changed_if_the_new_key_of_the_server_could_not_be_kept(self):
        state = {"XDG_STATE_HOME": self.path("state")}
        known = self.run_pake("connect", self.destination(), "--remember", env={"PAKE_PASSWORD": PASSWORD, **state})
        self.assertEqual(known.code, OK, known.err)
        full = self.run_pake("-c", 'ulimit -f 0; exec "$0" "$@"', PAKE, "passwd", self.destination(), "--ksf-floor", "small",
                             program="/bin/sh", env={"PAKE_PASSWORD": PASSWORD, "PAKE_NEW_PASSWORD": self.NEW, **state})
        self.assertEqual(full.code, STORE, full.err)
        self.assertIn("error: cannot remember the server in ", full.err)
        self.assert_unchanged()

    def test_a_cut_says_what_is_known_of_the_account(self):
        def through(passes):
            with Between(self.server.address, passes, "reset") as between:
                env = {"PAKE_PASSWORD": PASSWORD, "PAKE_NEW_PASSWORD": PASSWORD}
                program = self.run_pake("passwd", f"alice@{between.address}", "--ksf-floor", "small", env=env)
                return program, between.passed

        whole, size = through(1 << 40)
        self.assertEqual(whole.code, OK, whole.err)
        # The last that the server sends: a challenge, of 353 bytes, its word that all is stored, of 32, and 58 of ends.
        early, _ = through(size - 100)
        self.assertEqual(early.code, CUT_SHORT, early.err)
        self.assertIn("error: the connection was cut before the password was stored\nhint: try again: the old password is", early.err)
        late, _ = through(size - 60)
        self.assertEqual(late.code, CUT_SHORT, late.err)
        self.assertIn("before the server said that the password is stored\nhint: try to log in with it", late.err)

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


class Remember(Login):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.assertEqual(self.enroll().code, OK)
        self.state = os.path.join(self.directory, "state")

    def remembering(self, *args, password=None, said="a\n"):
        """A `pake connect` under a state directory of the test's own; without a password and a terminal."""
        given = {"PAKE_PASSWORD": password} if password else {}
        program = self.start("connect", self.destination(), *args, stdin=subprocess.PIPE,
                             has_terminal=False, env={"XDG_STATE_HOME": self.state, **given})
        try:
            program.write(said)
        except BrokenPipeError:
            pass
        program.code = program.wait()
        return program

    def hosts(self, *args, code=OK):
        program = self.run_pake("hosts", *args, env={"XDG_STATE_HOME": self.state})
        self.assertEqual(program.code, code, program.err)
        return program

    def files(self):
        directory = os.path.join(self.state, "pake", "hosts")
        return [os.path.join(directory, name) for name in os.listdir(directory)]

    def another_server(self):
        """A server at the same address that knows alice by the same password, and is not the one of before."""
        address, self.data = self.server.address, self.path("other data")
        self.server.stop()
        self.server = self.serve(address=address)
        self.add_user()

    def test_the_next_login_asks_for_no_password(self):
        first = self.remembering("--remember", password=PASSWORD)
        self.assertEqual((first.code, first.out), (OK, "receive a\n"), first.err)
        self.assertIn("is remembered for alice", first.err)
        self.assertEqual([os.stat(path).st_mode & 0o777 for path in self.files()], [0o600])
        for _ in range(2):
            again = self.remembering("--remember")
            self.assertEqual((again.code, again.out), (OK, "receive a\n"), again.err)
        self.assertEqual(self.remembering().code, FAILED, "without --remember there is no ticket, and nobody to ask")

    def test_nothing_is_kept_without_being_told(self):
        self.assertEqual(self.remembering(password=PASSWORD).code, OK)
        self.assertFalse(os.path.exists(self.state))

    def test_a_ticket_that_is_refused_falls_back_to_the_password(self):
        witness = self.path("witness")
        for state in (self.state, witness):
            program = self.run_pake("connect", self.destination(), "--remember", env={"XDG_STATE_HOME": state, "PAKE_PASSWORD": PASSWORD})
            self.assertEqual(program.code, OK, program.err)
        self.log_out(witness)
        fallen_back = self.remembering("--remember", password=PASSWORD)
        self.assertEqual((fallen_back.code, fallen_back.out), (OK, "receive a\n"), fallen_back.err)
        self.assertNotIn("error:", fallen_back.err)
        self.assertEqual(self.run_pake("connect", self.destination(), "--remember",
                                       env={"XDG_STATE_HOME": witness, "PAKE_PASSWORD": PASSWORD}).code, OK)
        self.log_out(witness)
        terminal = Terminal("connect", self.destination(), "--remember", env={"XDG_STATE_HOME": self.state})
        self.addCleanup(terminal.close)
        terminal.see("Password of alice@[^:]*:[0-9]+: ")
        terminal.type(PASSWORD + "\n")
        terminal.see("> ")
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), OK)

    def test_another_server_is_refused_until_it_is_told_to_forget(self):
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK)
        self.another_server()
        for args in (["--remember"], []):
            refused = self.remembering(*args, password=PASSWORD)
            self.assertEqual((refused.code, refused.out), (AUTH_FAILED, ""), refused.err)
            self.assertRegex(refused.err, "error: .* is not the server that is remembered for alice: its key has changed")
            self.assertIn(f"pake hosts forget {self.destination()}", refused.err)
        self.hosts("forget", self.destination())
        self.assertEqual(self.remembering("--remember", password=PASSWORD).out, "receive a\n")

    def test_a_password_change_and_an_invitation_keep_it_true(self):
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK)
        changed = self.run_pake("passwd", self.destination(), "--ksf-floor", "small",
                                env={"XDG_STATE_HOME": self.state, "PAKE_PASSWORD": PASSWORD,
                                     "PAKE_NEW_PASSWORD": "another one"})
        self.assertEqual(changed.code, OK, changed.err)
        self.assertEqual(self.remembering("--remember").code, FAILED, "the ticket is gone, and nobody can be asked")
        self.assertEqual(self.remembering("--remember", password="another one").code, OK)
        address, self.data = self.server.address, self.path("other data")
        self.server.stop()
        self.server = self.serve(address=address)
        enrolled = self.enroll(env={"XDG_STATE_HOME": self.state})
        self.assertEqual(enrolled.code, OK, enrolled.err)
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK, "the invitation vouches for it")

    def test_what_is_damaged_or_open_to_others_is_an_error_that_says_what_to_do(self):
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK)
        path, = self.files()
        os.chmod(path, 0o644)
        exposed = self.remembering("--remember")
        self.assertEqual(exposed.code, STORE)
        self.assertRegex(exposed.err, "error: others .*\nhint: .*chmod 600 ")
        os.chmod(path, 0o600)
        os.truncate(path, 50)
        damaged = self.remembering("--remember", password=PASSWORD)
        self.assertEqual((damaged.code, damaged.out), (STORE, ""))
        self.assertRegex(damaged.err, "error: .* is damaged\nhint: pake hosts forget ")
        self.assertIn("is damaged", self.hosts("list", code=STORE).err)
        self.hosts("forget", self.destination())
        os.mkdir(path)
        unreadable = self.remembering("--remember", password=PASSWORD)
        self.assertEqual(unreadable.code, STORE)
        self.assertRegex(unreadable.err, "error: .*\nhint: ")

    def test_what_could_not_be_kept_costs_neither_an_invitation_nor_a_guess(self):
        self.state = self.path("state", "a file in the place of the directory")
        code, left = self.invite("bob"), self.left()
        refused = self.run_pake("enroll", self.destination("bob"), "--remember", "--ksf-floor", "small", "--code-file", code,
                                env={"XDG_STATE_HOME": self.state, "PAKE_PASSWORD": PASSWORD})
        self.assertEqual(refused.code, STORE, refused.err)
        self.assertIn("error: cannot remember the server in ", refused.err)
        self.assertEqual(self.enroll("bob", code=code).code, OK, "the invitation is still good")
        for password in (PASSWORD, "a wrong one"):
            refused = self.remembering("--remember", password=password)
            self.assertEqual((refused.code, refused.out), (STORE, ""), refused.err)
            self.assertNotIn("first contact", refused.err)
        self.assertEqual(self.left(), left)

    def test_a_login_that_fails_leaves_nothing(self):
        self.assertEqual(self.remembering("--remember", password="a wrong one").code, AUTH_FAILED)
        self.assertEqual(self.files(), [])

    def test_hosts_are_listed_and_forgotten(self):
        self.assertEqual(self.hosts("list").out, "")
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK)
        self.assertRegex(self.hosts("list").out, rf"^{self.destination()}  key SHA256:\S{{43}}  ticket until 20\d\d-\S+Z\n$")
        listed = json.loads(self.hosts("list", "--json").out)
        self.assertEqual((listed["user"], listed["host"]), ("alice", self.server.address))
        self.assertRegex(listed["ticket_until"], "^20..-")
        current, = [epoch for epoch in json.loads(self.pake("keys", "status", "--json").out)["epochs"] if epoch["current"]]
        self.assertEqual(listed["server_key"], current["fingerprint"])
        self.hosts("forget", self.destination())
        self.assertEqual(self.hosts("list").out, "")
        self.assertRegex(self.hosts("forget", self.destination(), code=FAILED).err, "error: .*\nhint: pake hosts list")

    def test_many_at_once_leave_a_whole_file(self):
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK)
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.remembering("--remember").code)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [OK] * 6)
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(self.remembering("--remember").code, OK)

    def test_a_forward_resumes_too(self):
        self.assertEqual(self.remembering("--remember", password=PASSWORD).code, OK)
        forward = self.start("forward", self.destination(), "echo", "-L", "0", "--remember", env={"XDG_STATE_HOME": self.state})
        address = forward.wait_for(r"echo is at (\S+)\n", "err")[1]
        with socket.create_connection(tcp(address), PATIENCE) as connection:
            connection.sendall(b"through\n")
            self.assertEqual(connection.recv(100), b"receive through\n")
        self.assertEqual(forward.stop(signal.SIGINT), 128 + signal.SIGINT)
        self.assertEqual(self.remembering("--remember").code, OK)


class Migrate(Login):
    """A server whose operator has made newer keys current asks for records under them."""

    def epoch(self):
        return json.loads(self.pake("user", "show", "alice", "--json").out)["epoch"]

    def test_a_login_moves_the_record_and_what_is_remembered(self):
        self.server = self.serve()
        self.assertEqual(self.enroll().code, OK)
        state = {"XDG_STATE_HOME": self.path("state"), "PAKE_PASSWORD": PASSWORD}

        def log_in():
            self.log_out(self.path("state"))  # so that it is by the password, and not by a ticket
            program = self.run_pake("connect", self.destination(), "--remember", env=state)
            self.assertEqual((program.code, program.out), (OK, ""), program.err)

        log_in()
        self.assertEqual(self.epoch(), 1)
        self.pake("keys", "stage")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for("reloaded", "err")
        self.pake("keys", "activate")
        deadline = time.monotonic() + PATIENCE
        while self.epoch() == 1:  # a step takes effect on every node some seconds after it was written
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.5)
            log_in()
        self.assertEqual(self.epoch(), 2)
        log_in()  # the key is another one, and the migration has vouched for it
        resumed = self.run_pake("connect", self.destination(), "--remember", has_terminal=False,
                                env={"XDG_STATE_HOME": self.path("state")})
        self.assertEqual(resumed.code, OK, resumed.err)


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

    def test_a_session_that_the_server_ends_is_not_called_a_refused_service(self):
        connected = self.start("connect", self.destination(), "raw", stdin=subprocess.PIPE, env={"PAKE_PASSWORD": PASSWORD})
        connected.wait_for("logged in as alice", "err")
        connected.write("a")
        connected.wait_for("a")
        session, = json.loads("[" + self.pake("sessions", "list", "--json").out + "]")
        self.pake("sessions", "kill", str(session["session"]))
        self.assertEqual(connected.process.wait(PATIENCE), CUT_SHORT)
        connected.wait()
        self.assertRegex(connected.err, "\nerror: the server has ended this session\nhint: ")

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


class Programs(Login):
    """Services that are programs: how they end is how `pake connect` ends."""

    SCRIPTS = {"cat": "cat", "three": "cat; exit 3", "killed": "printf before; kill -KILL $$", "deaf": "printf said; exit 4",
               "content": "printf said", "shut": "exec >&-; cat > /dev/null; exit 5"}

    def setUp(self):
        super().setUp()
        config = "".join(f"[services.{name}]\nexec = {json.dumps(['/bin/sh', '-c', script])}\n"
                         for name, script in self.SCRIPTS.items())
        self.server = self.serve("--config", self.path("pake.toml", config))
        self.assertEqual(self.enroll().code, OK)

    def test_the_status_is_the_exit_codes_reason_and_everything_came_before(self):
        said = random.Random(1).randbytes(300_000)
        for service, code, out, error in (
                ("cat", OK, said, None),
                ("three", REMOTE, said, "status 3"),
                ("killed", REMOTE, b"before", "status 137: signal 9, Killed"),
                ("shut", REMOTE, b"", "status 5")):
            with self.subTest(service):
                ended = self.connect(service, said=said)
                self.assertEqual((ended.returncode, ended.stdout == out), (code, True), ended.stderr)
                if error:
                    self.assertIn(f"error: the remote command failed with {error}\n".encode(), ended.stderr)

    def test_a_program_that_ends_first_ends_the_client(self):
        """It has not read its stdin, and more would come."""
        for service, code in (("deaf", REMOTE), ("content", OK)):
            with self.subTest(service):
                open_ended = self.start("connect", self.destination(), service, stdin=subprocess.PIPE,
                                        env={"PAKE_PASSWORD": PASSWORD})
                self.assertEqual(open_ended.process.wait(PATIENCE), code)
                self.assertEqual(open_ended.out, "said")
                endless = self.connect(service, said=bytes(2_000_000))
                self.assertEqual((endless.returncode, endless.stdout), (code, b"said"), endless.stderr)

    def test_at_a_terminal_too(self):
        terminal = Terminal("connect", self.destination(), "deaf", env={"PAKE_PASSWORD": PASSWORD})
        self.addCleanup(terminal.close)
        terminal.see(r"\| said")
        terminal.see("error: the remote command failed with status 4")
        self.assertEqual(terminal.wait(), REMOTE)

    def test_who_asks_is_told_and_nobody_else(self):
        tag = bytes([1, 2, 3, 4])
        for argument, told in ((b"pake:status" + tag, [wire.lp1(b"pake:status") + tag + b"\0\3"]), (b"", []), (b"pake:status", [])):
            with self.subTest(argument):
                session = Session(self.server.address, service=b"three", argument=argument)
                self.assertEqual(session.say(b"x"), b"x")
                self.assertEqual(list(session.pipe.refused.values()), told)


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

    def test_a_connection_that_is_refused_is_explained(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            dead = "dead=127.0.0.1:%d" % closed.getsockname()[1]
        self.server.stop()
        self.server = self.serve("--service", dead, "--service", "raw=" + self.backend(echo))
        forward = self.forward("-L", "0:nonesuch", "-L", "0:dead", "-L", "0:raw")
        for service, why in (("nonesuch", "the server has no service of that name"),
                             ("dead", "the server cannot reach what is behind that service")):
            address = forward.wait_for(rf"{service} is at (\S+)\n", "err")[1]
            for _ in range(2):
                with socket.create_connection(tcp(address), PATIENCE) as connection:
                    with self.assertRaises(ConnectionResetError):
                        connection.recv(1)  # nothing is written: a write would take the error
            forward.wait_for(f"note: connections to {service} are refused: {why}\n", "err")
        self.assertEqual(self.roundtrip(forward.address, b"through"), b"through")
        forward.stop()
        self.assertEqual(forward.err.count("are refused"), 2, "once each: " + forward.err)

    def test_a_server_that_takes_nobody_for_now_is_tried_again(self):
        forward = self.forward("raw", "-L", "0")
        service = next(arg for arg in self.server.process.args if arg.startswith("raw="))
        self.server.process.kill()
        self.server.wait()
        with socket.create_server(tcp(self.server.address)) as other:
            connection, _ = other.accept()
            with connection:
                wire.read_frame(connection, (wire.CLIENT_HELLO,), wire.MAX_HELLO)
                connection.sendall(wire.frame(wire.ALERT, bytes([wire.UNAVAILABLE]) + bytes(4)))
                connection.recv(1)
        forward.wait_for("note: the server takes nobody for now: .*: trying again", "err")
        self.server = self.serve("--service", service, address=self.server.address)
        forward.wait_for("connected again", "err")
        self.assertEqual(self.roundtrip(forward.address, b"after"), b"after")

    def test_usage(self):
        typed_for_ssh = self.run_pake("forward", "alice@box", "-L", "8080:localhost:80", env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(typed_for_ssh.code, USAGE)
        self.assertRegex(typed_for_ssh.err, "error: .*behind a port stands a service of the server, by its name\nhint: .*8080:wiki")
        for args in ((), ("-L", "8080"), ("raw",), ("raw", "-L", "not a port"), ("raw", "-L", "8080:127.0.0.1:x"),
                     ("two words", "-L", "8080"), ("pake:account", "-L", "8080")):
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


    def test_who_has_gone_is_not_called_another_user(self):
        forward = self.forward("raw", "-L", "0")
        forward.process.send_signal(signal.SIGSTOP)
        socket.create_connection(tcp(forward.address), PATIENCE).close()
        forward.process.send_signal(signal.SIGCONT)
        forward.wait_for("note: a connection was refused that had ended already", "err")
        self.assertEqual(self.roundtrip(forward.address, b"through"), b"through")
        self.assertNotIn("another user", forward.err)


class Publish(Login):
    """`pake forward -R`: a service of a user's own side, for others."""

    def setUp(self):
        super().setUp()
        self.server = self.serve("--config", self.path("server.toml", """
[services]
echo = "echo"
[published]
desk = "alice"
lamp = "bob"
"""))
        for name in ("alice", "bob"):
            self.assertEqual(self.enroll(name).code, OK)

    def publish(self, *what, name="alice"):
        arguments = [argument for one in what for argument in ("-R", one)]
        return self.start("forward", self.destination(name), *arguments, env={"PAKE_PASSWORD": PASSWORD})

    def test_others_reach_it_and_its_address_alone(self):
        publisher = self.publish("desk:" + self.backend(echo).rpartition(":")[2])
        publisher.wait_for("note: desk is published: it leads to 127.0.0.1:", "err")
        data = random.Random(7).randbytes(300_000)
        for _ in range(3):
            self.assertEqual(self.connect("desk", name="bob", said=data).stdout, data)
        self.assertEqual(publisher.stop(signal.SIGINT), 128 + signal.SIGINT)
        gone = self.connect("desk", name="bob", said=b"a")
        self.assertEqual((gone.returncode, gone.stdout), (SERVICE, b""), gone.stderr)

    def test_a_backend_that_is_down_is_said_at_the_other_end(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        publisher = self.publish(f"desk:{port}")
        publisher.wait_for("desk is published", "err")
        for size in (0, 1, 300_000):  # bytes may be on their way by then
            refused = self.connect("desk", name="bob", said=bytes(size))
            self.assertEqual(refused.returncode, SERVICE, refused.stderr)
        publisher.wait_for(f"note: connections to desk are refused: 127.0.0.1:{port} cannot be reached: ", "err")

    def test_a_newer_channel_of_the_same_user_takes_it_over(self):
        older = self.publish("desk:" + self.backend(lambda c: (c.sendall(b"older"), c.close())))
        older.wait_for("desk is published", "err")
        newer = self.publish("desk:" + self.backend(lambda c: (c.sendall(b"newer"), c.close())))
        newer.wait_for("desk is published", "err")
        self.assertEqual(older.wait(), SERVICE)
        self.assertIn("a newer channel of this user publishes desk", older.err)
        self.assertEqual(self.connect("desk", name="bob").stdout, b"newer")

    def test_it_is_published_again_when_the_server_comes_back(self):
        publisher = self.publish("desk:" + self.backend(echo))
        publisher.wait_for("desk is published", "err")
        self.server.stop()
        publisher.wait_for("connecting again", "err")
        self.server = self.serve("--config", self.path("server.toml"), address=self.server.address)
        publisher.wait_for("(?s)desk is published.*desk is published", "err")
        self.assertEqual(self.connect("desk", name="bob", said=b"again").stdout, b"again")

    def test_what_is_not_this_users_is_refused(self):
        for service in ("lamp", "nonesuch", "echo"):
            refused = self.publish(f"{service}:1")
            self.assertEqual(refused.wait(), SERVICE, refused.err)
            self.assertRegex(refused.err, "error: .*\nhint: .*published")

    def test_a_server_that_drains_is_left_and_joined_again(self):
        forward = self.start("forward", self.destination(), "echo", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
        address = forward.wait_for(r"echo is at (\S+)\n", "err")[1]
        with socket.create_connection(tcp(address), PATIENCE) as connection:
            connection.sendall(b"open\n")
            connection.recv(1)
        self.server.process.send_signal(signal.SIGTERM)
        forward.wait_for("connecting again", "err")
        self.server.wait()
        self.server = self.serve("--config", self.path("server.toml"), address=self.server.address)
        forward.wait_for("connected again", "err")
        self.assertEqual(Forward.roundtrip(address, b"after\n"), b"receive after\n")

    def test_usage(self):
        twice = self.publish("desk:5900", "desk:5901")
        self.assertEqual(twice.wait(), USAGE)
        self.assertRegex(twice.err, "^error: -R names desk twice\nhint: ")
        for typed in ("5900", "desk", "desk:http", ":5900", "9desk:5900"):
            refused = self.run_pake("forward", "alice@box", "-R", typed, env={"PAKE_PASSWORD": PASSWORD})
            self.assertEqual(refused.code, USAGE, typed)
            self.assertRegex(refused.err, "^error: .*\nhint: ", typed)


class Events(Login):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--service", "raw=" + self.backend(echo))
        self.assertEqual(self.enroll().code, OK)

    @staticmethod
    def events(text):
        return [json.loads(line) for line in text.splitlines()]

    def test_of_connect_are_on_stderr(self):
        piped = self.connect("raw", "--json", said=b"data")
        self.assertEqual((piped.returncode, piped.stdout), (OK, b"data"))
        connected, ended = self.events(piped.stderr.decode())
        self.assertEqual(connected, {"event": "connected", "user": "alice", "host": self.server.address, "service": "raw"})
        self.assertEqual(ended, {"event": "ended", "exit_code": 0})
        refused = self.connect("raw", "--json", password="wrong")
        ended, = self.events(refused.stderr.decode())
        self.assertEqual((refused.returncode, ended["event"], ended["exit_code"]), (AUTH_FAILED, "ended", AUTH_FAILED))
        self.assertIn("wrong password", ended["error"])
        self.assertIn("hint", ended)

    def test_what_fails_before_a_login_is_an_event_too(self):
        for command, where in ((("connect", self.destination(), "raw"), "err"),
                               (("forward", self.destination(), "raw", "-L", "0"), "out")):
            nobody = self.run_pake(*command, "--json", has_terminal=False)
            ended, = self.events(nobody.out + nobody.err)
            self.assertEqual((nobody.code, ended["exit_code"]), (FAILED, FAILED))
            self.assertIn("there is no terminal", ended["error"])
            self.assertTrue(getattr(nobody, where))

    def test_a_forward_ends_if_nobody_can_read_them(self):
        command = ("forward", self.destination(), "raw", "-L", "0", "--json")
        closed = self.run_pake("-c", 'exec "$0" "$@" >&-', PAKE, *command, program="/bin/sh", env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual((closed.code, closed.err), (FAILED, "error: cannot write to stdout: Bad file descriptor\n"))
        with open("/dev/full", "wb") as full:
            told = self.run_pake(*command, stdout=full, env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual((told.code, told.err), (FAILED, "error: cannot write to stdout: No space left on device\n"))

    def test_of_forward_are_on_stdout(self):
        forward = self.start("forward", self.destination(), "raw", "-L", "0", "--json", env={"PAKE_PASSWORD": PASSWORD})
        address = forward.wait_for(r'"event":"listening","service":"raw","address":"([^"]+)"')[1]
        self.assertEqual(Forward.roundtrip(address, b"through"), b"through")
        forward.process.send_signal(signal.SIGUSR1)
        forward.wait_for(r'"event":"state"')
        self.server.process.kill()
        self.server.wait()
        forward.wait_for('"event":"disconnected"')
        forward.stop(signal.SIGTERM)
        events = self.events(forward.out)
        self.assertEqual([event["event"] for event in events], ["connected", "listening", "state", "disconnected", "ended"])
        self.assertEqual(events[-1]["exit_code"], 128 + signal.SIGTERM)
        self.assertEqual(forward.err, "")

    def test_a_forward_says_its_state_and_tells_systemd(self):
        path = self.path("notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(PATIENCE)
            forward = self.start("forward", self.destination(), "raw", "-L", "0",
                                 env={"PAKE_PASSWORD": PASSWORD, "NOTIFY_SOCKET": path})
            ready = manager.recv(1000).decode()
            self.assertRegex(ready, "^READY=1\nSTATUS=connected to alice@.* 0 connections open$")
            address = forward.wait_for(r"raw is at (\S+)\n", "err")[1]
            with socket.create_connection(tcp(address), PATIENCE) as connection:
                connection.sendall(b"x")
                self.assertEqual(connection.recv(1), b"x")
                forward.process.send_signal(signal.SIGUSR1)
                forward.wait_for(r"note: connected to alice@\S+ for \d+ s, 1 connection open\n", "err")
            forward.process.send_signal(signal.SIGUSR1)  # it can be asked twice
            forward.wait_for(r"(?s)note: connected to .*note: connected to ", "err")
            forward.stop(signal.SIGTERM)
            self.assertEqual(manager.recv(1000), b"STOPPING=1")


class Between:
    """Stands between client and server, and lets so many bytes of the server's pass; then both connections end, or wait."""

    def __init__(self, address, passes, how):
        self.address_of_server, self.passes, self.how = address, passes, how
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.passed = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        with contextlib.suppress(OSError):
            client, _ = self.listener.accept()
            server = socket.create_connection(tcp(self.address_of_server), PATIENCE)
            threading.Thread(target=self.upstream, args=(client, server), daemon=True).start()
            while data := server.recv(4096):
                client.sendall(data if self.how == "pause" else data[:self.passes - self.passed])
                self.passed += len(data)
                if self.passed >= self.passes and self.how == "pause":
                    self.passes = 1 << 40
                    time.sleep(2)
                elif self.passed >= self.passes:
                    break
            else:
                return client.close()
            for side in (client, server):
                reset(side) if self.how == "reset" else (side.shutdown(socket.SHUT_RDWR), side.close())

    @staticmethod
    def upstream(client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)


class Gate:
    """A way to the server that can be cut, for all who are on it, as often as one likes."""

    def __init__(self, address):
        self.address_of_server = address
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.open = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(tcp(self.address_of_server), PATIENCE)
                with self.lock:
                    self.open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def pass_on(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def cut(self):
        with self.lock:
            sides, self.open = self.open, []
        for side in sides:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            side.close()


class Cuts(Login):
    """Exit code 0 means that everything arrived, whatever the network does."""

    def setUp(self):
        super().setUp()
        self.server = self.serve("--service", "raw=" + self.backend(echo))
        self.assertEqual(self.enroll().code, OK)

    def through(self, between, said):
        program = subprocess.run([PAKE, "connect", f"alice@{between.address}", "raw"], input=said, capture_output=True,
                                 timeout=4 * PATIENCE, check=False, env={**os.environ, "PAKE_PASSWORD": PASSWORD})
        self.assertNotRegex(program.stderr.decode(), "Sanitizer|runtime error")
        return program

    def test_at_any_point_are_reported(self):
        said = random.Random(6).randbytes(200_000)
        with Between(self.server.address, 1 << 40, "close") as whole:
            self.assertEqual(self.through(whole, said).stdout, said)
        seed = int.from_bytes(os.urandom(4), "big")
        # In how many records the bytes come differs from run to run, and so does the last point of all.
        points = random.Random(seed).sample(range(1, len(said)), CUTS)
        for number, point in enumerate([1, 200, *points, len(said)]):
            how = ("close", "reset")[number % 2]
            with self.subTest(seed=seed, point=point, how=how), Between(self.server.address, point, how) as between:
                cut = self.through(between, said)
                self.assertEqual(cut.returncode, CUT_SHORT, cut.stderr)
                self.assertTrue(said.startswith(cut.stdout))
                self.assertRegex(cut.stderr.decode(), "(?m)^error: ")

    def test_a_backend_that_takes_no_more_makes_the_sender_fail(self):
        for serve in (lambda c: (c.recv(10), reset(c)), lambda c: (c.recv(10), c.close())):
            address = self.backend(serve)
            self.server.stop()
            self.server = self.serve("--service", "raw=" + address)
            failed = self.connect("raw", said=bytes(3_000_000))
            self.assertIn(failed.returncode, (CUT_SHORT, SERVICE), failed.stderr)

    def test_a_stdout_that_takes_no_more_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            program = subprocess.run([PAKE, "connect", self.destination(), "raw"], input=b"data" * 1000, stdout=full,
                                     stderr=subprocess.PIPE, timeout=4 * PATIENCE, check=False,
                                     env={**os.environ, "PAKE_PASSWORD": PASSWORD})
        self.assertEqual(program.returncode, FAILED, program.stderr)

    def test_what_is_no_server_is_told_apart(self):
        answers = self.backend(lambda c: (c.recv(10), c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), c.close()))
        other = self.run_pake("connect", f"alice@{answers}", env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(other.code, PROTOCOL, other.err)
        silent = self.backend(lambda c: c.recv(10_000) and c.close())
        gone = self.run_pake("connect", f"alice@{silent}", env={"PAKE_PASSWORD": PASSWORD})
        self.assertEqual(gone.code, CUT_SHORT, gone.err)

    def test_a_forward_reports_every_cut_and_sends_nothing_twice(self):
        came = []

        def note(connection):
            with connection, contextlib.suppress(OSError):
                while data := connection.recv(100):
                    came.append(data)
                    connection.sendall(data)

        self.server.stop()
        self.server = self.serve("--service", "raw=" + self.backend(note))
        with Gate(self.server.address) as gate:
            forward = self.start("forward", f"alice@{gate.address}", "raw", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
            address = tcp(forward.wait_for(r"raw is at (\S+)\n", "err")[1])
            sent = []
            for cut in range(5):
                connections = [socket.create_connection(address, PATIENCE) for _ in range(3)]
                for number, connection in enumerate(connections):
                    connection.settimeout(PATIENCE)
                    sent.append(b"%d.%d" % (cut, number))
                    connection.sendall(sent[-1])
                    self.assertEqual(connection.recv(100), sent[-1])
                gate.cut()
                for connection in connections:
                    with connection, self.assertRaises(ConnectionResetError):  # and no end of file
                        connection.recv(100)
                forward.wait_for("(?s)" + "connected again.*" * (cut + 1), "err")
            self.assertEqual(sorted(came), sorted(sent))
            self.assertNotIn("error:", forward.err)

    def test_many_connections_through_one_forward(self):
        forward = self.start("forward", self.destination(), "raw", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
        address = tcp(forward.wait_for(r"raw is at (\S+)\n", "err")[1])
        connections = [socket.create_connection(address, PATIENCE) for _ in range(200)]
        for number, connection in enumerate(connections):
            connection.settimeout(PATIENCE)
            connection.sendall(b"%04d" % number)
        for number, connection in enumerate(connections):
            came = b""
            while len(came) < 4:
                came += connection.recv(4 - len(came))
            self.assertEqual(came, b"%04d" % number)
        for connection in connections:
            connection.close()


class Configured(Login):
    """Hosts by a name, in a configuration file."""

    def setUp(self):
        super().setUp()
        self.server = self.serve("--service", "raw=" + self.backend(echo))
        self.assertEqual(self.enroll().code, OK)
        self.home = self.path("config")
        os.makedirs(os.path.join(self.home, "pake"))

    def configure(self, text):
        return self.path("config/pake/config.toml", text)

    def at_home(self, *args, **environment):
        return self.run_pake(*args, has_terminal=False,
                             env={"XDG_CONFIG_HOME": self.home, "XDG_STATE_HOME": self.path("state"), **environment})

    def test_a_host_by_its_name(self):
        password = self.path("password", PASSWORD)
        self.configure(f"""
[host.box]
address = "{self.server.address}"
user = "alice"
service = "raw"
password_file = "{password}"
remember = true
[host.other]
address = "127.0.0.1:1"
""")
        first = self.at_home("connect", "box")
        self.assertEqual(first.code, OK, first.err)
        self.assertIn("note: logged in as alice; the service is raw", first.err)
        self.assertIn("is remembered for alice", first.err)
        typed = self.at_home("connect", "alice@box", "echo", PAKE_PASSWORD=PASSWORD)
        self.assertIn("the service is echo", typed.err)
        wrong = self.at_home("connect", "mallory@box", PAKE_PASSWORD="wrong")
        self.assertEqual(wrong.code, AUTH_FAILED, "the name that is typed wins, and so does the variable")
        self.assertEqual(self.at_home("connect", "alice@other", PAKE_PASSWORD=PASSWORD).code, UNREACHABLE)
        nobody = self.at_home("connect", "other", PAKE_PASSWORD=PASSWORD)
        self.assertEqual(nobody.code, USAGE)
        self.assertRegex(nobody.err, "error: the name of the user is missing\nhint: ")
        self.assertIn(f"alice@{self.server.address}", self.at_home("hosts", "list").out)
        self.assertEqual(self.at_home("hosts", "forget", "box").code, OK)

    def test_where_a_forward_listens(self):
        self.configure(f"""
[host.box]
address = "{self.server.address}"
user = "alice"
local = ["0:raw", "unix:{self.path("socket")}:echo"]
""")
        forward = self.start("forward", "box", env={"XDG_CONFIG_HOME": self.home, "PAKE_PASSWORD": PASSWORD})
        address = forward.wait_for(r"raw is at (\S+)\n", "err")[1]
        self.assertEqual(Forward.roundtrip(address, b"through"), b"through")
        forward.wait_for(r"echo is at unix:", "err")
        forward.stop()
        typed = self.start("forward", "box", "-L", "0:echo", env={"XDG_CONFIG_HOME": self.home, "PAKE_PASSWORD": PASSWORD})
        typed.wait_for(r"echo is at 127\S+\n", "err")
        self.assertNotIn("raw is at", typed.err)

    def test_mistakes_are_named_with_their_line(self):
        for text, said in (("[host.box]\nadress = 1\n", "line 2: there is no setting 'adress'\nhint: did you mean address?"),
                           ("[host.box]\nuser = \"a b\"\n", "line 2: user: it has 1 to 255 bytes"),
                           ("host = \"box\"\n", "line 1: host: a host is a table"), ("[host.box\n", "line 1: this is not TOML"),
                           ("[host.box]\nksf_ceiling = \"strong\"\n", "line 2: ksf_ceiling: it is small or ")):
            self.configure(text)
            refused = self.at_home("connect", "alice@box", PAKE_PASSWORD=PASSWORD)
            self.assertEqual(refused.code, USAGE, refused.err)
            self.assertIn(said, refused.err)
        missing = self.at_home("connect", "alice@box", "--config", self.path("nonesuch"), PAKE_PASSWORD=PASSWORD)
        self.assertEqual(missing.code, USAGE)
        self.configure("[host.box]\nuser = \"alice\"\n")
        right = self.at_home("connect", "box", "--check-config")
        self.assertEqual(right.code, OK, right.err)
        self.assertIn("config.toml is right", right.err)

    def test_the_ceiling_of_a_host_holds(self):
        self.configure(f"""
[host.box]
address = "{self.server.address}"
user = "alice"
ksf_floor = "small"
""")
        self.assertEqual(self.at_home("passwd", "box", PAKE_PASSWORD=PASSWORD, PAKE_NEW_PASSWORD="another one").code, OK)
        self.assertEqual(self.at_home("connect", "box", PAKE_PASSWORD="another one").code, OK)


class Exported(Login):
    def test_two_people_have_the_same_key_and_nobody_else(self):
        keys = set()
        for labels in (("wireguard", "wireguard"), ("wireguard", "other")):
            listener = self.start("listen", "127.0.0.1:0", "--export", labels[0])
            code = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
            address = listener.wait_for(r"pake dial (\S+)\n", "err")[1]
            dialler = self.run_pake("dial", address, "--export", labels[1], env={"PAKE_CODE": code})
            self.assertEqual((listener.wait(), dialler.code), (OK, OK), dialler.err)
            self.assertRegex(dialler.out, "^[A-Za-z0-9+/]{43}=\n$")
            self.assertEqual(listener.out == dialler.out, labels[0] == labels[1])
            keys |= {listener.out, dialler.out}
        self.assertEqual(len(keys), 3)

    def test_a_side_that_cannot_print_it_makes_both_fail(self):
        for is_full in ("listen", "dial"):
            with self.subTest(is_full), open("/dev/full", "wb") as full:
                listener = self.start("listen", "127.0.0.1:0", "--export", "wireguard",
                                      **({"stdout": full} if is_full == "listen" else {}))
                code = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
                address = listener.wait_for(r"pake dial (\S+)\n", "err")[1]
                dialler = self.start("dial", address, "--export", "wireguard", env={"PAKE_CODE": code},
                                     **({"stdout": full} if is_full == "dial" else {}))
                codes = {"listen": listener.wait(), "dial": dialler.wait()}
                other = "dial" if is_full == "listen" else "listen"
                self.assertEqual(codes, {is_full: FAILED, other: CUT_SHORT}, listener.err + dialler.err)
                self.assertIn("do not use this one", listener.err + dialler.err)

    def test_a_login_exports_too(self):
        self.server = self.serve()
        self.assertEqual(self.enroll().code, OK)
        key = self.connect("--export", "backup")
        self.assertEqual(key.returncode, OK, key.stderr)
        self.assertRegex(key.stdout, b"^[A-Za-z0-9+/]{43}=\n$")
        refused = self.connect("--export", "two words")
        self.assertEqual((refused.returncode, refused.stdout), (USAGE, b""))

    def test_a_program_behind_a_service_has_the_key(self):
        given = self.path("given")
        scripts = {"tunnel": f"cat <&3 >{given}.$PAKE_USER; echo this is dropped", "none": "cat <&3",
                   "fails": "exit 3", "open": "exec 3<&-; ls /proc/self/fd | wc -l >" + given}
        config = '[services]\necho = "echo"\n'
        config += "".join(f"[services.{name}]\nexec = {json.dumps(['/bin/sh', '-c', script])}\n"
                         + ("" if name == "none" else 'export = "wireguard"\n') for name, script in scripts.items())
        self.server = self.serve("--config", self.path("pake.toml", config))
        self.assertEqual(self.enroll().code, OK)
        keys = set()
        for label in ("wireguard", "wireguard", "other"):
            key = self.connect("tunnel", "--export", label, said=b"this too")
            self.assertEqual(key.returncode, OK, key.stderr)
            self.assertRegex(key.stdout, b"^[A-Za-z0-9+/]{43}=\n$")
            with open(given + ".alice", "rb") as file:
                self.assertEqual(file.read() == key.stdout, label == "wireguard")
            keys.add(key.stdout)
        self.assertEqual(len(keys), 3)
        # No key without a program that took it.
        for service, code, error in (("fails", REMOTE, "status 3"), ("none", REMOTE, "status 2"), ("echo", SERVICE, "is no program"),
                                     ("nothing", SERVICE, "no service")):
            with self.subTest(service):
                ended = self.connect(service, "--export", "wireguard")
                self.assertEqual((ended.returncode, ended.stdout), (code, b""), ended.stderr)
                self.assertIn(error, ended.stderr.decode())
        self.assertEqual(self.connect("open", "--export", "wireguard").returncode, OK)
        with open(given, encoding="utf-8") as file:  # stdin, stdout, stderr, and the folder that ls reads
            self.assertEqual(file.read().strip(), "4")


class Behind(Login):
    """What stands behind `pake connect --stdio`, and a program that is asked for the password."""

    def setUp(self):
        super().setUp()
        self.server = self.serve("--service", "raw=" + self.backend(echo), *self.services())
        self.assertEqual(self.enroll().code, OK)

    def services(self):
        return ()

    def askpass(self, password, code=0):
        """A program that notes what it is asked and gives this password."""
        script = self.path("askpass", f"""#!/bin/sh
printf '%s\\n' "$*" >> {self.path("asked")}
test -z "$(cat)" || exit 9
env | grep -qE '^PAKE_(PASSWORD|NEW_PASSWORD|CODE)=' && exit 9
printf '%s\\n' '{password}'
exit {code}
""")
        os.chmod(script, 0o700)
        return {"PAKE_ASKPASS": script}

    def asked(self):
        with open(self.path("asked"), encoding="utf-8") as file:
            return file.read().splitlines()


class Stdio(Behind):
    """`pake connect --stdio`, as ssh runs it, and PAKE_ASKPASS."""

    def stdio(self, said=b"", env=None, **how):
        return subprocess.run([os.environ["PAKE"], "connect", "--stdio", "--", self.destination(), "raw"], input=said,
                              capture_output=True, timeout=4 * PATIENCE, check=False, start_new_session=True,
                              env={**os.environ, **(env or {})}, **how)

    def test_nothing_but_data_passes(self):
        data = random.Random(4).randbytes(300_000) + b"> \x1b[31m\r\n"
        piped = self.stdio(data, self.askpass(PASSWORD))
        self.assertEqual((piped.returncode, piped.stderr), (OK, b""))
        self.assertEqual(hashlib.sha256(piped.stdout).digest(), hashlib.sha256(data).digest())
        self.assertEqual(self.asked(), [f"Password of {self.destination()}: "])

    def test_a_program_has_one_try(self):
        wrong = self.stdio(env=self.askpass("wrong"))
        self.assertEqual((wrong.returncode, wrong.stdout), (AUTH_FAILED, b""), wrong.stderr)
        self.assertEqual(len(self.asked()), 1)

    def test_a_program_is_shown_no_other_secret(self):
        changed = self.run_pake("passwd", self.destination(), "--ksf-floor", "small", has_terminal=False,
                                env={**self.askpass(PASSWORD), "PAKE_NEW_PASSWORD": "another one"})
        self.assertEqual(changed.code, OK, changed.err)

    def test_a_program_that_thinks_is_left_on_a_signal(self):
        asks = self.path("thinks", f"#!/bin/sh\ntouch {self.path('asked')}\nexec sleep {PATIENCE}\n")
        os.chmod(asks, 0o700)
        state = {"XDG_STATE_HOME": self.path("state"), "PAKE_ASKPASS": asks}
        remembered = self.run_pake("connect", self.destination(), "--remember", env={**state, "PAKE_PASSWORD": PASSWORD})
        self.assertEqual(remembered.code, OK, remembered.err)
        forward = self.start("forward", self.destination(), "raw", "-L", "0", "--remember", env=state, has_terminal=False)
        forward.wait_for("raw is at", "err")
        self.pake("user", "logout", "alice")  # the ticket is good no more, and there is no password
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(self.path("asked")):
            self.assertLess(time.monotonic(), deadline, forward.err)
            time.sleep(0.05)
        began = time.monotonic()
        self.assertEqual(forward.stop(), 128 + signal.SIGTERM, forward.err)
        self.assertLess(time.monotonic() - began, PATIENCE / 2)

    def test_a_program_that_gives_nothing(self):
        for password, code, env, said in (("", 1, {}, b"ended with 1"), ("", 0, {}, b"empty password"),
                                          ("", 0, {"PAKE_ASKPASS": self.path("nonesuch")}, b"cannot be run"),
                                          (PASSWORD, 0, {"PAKE_ASKPASS_REQUIRE": "never"}, b"there is no terminal")):
            refused = self.stdio(env={**self.askpass(password, code), **env})
            self.assertEqual((refused.returncode, refused.stdout), (FAILED, b""), refused.stderr)
            self.assertIn(said, refused.stderr)

    def test_other_sources_come_first(self):
        given = self.stdio(b"a", {**self.askpass("wrong"), "PAKE_PASSWORD": PASSWORD})
        self.assertEqual((given.returncode, given.stdout), (OK, b"a"), given.stderr)
        self.assertFalse(os.path.exists(self.path("asked")))

    def test_the_terminal_is_asked_if_there_is_one(self):
        for environment, is_asked in ({}, True), ({"PAKE_ASKPASS_REQUIRE": "force"}, False):
            with open(self.path("in", "through"), "rb") as stdin, open(self.path("out"), "wb") as stdout:
                terminal = Terminal("connect", "--stdio", "--", self.destination(), "raw", stdin=stdin, stdout=stdout,
                                    env={**self.askpass(PASSWORD), **environment})
                self.addCleanup(terminal.close)
                if is_asked:
                    terminal.see("Password of alice@[^:]*:[0-9]+: ")
                    terminal.type(PASSWORD + "\n")
                self.assertEqual(terminal.wait(), OK)
            with open(self.path("out"), encoding="utf-8") as file:
                self.assertEqual(file.read(), "through")


def find_sshd():
    return next((path for path in ("/usr/sbin/sshd", shutil.which("sshd")) if path and os.path.exists(path)), None)


@unittest.skipUnless(find_sshd() and shutil.which("ssh"), "there is no ssh and sshd: scripts/install-packages loopback")
class Ssh(Behind):
    """The real ssh, whose ProxyCommand is `pake connect --stdio`, to the real sshd behind a service."""

    def services(self):
        keys = {}
        for name in ("host", "user"):
            keys[name] = self.path(name + "-key")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys[name]], check=True)
        self.key = keys["user"]
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = self.path("sshd_config", f"""
ListenAddress 127.0.0.1:{port}
HostKey {keys["host"]}
AuthorizedKeysFile {self.key}.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
""")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)  # where it separates its privileges
        sshd = self.start("-D", "-e", "-f", config, program=find_sshd())
        sshd.wait_for("Server listening", "err")
        return "--service", f"sshd=127.0.0.1:{port}"

    def test_a_command_runs_and_its_status_comes_back(self):
        user = pwd.getpwuid(os.getuid()).pw_name
        proxy = f"{PAKE} connect --stdio -- alice@{self.server.address} sshd"
        run = subprocess.run(["ssh", "-F", "none", "-i", self.key, "-o", f"ProxyCommand={proxy}", "-o", "BatchMode=yes",
                              "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-l", user, "box",
                              "wc -c; exit 7"],
                             input=bytes(200_000), capture_output=True, timeout=4 * PATIENCE, check=False,
                             env={**os.environ, **self.askpass(PASSWORD), "PAKE_ASKPASS_REQUIRE": "force"})
        self.assertEqual((run.returncode, run.stdout.strip()), (7, b"200000"), run.stderr)


class Prompts(Login):
    def test_what_ends_a_question_leaves_the_terminal_as_it_was(self):
        for keys, code, said in (("\x03", 128 + signal.SIGINT, ""), ("\x1c", 128 + signal.SIGQUIT, ""),
                                 ("\x04", FAILED, "error: no password was typed"), ("\n", FAILED, "error: no password was typed")):
            terminal = Terminal("connect", "alice@127.0.0.1:1")
            self.addCleanup(terminal.close)
            terminal.see("Password of alice@127.0.0.1:1: ")
            self.assertFalse(terminal.has(termios.ECHO))
            terminal.resize(20)
            terminal.type(keys)
            terminal.see(said)
            self.assertEqual(terminal.wait(), code)
            self.assertEqual(terminal.modes(), terminal.modes_before)

    def test_any_letters_in_the_C_locale(self):
        self.server = self.serve()
        self.enroll(password="schl\u00fcssel \u9375")
        terminal = Terminal("connect", self.destination(), env={"LC_ALL": "C", "TERM": "dumb"})
        self.addCleanup(terminal.close)
        terminal.see("Password of ")
        terminal.type("schlu\u0308ssel \u9375\n")  # another form of the same letters
        terminal.see("> ")
        terminal.type("\x04")
        self.assertEqual(terminal.wait(), OK)

    def test_a_password_stands_nowhere_once_it_is_read(self):
        self.server = self.serve()
        self.enroll()
        forward = self.start("forward", self.destination(), "echo", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
        forward.wait_for("echo is at", "err")
        for name in ("environ", "cmdline"):
            with contextlib.suppress(PermissionError), open(f"/proc/{forward.process.pid}/{name}", "rb") as file:
                self.assertNotIn(PASSWORD.encode(), file.read())

    def test_what_takes_long_is_shown_and_taken_away(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes the connection and says nothing
            terminal = Terminal("connect", "alice@127.0.0.1:%d" % silent.getsockname()[1], "--deadline", "2")
            self.addCleanup(terminal.close)
            terminal.see("Password of ")
            terminal.type("ALL CAPITALS\n")
            terminal.see("waiting for 127.0.0.1:[0-9]+, Ctrl-C ends this")
            terminal.see("\r\x1b\\[Kerror: ")
            self.assertNotEqual(terminal.wait(), OK)

    def test_storing_a_password_is_shown_if_it_takes_long(self):
        self.server = self.serve()
        self.enroll()
        with Between(self.server.address, SERVER_HELLO_SIZE + 1, "pause") as between:
            terminal = Terminal("passwd", f"alice@{between.address}", "--ksf-floor", "small",
                                env={"PAKE_PASSWORD": PASSWORD, "PAKE_NEW_PASSWORD": PASSWORD})
            self.addCleanup(terminal.close)
            terminal.see("storing the password, Ctrl-C ends this")
            terminal.see("\r\x1b\\[Knote: the password of ")
            self.assertEqual(terminal.wait(), OK)

    def test_capitals_alone_are_remarked_on(self):
        self.server = self.serve()
        self.enroll()
        terminal = Terminal("connect", self.destination())
        self.addCleanup(terminal.close)
        terminal.see("Password of ")
        terminal.type("WRONG 1\n")
        terminal.see("error: wrong password")
        terminal.see("hint: .*Caps Lock")
        terminal.see("Password of ")
        terminal.type("\x03")
        self.assertEqual(terminal.wait(), 128 + signal.SIGINT)

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
