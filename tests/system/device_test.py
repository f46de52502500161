"""Known devices: an account under attack lets its user in from where he has logged in before, and a stolen ticket buys little."""

import contextlib
import os
import socket
import sqlite3
import subprocess
import time
import unittest

from harness import OK, PATIENCE, tcp
from serving import AEADS, PASSWORD, Guess, ServeCase, Session, spend, wire

BURST, DEVICE_BURST = 10, 5
THROTTLED = 5


class Devices(ServeCase):
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

    def devices(self):
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "pake.db"))) as database:
            return set(database.execute("SELECT key, created_at FROM devices"))

    def ticket(self, **how):
        """The ticket of a login. Whoever has it is known: its device was written down before it left."""
        before = self.devices()
        session = Session(self.server.address, **how)
        session.read_until(lambda: session.ticket)
        self.assertEqual(self.devices() == before, "ticket" in how)
        session.hang_up()
        return session.ticket

    def attack(self):
        """Until the account has no guess left."""
        for _ in range(BURST):
            spend(self.server.address)
        self.refused(lambda: spend(self.server.address), wire.THROTTLED)

    def spend_from(self, device, name="alice"):
        return spend(self.server.address, name, device=wire.Device(*device))

    def test_the_right_password_gets_in_from_a_known_device_while_the_account_is_under_attack(self):
        ticket = self.ticket()
        self.attack()
        self.refused(lambda: Session(self.server.address), wire.THROTTLED)
        for _ in range(DEVICE_BURST + 1):  # a login gives its guess back
            session = Session(self.server.address, device=wire.Device(*ticket))
            self.assertTrue(session.echo(b"in"))
            session.hang_up()
        self.assertEqual(self.left(), 0)

    def test_a_stolen_ticket_buys_five_guesses_renewed_or_not(self):
        ticket = self.ticket()
        renewed = self.ticket(ticket=ticket)
        again = self.ticket(device=wire.Device(*renewed))  # a login from a known device is of that device
        for number in range(DEVICE_BURST):
            self.assertEqual(self.spend_from((ticket, renewed, again)[number % 3]).code, wire.REFUSED)
        for stolen in (ticket, renewed, again):
            alert = self.refused(lambda: self.spend_from(stolen), wire.THROTTLED)
            self.assertGreater(alert.retry_after, 60)
            self.assertLessEqual(alert.retry_after, 3600)
        self.assertEqual(self.left(), BURST)
        Session(self.server.address).hang_up()

    def test_a_ticket_without_its_secret_buys_nothing(self):
        ticket, _ = self.ticket()
        self.spend_from((ticket, b"\0" * 64))
        self.wait_until_left(BURST - 1)
        self.attack_to_the_end()
        self.refused(lambda: self.spend_from((ticket, b"\0" * 64)), wire.THROTTLED)

    def attack_to_the_end(self):
        for _ in range(self.left()):
            spend(self.server.address)

    def test_a_hello_from_another_time_counts_for_the_account(self):
        ticket = self.ticket()
        for number, away in enumerate((-360, 360, -10**9, 2**62), start=1):
            spend(self.server.address, device=wire.Device(*ticket, when=int(time.time()) + away))
            self.wait_until_left(BURST - number)
        spend(self.server.address, device=wire.Device(*ticket, when=int(time.time()) - 200))
        self.assertEqual(self.left(), BURST - 4)

    def test_a_hello_that_is_sent_again_counts_for_the_account(self):
        ticket = self.ticket()
        first = Guess(self.server.address, device=wire.Device(*ticket))
        first.answer()
        while_open = Guess(self.server.address, hello=first.hello)
        while_open.answer()
        while_open.finish()
        self.wait_until_left(BURST - 1)
        first.finish()
        # The device's guess is committed a moment after its end; until then the hello is open, and after it charged.
        again = Guess(self.server.address, hello=first.hello)
        again.answer()
        again.finish()
        self.wait_until_left(BURST - 2)

    def test_a_ticket_of_another_user_counts_for_the_account(self):
        self.add_user("bob")
        self.spend_from(self.ticket(name="bob"))
        self.wait_until_left(BURST - 1)
        self.assertEqual(self.left("bob"), BURST)

    def test_logged_out_and_disabled_devices_are_unknown(self):
        for number, command in enumerate(("logout", "disable"), start=1):
            ticket = self.ticket()
            self.pake("user", command, "alice")
            self.spend_from(ticket)
            self.wait_until_left(BURST - number)

    def test_the_oldest_of_nine_devices_is_forgotten(self):
        tickets = []
        for _ in range(9):
            tickets.append(self.ticket())
            time.sleep(0.01)  # of two devices of one millisecond either is the older
        self.spend_from(tickets[8])
        self.assertEqual(self.left(), BURST)
        self.spend_from(tickets[0])
        self.wait_until_left(BURST - 1)
        self.spend_from(tickets[1])
        self.assertEqual(self.left(), BURST - 1)

    @contextlib.contextmanager
    def locked_store(self):
        """Nobody else can write into the store meanwhile; it is read as ever."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "pake.db"), isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                database.execute("ROLLBACK")

    def test_a_ticket_leaves_after_its_device_is_written_down_and_the_session_does_not_wait_for_it(self):
        before = self.devices()
        with self.locked_store():
            session = Session(self.server.address)
            for _ in range(3):
                self.assertTrue(session.echo(b"x"))
            self.assertIsNone(session.ticket)
        session.read_until(lambda: session.ticket)
        self.assertEqual(len(self.devices() - before), 1)
        session.hang_up()

    def test_whoever_closes_meanwhile_waits_a_second_for_a_store_that_does_not_answer(self):
        with self.locked_store():
            self.assertEqual(Session(self.server.address).say(b"x"), b"receive x")

    def test_a_login_writes_its_device_and_nothing_else_and_a_ticket_nothing(self):
        def written():
            with contextlib.closing(sqlite3.connect(os.path.join(self.data, "pake.db"))) as database:
                return [database.execute(f"SELECT * FROM {table}").fetchall()
                        for table in ("users", "invitations", "ledger", "changes", "audit")]

        before = written()
        ticket = self.ticket()
        self.ticket(device=wire.Device(*ticket))
        self.ticket(ticket=ticket)
        self.assertEqual(written(), before)
        self.assertEqual(len(self.devices()), 1)  # the known device is written down anew, not beside itself

    def test_unthrottling_gives_the_guesses_of_devices_back(self):
        ticket = self.ticket()
        for _ in range(DEVICE_BURST):
            self.spend_from(ticket)
        self.refused(lambda: self.spend_from(ticket), wire.THROTTLED)
        self.pake("user", "unthrottle", "alice")
        session = Session(self.server.address, device=wire.Device(*ticket))
        self.assertTrue(session.echo(b"x"))
        session.hang_up()
        self.assertEqual(self.left(), BURST)

    def test_after_a_retry(self):
        ticket = self.ticket()
        self.attack()
        connection = socket.create_connection(tcp(self.server.address), PATIENCE)
        client = wire.ByPassword(b"alice", PASSWORD.encode(), device=wire.Device(*ticket))
        wire.client_handshake(connection, client, AEADS, suites=(wire.OPAQUE_P256, wire.OPAQUE_RISTRETTO255))
        connection.close()

    def forward(self, state, *options):
        forward = self.start("forward", f"alice@{self.server.address}", "-L", "0:raw", "--password-file",
                             self.path("password", PASSWORD), *options,
                             env={**os.environ, "XDG_STATE_HOME": os.path.join(self.directory, state)})
        forward.wait_for("raw is at", "err")
        return forward

    def test_a_forward_comes_back_while_the_account_is_under_attack(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        service = "raw=127.0.0.1:%d" % listener.getsockname()[1]
        devices = self.devices()
        self.forward("once").stop()
        self.assertEqual(self.devices(), devices)  # it takes no place if it is not to be remembered
        forward = self.forward("kept", "--remember")
        deadline = time.monotonic() + PATIENCE
        while self.devices() == devices and time.monotonic() < deadline:
            time.sleep(0.05)
        self.attack()
        self.server.process.kill()
        self.server.wait()
        forward.wait_for("connecting again", "err")
        # Tickets open nothing any more, and the password alone is throttled.
        self.server = self.serve("--config", self.path("later.toml", self.CONFIG + "[limits]\nticket_lifetime = 0\n"),
                                 "--service", service, address=self.server.address)
        self.refused(lambda: spend(self.server.address), wire.THROTTLED)
        forward.wait_for("connected again", "err")

    def connect(self, state, *options):
        program = subprocess.run(
            [os.environ["PAKE"], "connect", f"alice@{self.server.address}", *options], input=b"x\n", capture_output=True,
            timeout=4 * PATIENCE, check=False,
            env={**os.environ, "PAKE_PASSWORD": PASSWORD, "XDG_STATE_HOME": os.path.join(self.directory, state)})
        return program.returncode, program.stdout

    def test_who_keeps_no_ticket_takes_no_place(self):
        for _ in range(8):
            self.ticket()
        devices = self.devices()
        session = Session(self.server.address, keeps_ticket=False)
        session.read_until(lambda: session.ticket)
        session.hang_up()
        self.assertEqual(self.connect("nothing"), (OK, b"receive x\n"))
        self.assertEqual(self.devices(), devices)
        Session(self.server.address, ticket=session.ticket).hang_up()  # it opens channels all the same
        self.spend_from(session.ticket)  # and is no device's
        self.wait_until_left(BURST - 1)

    def test_a_device_that_is_remembered_gets_in_and_another_does_not(self):
        def connect(state):
            return self.connect(state, "--remember")

        self.assertEqual(connect("known"), (OK, b"receive x\n"))
        self.attack()
        self.server.stop()
        self.server = self.serve("--config", self.path("later.toml", self.CONFIG + "[limits]\nticket_lifetime = 0\n"),
                                 address=self.server.address)
        self.assertEqual(connect("another"), (THROTTLED, b""))
        self.assertEqual(connect("known"), (OK, b"receive x\n"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
