"""`pake serve` and what an operator does to it: the real binary, and clients in Python."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import unittest

from harness import CUT_SHORT, FAILED, OK, PAKE, PATIENCE, STORE, USAGE, UNREACHABLE, tcp
from serving import (PASSWORD, SERVER_HELLO_SIZE, Closed, Guess, Meeting, Postgresql, Publisher, ServeCase, Session, WasReset, pakes,
                     spend, wire)

BURST, SLOTS = 10, 4


class Start(ServeCase):
    def test_the_first_start_makes_store_and_key_file_and_says_so(self):
        server = self.serve()
        self.assertRegex(server.err, r"note: first start: made the store \S+/pake.db and the key file \S+/pake.key\n")
        self.assertRegex(server.err, "note: nothing works without the key file")
        for name in ("pake.db", "pake.key"):
            self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.data, name)).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.data).st_mode), 0o700)
        self.assertEqual(server.stop(), OK)
        again = self.serve()
        self.assertNotIn("first start", again.err)

    def test_listens_on_loopback_until_told_otherwise(self):
        help_text = self.run_pake("serve", "--help").out
        self.assertIn("127.0.0.1:8088", help_text)

    def test_a_key_file_that_others_may_read_or_that_is_gone_is_refused(self):
        self.serve().stop()
        key_file = os.path.join(self.data, "pake.key")
        os.chmod(key_file, 0o644)
        exposed = self.run_pake("serve", "127.0.0.1:0", "--data", self.data)
        self.assertEqual(exposed.code, STORE)
        self.assertRegex(exposed.err, "(?m)^error: .*\n^hint: .*chmod")
        os.rename(key_file, key_file + ".away")
        gone = self.run_pake("serve", "127.0.0.1:0", "--data", self.data)
        self.assertEqual(gone.code, STORE)
        self.assertRegex(gone.err, "(?m)^error: .*key file.*\n^hint: ")

    def test_a_place_that_is_taken_is_said(self):
        server = self.serve()
        other = self.run_pake("serve", server.address, "--data", os.path.join(self.directory, "other"))
        self.assertEqual(other.code, FAILED)
        self.assertRegex(other.err, "(?m)^error: cannot listen on")

    def test_ends_at_once_when_nobody_is_in(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.serve().stop(number), OK)


class Handed(ServeCase):
    """Sockets that a service manager hands in: sd_listen_fds(3)."""

    LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="x", LISTEN_PID=str(os.getpid() + int(sys.argv[2])))
os.execv(sys.argv[3], sys.argv[3:])
"""

    def handed(self, handed, *args, off=0):
        """A server that finds the file as its descriptor 3; `off` makes it another process's."""
        return self.start("-c", self.LAUNCHER, str(handed.fileno()), str(off), PAKE, "serve", "127.0.0.1:0", "--data", self.data,
                          "--ksf", "small", *args, program=sys.executable, pass_fds=(handed.fileno(),))

    def test_they_are_listened_on_and_who_came_before_the_start_is_served(self):
        config = self.path("pake.toml", "threads = 2\n[services.environment]\nexec = [\"/bin/sh\", \"-c\", \"env; ls /proc/self/fd\"]\n")
        self.serve().stop()
        self.add_user()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:%d" % listener.getsockname()[1]
            early = Guess(address)
            server = self.handed(listener, "--config", config)
            early.answer()
            early.hang_up()
            self.assertEqual(re.findall("listening on (.*)", server.err), [address])
            out = Session(address, service=b"environment").say(b"").decode()
            self.assertNotIn("LISTEN_", out)
            self.assertEqual(out.split()[-4:], ["0", "1", "2", "3"])  # 3 is the directory that ls reads
            self.assertEqual(server.stop(), OK)

    def test_a_unix_socket_stays_where_it_is(self):
        path = self.path("socket")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            server = self.handed(listener)
            server.wait_for(f"listening on unix:{path}\n", "err")
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
            self.assertEqual(server.stop(), OK)
        self.assertTrue(os.path.exists(path))

    def test_those_of_another_process_are_left_alone(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = self.handed(listener, off=1)
            address = server.wait_for(r"listening on (\S+)\n", "err")[1]
            self.assertNotEqual(address, "127.0.0.1:%d" % listener.getsockname()[1])

    def test_what_is_not_listened_on_is_refused(self):
        with socket.socket() as idle, open(os.devnull, "rb") as file:
            for handed in (idle, file):
                server = self.handed(handed)
                self.assertEqual(server.wait(), FAILED)
                self.assertRegex(server.err, "(?m)^error: cannot take the socket 3 of the service manager: .*\nhint: .*Accept=no")


class Users(ServeCase):
    def test_a_user_is_added_logs_in_and_talks_to_echo(self):
        server = self.serve()
        self.add_user()
        self.assertEqual(Session(server.address).say(b"hello\nthere"), b"receive hello\nreceive there")

    def test_a_code_stands_alone_on_stdout(self):
        self.serve().stop()
        invited = self.pake("user", "invite", "alice")
        self.assertRegex(invited.out, r"\A[1-9]\d{6}(-[a-z]+){4}\n\Z")
        self.assertIn("pake enroll alice@HOST", invited.err)
        as_json = json.loads(self.pake("user", "invite", "bob", "--json").out)
        self.assertRegex(as_json["code"], r"\A[1-9]\d{6}(-[a-z]+){4}\Z")
        self.assertTrue(as_json["new_user"])

    def test_listing_and_showing(self):
        self.serve().stop()
        self.add_user("alice")
        self.pake("user", "invite", "bob")
        self.pake("user", "disable", "alice")
        self.assertEqual(self.pake("user", "list").out, "alice  disabled\nbob    invited\n")
        rows = [json.loads(line) for line in self.pake("user", "list", "--json").out.splitlines()]
        self.assertEqual([(row["name"], row["state"]) for row in rows], [("alice", "disabled"), ("bob", "invited")])
        shown = json.loads(self.pake("user", "show", "alice", "--json").out)
        self.assertEqual((shown["guesses_left"], shown["retry_after"]), (BURST, None))
        self.pake("user", "show", "nobody", code=FAILED)
        self.pake("user", "remove", "alice")
        self.assertEqual(self.pake("user", "list").out, "bob  invited\n")

    def test_names_are_normalised_and_wrong_ones_refused(self):
        self.serve().stop()
        self.add_user("Alice")
        self.assertEqual(self.pake("user", "list").out, "alice  enabled\n")
        self.pake("user", "disable", "a b", code=USAGE)
        self.pake("user", "invite", "", code=USAGE)

    def test_without_a_store_every_command_says_where_it_looked(self):
        for command in (("list",), ("invite", "alice")):
            program = self.pake("user", *command, code=STORE)
            self.assertRegex(program.err, r"(?m)^error: .*data.*\n^hint: ")
        self.assertFalse(os.path.exists(self.data))


class Alike(ServeCase):
    """Unknown user, wrong password, disabled user: the same frames, the same sizes; throttled alike as well."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.add_user("alice")
        self.add_user("dora")
        self.pake("user", "disable", "dora")
        self.pake("user", "invite", "ivan")

    def frames(self, name):
        guess = Guess(self.server.address, name)
        answer = guess.answer()
        alert = guess.finish()
        # Everything that is not random: header, version, suite, AEAD, KSF profile, extensions, the length of the PAKE's.
        return len(answer), answer[:12], alert.code, alert.retry_after

    def test_same_frames(self):
        expected = (SERVER_HELLO_SIZE,) + self.frames("alice")[1:]
        for name in ("alice", "nobody", "dora", "ivan", "Alice"):
            self.assertEqual(self.frames(name), expected, name)

    def test_the_right_password_of_a_disabled_user_is_wrong(self):
        with self.assertRaises(pakes.AuthenticationFailed):
            Session(self.server.address, "dora")
        Session(self.server.address, "alice").hang_up()

    def wait_of(self, name):
        """What the throttled are told once the last failure is committed; until then it is the time of an open guess."""
        deadline = time.monotonic() + PATIENCE
        while True:
            wait = self.refused(lambda: Guess(self.server.address, name).answer(), wire.THROTTLED).retry_after
            if wait > 60 or time.monotonic() > deadline:
                return wait

    def test_throttled_alike_and_still_after_a_restart(self):
        waits = {}
        for number, name in enumerate(("alice", "nobody", "dora")):
            for _ in range(BURST):
                spend(self.server.address, name, f"127.0.0.{number + 2}")
            waits[name] = self.wait_of(name)
        for name, wait in waits.items():
            self.assertAlmostEqual(wait, 3600, delta=60, msg=name)
        self.assertIn(self.server.stop(signal.SIGKILL), (-signal.SIGKILL, 128 + signal.SIGKILL))
        server = self.serve()
        for name in waits:
            again = self.refused(lambda: Guess(server.address, name).answer(), wire.THROTTLED).retry_after
            self.assertAlmostEqual(again, 3600, delta=120, msg=name)
        shown = json.loads(self.pake("user", "show", "alice", "--json").out)
        self.assertEqual(shown["guesses_left"], 0)
        self.pake("user", "unthrottle", "alice")
        Session(server.address).hang_up()


class Guesses(ServeCase):
    CONFIG = """
[guesses]
source_burst = 10000
[services]
echo = "echo"
"""

    def setUp(self):
        super().setUp()
        self.server = self.serve("--config", self.path("pake.toml", self.CONFIG))
        self.add_user()

    def test_200_at_once_get_no_more_answers_than_there_are_guesses(self):
        answered, throttled = [], []

        def guess():
            one = Guess(self.server.address)
            try:
                one.answer()
                answered.append(one.finish().code)
            except wire.Alert as alert:
                throttled.append(alert.code)
                one.hang_up()

        threads = [threading.Thread(target=guess) for _ in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answered) + len(throttled), 200)
        self.assertLessEqual(len(answered), BURST)
        self.assertGreaterEqual(len(answered), SLOTS)
        self.assertEqual(set(answered), {wire.REFUSED})
        self.assertEqual(set(throttled), {wire.THROTTLED})
        self.wait_until_left(BURST - len(answered))

    def test_whoever_hangs_up_after_the_answer_has_spent_his_guess(self):
        guess = Guess(self.server.address)
        guess.answer()
        guess.hang_up()
        self.wait_until_left(BURST - 1)

    def test_whoever_hangs_up_before_has_not(self):
        # The server sleeps, so that the hello and the end behind it are both there when it looks.
        self.server.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.server.process.pid, os.WUNTRACED)
        Guess(self.server.address).hang_up()
        self.server.process.send_signal(signal.SIGCONT)
        Session(self.server.address).hang_up()
        self.assertEqual(self.left(), BURST)

    def test_success_gives_the_guess_back(self):
        for _ in range(BURST + 2):
            Session(self.server.address).hang_up()
        self.assertEqual(self.left(), BURST)

    def test_four_at_once_and_the_fifth_is_throttled_until_one_is_gone(self):
        held = [Guess(self.server.address) for _ in range(SLOTS)]
        for guess in held:
            guess.answer()
        self.refused(lambda: Guess(self.server.address).answer(), wire.THROTTLED)
        Guess(self.server.address, "somebody-else").answer()
        for guess in held:
            guess.finish()
        self.wait_until_left(BURST - SLOTS)
        Session(self.server.address).hang_up()

    def test_one_source_is_bound_over_all_names_and_another_is_not(self):
        server = self.serve(data=os.path.join(self.directory, "second"))
        for number in range(30):
            spend(server.address, f"user{number}", source="127.0.0.2")
        alert = self.refused(lambda: Guess(server.address, "more", source="127.0.0.2").answer(), wire.THROTTLED)
        self.assertLessEqual(alert.retry_after, 60)
        Guess(server.address, "more", source="127.0.0.3").answer()


class Rows(ServeCase):
    """One source makes so many rows of the ledger an hour and no more, whatever its guesses."""

    CONFIG = """
[guesses]
source_burst = 10000
source_rows = 20
[services]
echo = "echo"
"""

    def rows(self):
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "pake.db"))) as database:
            return database.execute("SELECT count(*) FROM ledger").fetchone()[0]

    def check(self, nodes):
        for number in range(10):
            spend(nodes[number % len(nodes)].address, f"name{number}", "127.0.0.2")
        self.wait_until_committed(10 + 2)  # the names, and two rows of the source's own
        for node in nodes:
            for name in ("alice", "nobody"):
                wait = self.refused(lambda: spend(node.address, name, "127.0.0.2"), wire.THROTTLED).retry_after
                self.assertAlmostEqual(wait, 360, delta=60)
            self.assertEqual(spend(node.address, "name0", "127.0.0.2").code, wire.REFUSED)  # it has its row and makes none
        self.assertEqual(self.rows(), 10 + 2)
        spend(nodes[0].address, "nobody", "127.0.0.3")  # another source has rows of its own
        self.wait_until_committed(10 + 2 + 1 + 2)

    def wait_until_committed(self, rows):
        deadline = time.monotonic() + PATIENCE
        while self.rows() != rows:
            self.assertLess(time.monotonic(), deadline, f"{self.rows()} rows, not {rows}")

    def test_on_one_node_and_after_a_restart(self):
        server = self.serve("--config", self.path("pake.toml", self.CONFIG))
        self.add_user()
        self.check([server])
        server.stop()
        server = self.serve("--config", self.path("pake.toml", self.CONFIG))
        self.refused(lambda: spend(server.address, "alice", "127.0.0.2"), wire.THROTTLED)
        self.assertEqual(self.rows(), 10 + 2 + 1 + 2)

    def test_over_two_nodes(self):
        nodes = [self.serve("--config", self.path("pake.toml", self.CONFIG)) for _ in range(2)]
        self.add_user()
        self.check(nodes)


class Sessions(ServeCase):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.add_user()

    def list(self):
        return [json.loads(line) for line in self.pake("sessions", "list", "--json").out.splitlines()]

    def wait_for_sessions(self, count):
        deadline = time.monotonic() + PATIENCE
        while len(self.list()) != count:
            self.assertLess(time.monotonic(), deadline)

    def test_a_ticket_gets_in_without_the_password_and_after_a_restart(self):
        first = Session(self.server.address)
        self.assertTrue(first.echo(b"x"))
        first.read_until(lambda: first.ticket)
        second = Session(self.server.address, ticket=first.ticket)
        self.assertTrue(second.echo(b"y"))
        second.read_until(lambda: second.ticket)
        self.assertEqual({row["by"] for row in self.list()}, {"password", "ticket"})
        first.hang_up()
        second.hang_up()
        self.server.stop()
        server = self.serve()
        self.assertTrue(Session(server.address, ticket=second.ticket).echo(b"z"))

    def test_a_ticket_without_its_secret_buys_nothing(self):
        first = Session(self.server.address)
        first.read_until(lambda: first.ticket)
        self.refused(lambda: Session(self.server.address, ticket=(first.ticket[0], b"\0" * 64)))

    def ends_within_five_seconds(self, session):
        began = time.monotonic()
        session.connection.settimeout(PATIENCE)
        with self.assertRaises((Closed, WasReset, wire.Truncated, ConnectionError)):
            session.read_until(lambda: False)
        self.assertLess(time.monotonic() - began, 5)

    def changed(self, *command):
        session = Session(self.server.address)
        self.assertTrue(session.echo(b"x"))
        session.read_until(lambda: session.ticket)
        self.pake("user", *command, "alice")
        self.ends_within_five_seconds(session)
        self.refused(lambda: Session(self.server.address, ticket=session.ticket))

    def test_disabled_closes_channels_and_refuses_tickets(self):
        self.changed("disable")
        with self.assertRaises(pakes.AuthenticationFailed):
            Session(self.server.address)

    def test_logout_closes_channels_and_refuses_tickets_but_not_the_password(self):
        self.changed("logout")
        Session(self.server.address).hang_up()

    def test_removed_closes_channels_and_refuses_tickets(self):
        self.changed("remove")

    def test_an_operator_lists_and_kills(self):
        session = Session(self.server.address)
        self.assertTrue(session.echo(b"x"))
        row, = self.list()
        self.assertEqual((row["user"], row["by"], row["streams"]), ("alice", "password", 1))
        self.assertIn("127.0.0.1", row["source"])
        self.pake("sessions", "kill", str(row["session"]))
        self.ends_within_five_seconds(session)
        self.wait_for_sessions(0)
        self.pake("sessions", "kill", str(row["session"]), code=FAILED)
        self.pake("sessions", "kill", code=USAGE)

    def test_who_asks_nothing_is_bounded_and_the_operator_answered(self):
        before = self.server.open_files()
        held = [socket.socket(socket.AF_UNIX) for _ in range(200)]
        for connection in held:
            self.addCleanup(connection.close)
            connection.connect(os.path.join(self.data, "pake.sock"))
        self.assertEqual(self.list(), [])  # accepted behind all of them
        self.assertLessEqual(self.server.open_files(), before + 40)

    def test_an_answer_that_was_cut_is_no_empty_list(self):
        path = self.path("cutting.sock")
        row = b'{"session":1,"user":"alice","by":"password","source":"127.0.0.1","since":"","streams":1}\n'
        with socket.socket(socket.AF_UNIX) as cutting:
            cutting.bind(path)
            cutting.listen()
            for answer in (b"", row, row[:20]):
                lists = self.start("sessions", "list", "--socket", path)
                connection, _ = cutting.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)
                self.assertEqual((lists.wait(), lists.out), (CUT_SHORT, ""), lists.err)

    def test_without_a_server_that_is_said(self):
        self.server.stop()
        self.assertRegex(self.pake("sessions", "list", code=UNREACHABLE).err, "(?m)^error: no server answers at ")

    def test_drains(self):
        session = Session(self.server.address)
        self.assertTrue(session.echo(b"x"))
        self.server.process.send_signal(signal.SIGTERM)
        self.server.wait_for("draining", "err")
        self.assertTrue(session.echo(b"a stream may go on"))
        self.assertIsNone(self.server.process.poll())
        session.pipe.write(b"the end")
        session.pipe.finish_writing()
        try:
            session.read_until(lambda: False)
        except Closed as closed:
            self.assertEqual(closed.code, 1)  # going away
        session.pipe.send_record(wire.CLOSE, b"\0")
        self.assertTrue(session.sink.data.endswith(b"receive the end"))
        self.assertEqual(self.server.wait(), OK)

    def test_a_second_signal_does_not_wait(self):
        session = Session(self.server.address)
        self.assertTrue(session.echo(b"x"))
        self.server.process.send_signal(signal.SIGTERM)
        self.server.wait_for("draining", "err")
        self.assertEqual(self.server.stop(), 128 + signal.SIGTERM)


class Backend:
    """A TCP server that does as it is told to each connection."""

    def __init__(self, handle):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self.handle = handle
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection = self._server.accept()[0]
            threading.Thread(target=self.handle, args=(connection,), daemon=True).start()


def upper(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data.upper())


class Services(ServeCase):
    def open(self, server, service, name="alice"):
        return Session(server.address, name, service=service)

    def test_a_service_is_forwarded_with_half_close(self):
        backend = Backend(upper)
        server = self.serve("--service", f"shout={backend.address}")
        self.add_user()
        text = os.urandom(300_000).replace(b"\0", b"x")
        self.assertEqual(self.open(server, b"shout").say(text), text.upper())
        self.assertEqual(self.open(server, b"echo").say(b"x"), b"receive x")

    def test_a_unix_socket_is_forwarded(self):
        path = os.path.join(self.directory, "backend")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        threading.Thread(target=lambda: upper(listener.accept()[0]), daemon=True).start()
        server = self.serve("--service", f"shout=unix:{path}")
        self.add_user()
        self.assertEqual(self.open(server, b"shout").say(b"abc"), b"ABC")

    def resets(self, session):
        with self.assertRaises(WasReset) as caught:
            session.read_until(lambda: False)
        return caught.exception.code

    def test_what_there_is_not_is_refused_with_its_code(self):
        server = self.serve("--service", "down=127.0.0.1:1")
        self.add_user()
        self.assertEqual(self.resets(self.open(server, b"nothing")), 1)
        self.assertEqual(self.resets(self.open(server, b"down")), 3)

    def test_a_backend_that_is_cut_becomes_a_reset(self):
        def cut(connection):
            connection.recv(1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()

        server = self.serve("--service", f"cut={Backend(cut).address}")
        self.add_user()
        session = self.open(server, b"cut")
        session.pipe.write(b"x")
        self.assertEqual(self.resets(session), 4)

    def test_a_client_that_is_cut_becomes_a_rst(self):
        ended = threading.Event()
        seen = []

        def watch(connection):
            try:
                while connection.recv(1):
                    pass
                seen.append("end")
            except ConnectionResetError:
                seen.append("reset")
            ended.set()

        server = self.serve("--service", f"watch={Backend(watch).address}")
        self.add_user()
        session = self.open(server, b"watch")
        session.pipe.write(b"x")
        time.sleep(0.2)
        session.hang_up()
        self.assertTrue(ended.wait(PATIENCE))
        self.assertEqual(seen, ["reset"])

    CONFIG = """
[services.private]
to = "{backend}"
users = ["alice"]
[services.named]
to = "{named}"
send_user = true
[services.whoami]
exec = ["/bin/sh", "-c", "printf '%s' \\"$PAKE_USER $WORD\\"; cat; env | wc -l"]
environment = ["WORD=hello"]
"""

    def test_allow_lists_users_to_backends_and_programs(self):
        headers = []

        def keep(connection):
            with connection:
                while data := connection.recv(65536):
                    headers.append(data)

        config = self.CONFIG.format(backend=Backend(upper).address, named=Backend(keep).address)
        server = self.serve("--config", self.path("pake.toml", config))
        self.add_user("alice")
        self.add_user("bob")
        self.assertEqual(self.open(server, b"private").say(b"x"), b"X")
        self.assertEqual(self.resets(self.open(server, b"private", "bob")), 2)
        self.assertEqual(self.resets(self.open(server, b"echo")), 1)  # the configuration does not name it
        out = self.open(server, b"whoami").say(b" typed ").split()
        self.assertEqual(out[:3], [b"alice", b"hello", b"typed"])
        self.assertLessEqual(int(out[3]), 6)  # a shell adds PWD, SHLVL and _
        self.open(server, b"named", "bob").say(b"after")
        data = b"".join(headers)
        self.assertTrue(data.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21\x11"))
        self.assertTrue(data.endswith(b"\xe0\0\3bobafter"), data)


class Publish(ServeCase):
    """A service that a user's client brings, and others reach through the server; the sessions on several loops."""

    CONFIG = """
threads = 4
[services]
echo = "echo"
[published]
desk = "bob"
open = "bob"
[published.private]
publisher = "bob"
users = ["alice"]
"""

    def setUp(self):
        super().setUp()
        self.config = self.path("pake.toml", self.CONFIG)
        self.server = self.serve("--config", self.config)
        for name in ("alice", "bob", "carol"):
            self.add_user(name)

    def publish(self, service=b"desk", name="bob", **how):
        publisher = Publisher(self.server.address, service, name, **how)
        self.assertTrue(publisher.wait_until_published())
        return publisher

    def refusal(self, service, name):
        publisher = Publisher(self.server.address, service, name)
        self.assertFalse(publisher.wait_until_published())
        return publisher.resets[1]

    def ask(self, service=b"desk", name="alice"):
        return Session(self.server.address, name, service=service)

    def reset_of(self, session):
        with self.assertRaises(WasReset) as caught:
            session.read_until(lambda: False)
        return caught.exception.code

    def test_others_reach_it_as_any_service_and_the_publisher_is_told_who(self):
        publisher = self.publish()
        text = os.urandom(100_000).hex().encode()
        for name in ("alice", "carol", "bob"):
            self.assertEqual(self.ask(name=name).say(text), text.upper())
        self.assertEqual(publisher.visitors, [b"alice", b"carol", b"bob"])
        self.assertEqual(self.ask(b"echo").say(b"x"), b"receive x")

    def test_several_at_once_on_every_loop(self):
        self.publish()
        results = []

        def visit(session, number):
            text = b"%d " % number * 20_000
            results.append(session.say(text) == text)

        sessions = [self.ask() for _ in range(8)]  # one after another: an account has four guesses open at most
        threads = [threading.Thread(target=visit, args=(session, number)) for number, session in enumerate(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [True] * 8)

    def test_allow_lists_both_ways_and_no_name_but_those_configured(self):
        self.publish(b"private")
        self.assertEqual(self.ask(b"private").say(b"x"), b"X")
        self.assertEqual(self.reset_of(self.ask(b"private", "carol")), 2)
        self.assertEqual(self.refusal(b"desk", "alice"), 2)
        self.assertEqual(self.refusal(b"unheard-of", "bob"), 1)
        self.assertEqual(self.refusal(b"echo", "bob"), 1)  # a service of the server's own
        self.assertEqual(self.refusal(b"", "bob"), 1)

    def test_what_nobody_publishes_is_a_backend_that_is_down(self):
        self.assertEqual(self.reset_of(self.ask()), 3)

    def test_gone_with_its_session_and_what_was_open_is_reset(self):
        publisher = self.publish()
        session = self.ask()
        session.pipe.write(b"x")
        session.read_until(lambda: session.sink.data == b"X")
        publisher.hang_up()
        publisher.connection.close()
        self.assertEqual(self.reset_of(session), 4)
        deadline = time.monotonic() + PATIENCE
        while (code := self.reset_of(self.ask())) != 3:
            self.assertIn(code, (3, 4))
            self.assertLess(time.monotonic(), deadline)

    def test_its_stream_ends_and_so_does_the_publication(self):
        publisher = self.publish()
        publisher.pipe.send_frames((wire.FIN, 1, b""))
        deadline = time.monotonic() + PATIENCE
        while self.reset_of(self.ask()) != 3:
            self.assertLess(time.monotonic(), deadline)
        self.publish()  # by another channel

    def test_only_a_newer_channel_of_the_same_user_takes_over(self):
        first = self.publish(answer=lambda data: b"first")
        second = self.publish(answer=lambda data: b"second")
        first.wait(lambda: first.resets)
        self.assertEqual(first.resets, {1: 5})
        self.assertEqual(self.ask().say(b"x"), b"second")
        first.pipe.send_frames((wire.RESET, 1, b"\0"), (wire.OPEN, 3, wire.lp1(b"pake:publish") + b"desk"))
        first.wait(lambda: 3 in first.resets)  # the older one does not get it back
        self.assertEqual(first.resets[3], 5)
        self.assertEqual(self.ask().say(b"x"), b"second")
        self.assertEqual(second.resets, {})

    def test_why_the_publishers_client_refuses_reaches_who_asked(self):
        self.publish(refuse_with=3)
        self.assertEqual(self.reset_of(self.ask()), 3)

    def test_a_reload_takes_the_right_away(self):
        publisher = self.publish()
        with open(self.config, "w") as file:
            file.write("[services]\necho = \"echo\"\n[published]\ndesk = \"carol\"\n")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for("reloaded", "err")
        publisher.wait(lambda: publisher.resets)
        self.assertEqual(publisher.resets, {1: 2})
        self.assertEqual(self.reset_of(self.ask()), 3)
        self.publish(name="carol")
        self.assertEqual(self.ask().say(b"x"), b"X")

    def test_a_publisher_who_is_disabled_is_gone(self):
        publisher = self.publish()
        self.pake("user", "disable", "bob")
        publisher.wait(lambda: publisher.resets)
        self.assertEqual(self.reset_of(self.ask()), 3)

    def test_a_drain_does_not_wait_for_publications(self):
        publisher = self.publish()
        self.server.process.send_signal(signal.SIGTERM)
        publisher.wait(lambda: publisher.closed_with is not None)
        self.assertEqual(self.server.wait(), OK)


class Meet(ServeCase):
    """Strangers who meet behind the server."""

    CONFIG = """
threads = 4
strangers_meet = true
[services]
echo = "echo"
private = "meet"
"""

    def start_server(self, *args):
        self.server = self.serve("--config", self.path("pake.toml", self.CONFIG), *args)

    def come(self, action, tries=0, selector=0, token=bytes(16), source=None):
        return Meeting(self.server.address, action, tries, selector, token, source)

    def wait_for_somebody(self, tries=1, source=None):
        waiting = self.come(Meeting.CREATE, tries, source=source)
        event, selector, token = waiting.met()
        self.assertEqual(event, Meeting.WAITING)
        self.assertLess(selector, 2**20)
        self.assertNotEqual(token, bytes(16))
        return waiting, selector, token

    def met(self, waiting, selector, source=None):
        """The one who joined, both told."""
        joined = self.come(Meeting.JOIN, selector=selector, source=source)
        for side in (joined, waiting):
            self.assertEqual(side.met(), (Meeting.JOINED, selector, bytes(16)))
        return joined

    def join(self, selector, code, source=None):
        return self.refused(lambda: self.come(Meeting.JOIN, selector=selector, source=source).met(), code)

    def passes(self, first, second):
        data = os.urandom(200_000)
        for one, other in ((first, second), (second, first)):
            writer = threading.Thread(target=one.connection.sendall, args=(data,))
            writer.start()
            self.assertEqual(wire.read_exactly(other.connection, len(data)), data)
            writer.join()
        first.connection.shutdown(socket.SHUT_WR)
        self.assertEqual(second.connection.recv(1), b"")
        second.connection.sendall(b"the other half")
        self.assertEqual(wire.read_exactly(first.connection, 14), b"the other half")

    def test_off_unless_it_is_switched_on(self):
        self.server = self.serve()
        self.refused(lambda: self.come(Meeting.CREATE, 1).met(), wire.UNKNOWN_SERVER)

    def test_two_meet_and_every_byte_passes(self):
        self.start_server()
        waiting, selector, _ = self.wait_for_somebody()
        self.passes(waiting, self.met(waiting, selector))
        self.add_user()
        self.assertEqual(Session(self.server.address).say(b"x"), b"receive x")  # logins as ever

    def test_a_side_that_is_cut_is_cut_for_the_other(self):
        self.start_server()
        waiting, selector, _ = self.wait_for_somebody()
        joined = self.met(waiting, selector)
        joined.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        joined.hang_up()
        with self.assertRaises(ConnectionResetError):
            waiting.connection.recv(1)

    def test_one_joiner_at_a_time_and_no_more_than_the_tries(self):
        self.start_server()
        waiting, selector, token = self.wait_for_somebody(tries=2)
        first = self.met(waiting, selector)
        self.assertLess(self.join(selector, wire.THROTTLED).retry_after, 10)
        first.hang_up()
        waiting.hang_up()
        again = self.come(Meeting.RESUME, selector=selector, token=token)
        self.assertEqual(again.met(), (Meeting.WAITING, selector, token))
        self.met(again, selector).hang_up()
        again.hang_up()
        self.refused(lambda: self.come(Meeting.RESUME, selector=selector, token=token).met())
        self.join(selector, wire.REFUSED)

    def test_who_has_found_each_other_may_come_back(self):
        self.start_server()
        waiting, selector, token = self.wait_for_somebody()
        joined = self.met(waiting, selector)
        for wrong in (os.urandom(16), token[::-1]):
            self.refused(lambda: self.come(Meeting.KEEP, 2, selector, wrong).met())
        self.assertEqual(self.come(Meeting.KEEP, 2, selector, token).met(), (Meeting.WAITING, selector, token))
        for _ in range(2):
            joined.hang_up()
            waiting.hang_up()
            self.join(selector, wire.THROTTLED)  # not yet, and it is no failed join
            waiting = self.come(Meeting.RESUME, selector=selector, token=token)
            self.assertEqual(waiting.met(), (Meeting.WAITING, selector, token))
            joined = self.met(waiting, selector)
        joined.hang_up()
        waiting.hang_up()
        again = self.come(Meeting.RESUME, selector=selector, token=token)
        self.refused(again.met)  # it was kept for two times more

    def test_a_meeting_that_is_over_or_has_not_begun_is_not_kept(self):
        self.start_server()
        waiting, selector, token = self.wait_for_somebody()
        self.refused(lambda: self.come(Meeting.KEEP, 5, selector, token).met())
        self.passes(waiting, self.met(waiting, selector))

    def test_a_place_that_was_left_is_free_for_its_source(self):
        self.start_server()
        deadline = time.monotonic() + 20  # a place is forgotten after 30 s
        for _ in range(6):
            while True:
                try:
                    self.wait_for_somebody(tries=2, source="127.0.0.2")[0].hang_up()
                    break
                except wire.Alert:  # the server has not seen yet that the one before has gone
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.05)

    def test_another_token_resumes_nothing(self):
        self.start_server()
        waiting, selector, _ = self.wait_for_somebody(tries=2)
        self.refused(lambda: self.come(Meeting.RESUME, selector=selector, token=os.urandom(16)).met())
        self.passes(waiting, self.met(waiting, selector))

    def test_four_of_a_source_wait_and_others_may(self):
        self.start_server()
        held = [self.wait_for_somebody(source="127.0.0.2")[0] for _ in range(4)]
        alert = self.refused(lambda: self.come(Meeting.CREATE, 1, source="127.0.0.2").met(), wire.THROTTLED)
        self.assertGreater(alert.retry_after, 0)
        self.assertLessEqual(alert.retry_after, 600)
        self.wait_for_somebody(source="127.0.0.3")[0].hang_up()
        for waiting in held:
            waiting.hang_up()

    def test_ten_failed_joins_of_a_source_and_no_more(self):
        self.start_server()
        waiting, selector, _ = self.wait_for_somebody()
        for number in range(10):
            self.join((selector + 1 + number) % 2**20, wire.REFUSED, "127.0.0.2")
        alert = self.join(selector, wire.THROTTLED, "127.0.0.2")
        self.assertGreater(alert.retry_after, 60)
        self.passes(waiting, self.met(waiting, selector, "127.0.0.3"))

    def test_who_speaks_before_his_turn_or_nonsense_is_turned_away(self):
        self.start_server()
        waiting, selector, _ = self.wait_for_somebody()
        waiting.connection.sendall(b"x")
        self.refused(waiting.met, wire.MALFORMED)
        for action, tries in ((Meeting.CREATE, 0), (Meeting.CREATE, 6), (4, 1), (Meeting.JOIN, 1)):
            self.refused(lambda: self.come(action, tries).met(), wire.MALFORMED)

    def test_no_more_at_once_than_the_limit(self):
        self.CONFIG += "[limits]\nmeetings = 2\n"
        self.start_server()
        held = [self.wait_for_somebody(source=f"127.0.0.{number}") for number in (2, 3)]
        self.refused(lambda: self.come(Meeting.CREATE, 1, source="127.0.0.4").met(), wire.THROTTLED)
        self.met(held[0][0], held[0][1])

    def test_a_meeting_is_bounded_in_bytes(self):
        self.CONFIG += "[limits]\nmeeting_mebibytes = 1\n"
        self.start_server()
        waiting, selector, _ = self.wait_for_somebody()
        joined = self.met(waiting, selector)
        threading.Thread(target=self.send_much, args=(joined.connection,), daemon=True).start()
        got = 0
        with self.assertRaises(ConnectionResetError):
            while data := waiting.connection.recv(65536):
                got += len(data)
        self.assertLessEqual(got, 1 << 20)

    @staticmethod
    def send_much(connection):
        try:
            connection.sendall(bytes(4 << 20))
        except OSError:
            pass

    def test_a_drain_sends_those_away_who_wait(self):
        self.start_server()
        waiting, _, _ = self.wait_for_somebody()
        self.server.process.send_signal(signal.SIGTERM)
        self.refused(waiting.met, wire.UNAVAILABLE)
        self.assertEqual(self.server.wait(), OK)

    def test_for_users_it_is_a_service(self):
        self.start_server()
        self.add_user("alice")
        self.add_user("bob")
        alice = Session(self.server.address, "alice", service=b"private")
        alice.pipe.write(Meeting.frame(Meeting.CREATE, 1))
        alice.read_until(lambda: len(alice.sink.data) >= 26)
        event, selector = alice.sink.data[5], int.from_bytes(alice.sink.data[6:10], "big")
        self.assertEqual(event, Meeting.WAITING)
        bob = Session(self.server.address, "bob", service=b"private")
        bob.pipe.write(Meeting.frame(Meeting.JOIN, selector=selector) + b"hello alice")
        bob.read_until(lambda: len(bob.sink.data) >= 26)
        self.assertEqual(bob.sink.data[5], Meeting.JOINED)
        alice.read_until(lambda: len(alice.sink.data) >= 2 * 26 + 11)
        self.assertEqual(alice.sink.data[26 + 5], Meeting.JOINED)
        self.assertEqual(alice.sink.data[2 * 26:], b"hello alice")


class Configuration(ServeCase):
    def check(self, text):
        return self.run_pake("serve", "--check-config", "--config", self.path("pake.toml", text))

    def test_checking(self):
        self.assertEqual(self.check("[services]\nweb = \"127.0.0.1:80\"\n").code, OK)
        for text, said in (("[limits]\nsesions = 5\n", "did you mean limits.sessions"),
                           ("[services]\nweb = \"127.0.0.1\"\n[services.x]\n", "either `to` or `exec`"),
                           ("[services.\"9\"]\nto = \"127.0.0.1:80\"\n", "cannot be the name of a service"),
                           ("[services.web]\nto = \"192.0.2.1:80\"\nsend_user = true\n", "only to a unix socket or a loopback"),
                           ("trusted_proxies = [\"10.0.0.1/8\"]\n", "is no network"),
                           ("[services.sh]\nexec = [\"sh\"]\n", "must begin with"),
                           ("[services.web]\nto = \"echo\"\nexport = \"key\"\n", "only a program gets a key"),
                           ("[services.sh]\nexec = [\"/bin/cat\"]\nexport = \"a key\"\n", "no space"),
                           ("[guesses]\naccount_burst = 0\n", "account_burst")):
            with self.subTest(text):
                program = self.check(text)
                self.assertEqual(program.code, USAGE, program.err)
                self.assertIn(said, program.err)
        self.assertFalse(os.path.exists(self.data))

    def test_a_reload_takes_over_what_it_can_and_a_wrong_one_changes_nothing(self):
        path = self.path("pake.toml", "[services]\necho = \"echo\"\n")
        server = self.serve("--config", path)
        self.add_user()
        standing = Session(server.address)
        self.assertTrue(standing.echo(b"x"))

        def reload(text, event):
            with open(path, "w") as file:
                file.write(text)
            count = server.err.count(event)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for(f"(?s)(?:{event}.*){{{count + 1}}}", "err")

        backend = Backend(upper)
        reload(f"[services]\nshout = \"{backend.address}\"\n", "reloaded")
        self.assertEqual(Session(server.address, service=b"shout").say(b"x"), b"X")
        with self.assertRaises(WasReset):
            Session(server.address).read_until(lambda: False)
        self.assertTrue(standing.echo(b"a stream that stands goes on"))
        reload("[services]\nshout = 7\n", "reload-failed")
        self.assertIn("line 2", server.err)
        self.assertEqual(Session(server.address, service=b"shout").say(b"x"), b"X")

    def test_names(self):
        server = self.serve("--name", "box")
        Guess(server.address, server_name=b"box").answer()
        self.refused(lambda: Guess(server.address, server_name=b"other").answer(), wire.UNKNOWN_SERVER)

    def test_a_json_log(self):
        log = os.path.join(self.directory, "log")
        config = f'[log]\nformat = "json"\nfile = "{log}"\n[services]\necho = "echo"\n'
        server = self.serve("--config", self.path("pake.toml", config))
        self.add_user()
        Session(server.address).say(b"x")
        guess = Guess(server.address, "no\nbody")
        guess.answer()
        guess.finish()
        server.stop()
        with open(log) as file:
            text = file.read()
        events = [json.loads(line) for line in text.splitlines()]
        self.assertTrue({"listening", "handshake", "session-ended", "stopped"} <= {event["event"] for event in events})
        self.assertNotIn("body", text)  # an unknown name is there as a keyed hash alone
        self.assertTrue(any(event.get("user", "").startswith("unknown:") for event in events))
        self.assertTrue(any(event.get("user") == "alice" and event.get("outcome") == "accepted" for event in events))
        self.assertNotIn(PASSWORD, text)


class Proxies(ServeCase):
    CONFIG = """
trusted_proxies = ["127.0.0.9"]
[services]
echo = "echo"
[guesses]
source_burst = 2
"""
    HEADER = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes((192, 0, 2, 7, 127, 0, 0, 1, 0x12, 0x67, 0x1f, 0x98))

    def guess(self, source, before=b""):
        """A guess whose hello stands behind `before`."""
        connection = socket.create_connection(tcp(self.server.address), PATIENCE, source_address=(source, 0))
        self.addCleanup(connection.close)  # a failure that is being counted would count twice for a moment
        connection.sendall(before)
        client = wire.ByPassword(b"alice", b"wrong")
        connection.sendall(wire.make_hello(client, os.urandom(32), (wire.CHACHA20_POLY1305,),
                                           (wire.OPAQUE_RISTRETTO255,), b"", b""))
        return wire.read_frame(connection, (wire.SERVER_HELLO,), wire.MAX_HELLO)

    def setUp(self):
        super().setUp()
        self.server = self.serve("--config", self.path("pake.toml", self.CONFIG))

    def test_the_source_is_what_a_trusted_proxy_says(self):
        for _ in range(2):
            self.guess("127.0.0.9", self.HEADER)
        self.refused(lambda: self.guess("127.0.0.9", self.HEADER), wire.THROTTLED)
        self.guess("127.0.0.9", self.HEADER.replace(bytes((192, 0, 2, 7)), bytes((192, 0, 2, 8))))

    def test_a_trusted_proxy_must_say_it_and_others_must_not(self):
        with self.assertRaises((wire.Truncated, ConnectionError)):
            self.guess("127.0.0.9")
        with self.assertRaises((wire.Truncated, wire.Alert, ConnectionError)):
            self.guess("127.0.0.8", self.HEADER)
        self.guess("127.0.0.8")


class Nodes(ServeCase):
    """Two servers on one store."""

    def setUp(self):
        super().setUp()
        config = self.path("pake.toml", Guesses.CONFIG)
        self.nodes = [self.serve("--config", config) for _ in range(2)]
        self.add_user()

    def test_200_guesses_over_two_nodes_get_no_more_than_the_budget_and_one_nodes_slots(self):
        answered, throttled = [], []

        def guess(number):
            one = Guess(self.nodes[number % 2].address)
            try:
                one.answer()
                answered.append(one.finish().code)
            except wire.Alert as alert:
                throttled.append(alert.code)
                one.hang_up()

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answered) + len(throttled), 200)
        self.assertLessEqual(len(answered), BURST + SLOTS)
        self.assertEqual(set(throttled), {wire.THROTTLED})

    def test_throttled_and_disabled_on_either(self):
        for _ in range(BURST):
            spend(self.nodes[0].address, "bob")
        for node in self.nodes:
            self.refused(lambda: Guess(node.address, "bob").answer(), wire.THROTTLED)
        sessions = [Session(node.address) for node in self.nodes]
        for session in sessions:
            self.assertTrue(session.echo(b"x"))
            session.read_until(lambda: session.ticket)
        self.pake("user", "disable", "alice")
        began = time.monotonic()
        for session in sessions:
            with self.assertRaises((Closed, WasReset, wire.Truncated, ConnectionError)):
                session.read_until(lambda: False)
        self.assertLess(time.monotonic() - began, 5)
        for node in self.nodes:
            for session in sessions:
                self.refused(lambda: Session(node.address, ticket=session.ticket))

    def test_a_killed_node_forgets_no_more_than_its_open_guesses(self):
        held = [Guess(self.nodes[0].address) for _ in range(SLOTS)]
        for guess in held:
            guess.answer()
        self.nodes[0].stop(signal.SIGKILL)
        for _ in range(BURST):
            spend(self.nodes[1].address)
        wait = self.refused(lambda: spend(self.nodes[1].address), wire.THROTTLED).retry_after
        self.assertGreater(wait, 60)


class OnPostgresql(ServeCase):
    """Two nodes on one PostgreSQL database, the same key file, and the database away for a while."""

    def setUp(self):
        super().setUp()
        self.database = Postgresql(self.directory)
        self.addCleanup(self.database.stop)
        self.nodes = [self.node() for _ in range(2)]
        self.add_user()

    def node(self):
        return self.serve("--store", self.database.url, "--config", self.path("pake.toml", Guesses.CONFIG))

    def pake(self, *args, **how):
        return super().pake(*args, "--store", self.database.url, **how)

    def test_logins_guesses_and_changes_hold_on_both_nodes(self):
        for node in self.nodes:
            self.assertEqual(Session(node.address).say(b"x"), b"receive x")
        for number in range(BURST):
            spend(self.nodes[number % 2].address, "bob")
        for node in self.nodes:
            wait = self.refused(lambda: spend(node.address, "bob"), wire.THROTTLED).retry_after
            self.assertGreater(wait, 60)
        sessions = [Session(node.address) for node in self.nodes]
        for session in sessions:
            self.assertTrue(session.echo(b"x"))
            session.read_until(lambda: session.ticket)
        self.pake("user", "disable", "alice")
        for node, session in zip(self.nodes, sessions):
            with self.assertRaises((Closed, WasReset, wire.Truncated, ConnectionError)):
                session.read_until(lambda: False)
            self.refused(lambda: Session(node.address, ticket=session.ticket))

    def test_the_database_goes_and_comes_back_without_a_restart(self):
        server = self.nodes[0]
        first = Session(server.address)
        self.assertTrue(first.echo(b"x"))
        self.database.stop()
        for name in ("alice", "nobody"):
            self.refused(lambda: Guess(server.address, name).answer(), wire.UNAVAILABLE)
        self.assertTrue(first.echo(b"a session that stands goes on"))
        self.assertIn("postgresql", self.pake("user", "list", code=STORE).err.lower())
        self.database.start()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.assertEqual(Session(server.address).say(b"x"), b"receive x")
                break
            except wire.Alert as alert:
                self.assertEqual(alert.code, wire.UNAVAILABLE)
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.2)
        self.assertTrue(first.echo(b"still"))


class Moving(ServeCase):
    def test_users_go_out_and_come_in_under_the_same_key_file(self):
        server = self.serve()
        self.add_user()
        lines = self.pake("user", "export").out
        self.assertEqual(len(lines.splitlines()), 2)
        path = self.path("lines", lines)
        for purged in (False, True, True, True):
            self.pake("user", "remove", "alice")
            self.assertEqual(self.pake("user", "list").out, "")
            if purged:
                server.stop()
                server = self.serve()  # it clears away the removed name
                self.wait_until_purged("alice")
            with open(path) as file:
                self.assertIn("1 users imported", self.pake("user", "import", stdin=file).err)
            self.assertEqual(Session(server.address).say(b"x"), b"receive x")
        with open(path) as file:
            self.assertIn("0 users imported", self.pake("user", "import", stdin=file).err)

    def wait_until_purged(self, name):
        deadline = time.monotonic() + PATIENCE
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "pake.db"))) as database:
            while database.execute("SELECT count(*) FROM users WHERE name = ?", (name,)).fetchone()[0]:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)

    def test_a_user_who_was_removed_can_be_made_anew(self):
        server = self.serve()
        for _ in range(4):
            self.add_user()
            self.assertEqual(Session(server.address).say(b"x"), b"receive x")
            self.pake("user", "remove", "alice")
            server.stop()
            server = self.serve()
            self.wait_until_purged("alice")


class Floods(ServeCase):
    CONFIG = """
[services]
echo = "echo"
[limits]
silent = 64
"""

    def silent(self, count, source, bytes_sent=b""):
        held = []
        for _ in range(count):
            held.append(socket.create_connection(tcp(self.server.address), PATIENCE, source_address=(source, 0)))
            held[-1].sendall(bytes_sent)
        return held

    def test_silent_connections_and_half_hellos_keep_nobody_out(self):
        self.server = self.serve("--config", self.path("pake.toml", self.CONFIG))
        self.add_user()
        stretching = Guess(self.server.address, source="127.0.0.4")  # it has its answer, and takes its time
        stretching.answer()
        files = self.server.open_files()
        held = self.silent(200, "127.0.0.2") + self.silent(100, "127.0.0.3", b"\1\0\1\0pake")
        for _ in range(5):
            began = time.monotonic()
            session = Session(self.server.address, source="127.0.0.5")
            self.assertTrue(session.echo(b"x"))
            self.assertLess(time.monotonic() - began, PATIENCE / 2)
            session.hang_up()
            held += self.silent(50, "127.0.0.2")
        self.assertLessEqual(self.server.open_files(), files + 64 + 8)
        self.assertEqual(stretching.finish().code, wire.REFUSED)  # it was never evicted
        for connection in held:
            connection.close()
        self.assert_files_return_to(self.server, files)


class Metrics(ServeCase):
    def get(self, server, path):
        host, port = server.metrics.rsplit(":", 1)
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            text = b""
            while data := connection.recv(65536):
                text += data
        head, _, body = text.decode().partition("\r\n\r\n")
        return int(head.split()[1]), body

    def test_what_is_counted_and_whether_it_is_ready(self):
        server = self.serve("--metrics", "127.0.0.1:0")
        server.metrics = server.wait_for(r"metrics on (\S+)\n", "err")[1]
        self.add_user()
        session = Session(server.address)
        self.assertTrue(session.echo(b"x"))
        guess = Guess(server.address, "nobody")
        guess.answer()
        guess.finish()
        self.assertEqual(self.get(server, "/healthz"), (200, "ok\n"))
        self.assertEqual(self.get(server, "/readyz"), (200, "ready\n"))
        deadline = time.monotonic() + PATIENCE
        while True:
            code, text = self.get(server, "/metrics")
            if 'outcome="refused"} 1' in text or time.monotonic() > deadline:
                break
        self.assertEqual(code, 200)
        self.assertIn('pake_handshakes_total{by="password",outcome="accepted"} 1\n', text)
        self.assertIn('pake_handshakes_total{by="password",outcome="refused"} 1\n', text)
        self.assertRegex(text, r"(?m)^pake_sessions 1$")
        self.assertEqual(self.get(server, "/else")[0], 404)

    def test_those_who_ask_nothing_hold_nobody_up(self):
        server = self.serve("--metrics", "127.0.0.1:0")
        server.metrics = server.wait_for(r"metrics on (\S+)\n", "err")[1]
        host, port = server.metrics.rsplit(":", 1)
        with contextlib.ExitStack() as idle:
            for number in range(200):
                connection = idle.enter_context(socket.create_connection((host, int(port)), PATIENCE))
                if number % 2:
                    connection.sendall(b"GET /heal")
            self.assertEqual(self.get(server, "/healthz"), (200, "ok\n"))
            self.assertEqual(self.get(server, "/readyz"), (200, "ready\n"))

    def test_what_is_no_request_is_not_answered(self):
        server = self.serve("--metrics", "127.0.0.1:0")
        server.metrics = server.wait_for(r"metrics on (\S+)\n", "err")[1]
        host, port = server.metrics.rsplit(":", 1)

        def answer(request):
            with socket.create_connection((host, int(port)), PATIENCE) as connection:
                connection.sendall(request)
                return b"".join(iter(lambda: connection.recv(4096), b"")).split(b"\r\n")[0]

        for request in (b"GET\r\n\r\n", b"\r\n\r\n", b"\0\r\n\r\n", b"GET healthz HTTP/1.1\r\n\r\n", b"GET /" + 5000 * b"a" + b" HTTP/1.1\r\n\r\n"):
            with self.subTest(request=request[:20]), contextlib.suppress(ConnectionResetError):
                self.assertEqual(answer(request), b"")
        self.assertEqual(answer(b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), b"HTTP/1.1 405 Method Not Allowed")
        self.assertEqual(answer(b"HEAD /healthz?probe HTTP/1.0\r\n\r\n"), b"HTTP/1.1 200 OK")
        self.assertEqual(self.get(server, "/healthz"), (200, "ok\n"))

    def test_a_program_that_fails_is_told_of_beside_the_metrics(self):
        """Their library could take the ends of programs away (SIGCHLD)."""
        config = "[services.fails]\nexec = [\"/bin/sh\", \"-c\", \"exit 3\"]\n"
        server = self.serve("--metrics", "127.0.0.1:0", "--config", self.path("pake.toml", config))
        self.add_user()
        session = Session(server.address, service=b"fails")
        session.pipe.finish_writing()
        server.wait_for("how=failed.*status 3", "err")


class Keys(ServeCase):
    def test_status_stage_activate_backup(self):
        server = self.serve()
        self.add_user()
        status = json.loads(self.pake("keys", "status", "--json").out)
        self.assertEqual([(e["epoch"], e["suite"], e["current"]) for e in status["epochs"]],
                         [(1, "ristretto255", True), (1, "p256", False)])
        staged = self.pake("keys", "stage").out
        self.assertRegex(staged, r"\Aepoch 2  ristretto255  SHA256:\S+\nepoch 2  p256 +SHA256:\S+\n\Z")
        self.pake("keys", "backup", os.path.join(self.directory, "backup.key"),
                  "--store-to", os.path.join(self.directory, "backup.db"))
        self.pake("keys", "backup", os.path.join(self.directory, "backup.key"), code=STORE)
        server.stop()

        restored = os.path.join(self.directory, "restored")
        os.mkdir(restored, 0o700)
        os.rename(os.path.join(self.directory, "backup.key"), os.path.join(restored, "pake.key"))
        os.rename(os.path.join(self.directory, "backup.db"), os.path.join(restored, "pake.db"))
        server = self.serve(data=restored)
        self.assertEqual(Session(server.address).say(b"x"), b"receive x")

    def test_a_user_under_the_old_epoch_still_gets_in_after_activation(self):
        self.serve().stop()
        self.add_user()
        self.pake("keys", "activate", code=FAILED)  # it is current already
        self.pake("keys", "stage")
        self.pake("keys", "activate")
        server = self.serve()
        self.assertEqual(Session(server.address).say(b"x"), b"receive x")
        self.add_user("bob")
        self.assertEqual(Session(server.address, "bob").say(b"x"), b"receive x")

    def test_a_login_under_an_old_epoch_is_asked_for_a_newer_record(self):
        server = self.serve()
        self.add_user()
        session = Session(server.address)
        self.assertTrue(session.echo(b"x"))
        self.assertEqual(session.pipe.refused, {})
        self.pake("keys", "stage")
        server.process.send_signal(signal.SIGHUP)  # it reads the key file again
        server.wait_for("reloaded", "err")
        self.pake("keys", "activate")
        deadline = time.monotonic() + PATIENCE
        while True:  # a step takes effect on every node some seconds after it was written
            session = Session(server.address)
            self.assertTrue(session.echo(b"x"))
            if session.pipe.refused:
                break
            self.assertLess(time.monotonic(), deadline)
            session.hang_up()
            time.sleep(0.5)
        self.assertEqual(session.pipe.refused, {2: wire.lp1(b"pake:migrate") + b"\1\4"})
        self.assertTrue(session.echo(b"who does not take part goes on"))


if __name__ == "__main__":
    unittest.main()
