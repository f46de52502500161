"""PostgreSQL's primary is killed under load and its replica promoted, with `synchronous_standby_names` set: every change
that was acknowledged is there, nobody is let in who should not be, and both servers come back by themselves.

PAKE_SECONDS says for how long there is load before the kill, and again after the promotion (3)."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import unittest

from harness import OK, PATIENCE, STORE
from serving import PASSWORD, Postgresql, ServeCase, Session, wire

SECONDS = float(os.environ.get("PAKE_SECONDS", "3"))
CONFIG = "[services]\necho = \"echo\"\n[guesses]\naccount_burst = 10000\nsource_burst = 100000\n"
BOBS = [f"bob{number}" for number in range(8)]  # who change their passwords
REGISTRATIONS = 5  # a day and name


class Primary(Postgresql):
    def psql(self, *commands):
        words = [word for command in commands for word in ("-c", command)]
        subprocess.run(["psql", "-X", "-q", "-h", self.directory, "-U", "pake", "-d", "postgres", *words], check=True, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL)

    def kill(self):
        with open(os.path.join(self._data, "postmaster.pid"), encoding="utf-8") as file:
            os.kill(int(file.readline()), signal.SIGKILL)


class Replica(Primary):
    def __init__(self, directory, primary):  # pylint: disable=super-init-not-called
        self.durable, self.binaries, self.is_root = primary.durable, primary.binaries, primary.is_root
        self.directory = os.path.join(directory, "replica")
        os.mkdir(self.directory)
        if self.is_root:
            shutil.chown(self.directory, "postgres")
        self._run("pg_basebackup", "-h", primary.directory, "-U", "pake", "-D", self._data, "-R", "-C", "-S", "replica",
                  "-d", "application_name=replica")
        self.start()

    def promote(self):
        self._run("pg_ctl", "-w", "-D", self._data, "promote")


class Load:
    """What is done the whole time, a thread each; what each saw stands here."""

    def __init__(self):
        self.is_over = threading.Event()
        self.threads, self.wrong = [], []

    def run(self, act):
        def loop():
            while not self.is_over.is_set():
                try:
                    act()
                except Exception as error:  # pylint: disable=broad-exception-caught
                    self.wrong.append(repr(error))
                    return

        self.threads.append(threading.Thread(target=loop, daemon=True))
        self.threads[-1].start()

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)


class Failover(ServeCase):
    def setUp(self):
        super().setUp()
        self.primary = Primary(self.directory, durable=True)
        self.replica = Replica(self.directory, self.primary)
        self.addCleanup(self.replica.stop)
        self.primary.psql("ALTER SYSTEM SET synchronous_standby_names = 'replica'", "SELECT pg_reload_conf()")
        self.url = f"postgresql://pake@/postgres?host={self.primary.directory},{self.replica.directory}"
        config = self.path("pake.toml", CONFIG)
        self.nodes = [self.serve("--store", self.url, "--config", config) for _ in range(2)]
        self.load = Load()
        self.addCleanup(self.load.end)
        self.logins = [[], []]  # (when, how it ended)
        self.changes = {}  # by user: what was asked for, and whether it was acknowledged
        self.turn = 0
        self.said = []  # by commands that failed
        self.acknowledged_at = []

    def pake(self, *args, **how):
        return super().pake(*args, "--store", self.url, **how)

    def operate(self, *args, **how):
        """Whether the change was acknowledged; what was said if not."""
        program = self.run_pake(*args, "--data", self.data, "--store", self.url, **how)
        self._programs.remove(program)
        if program.code == OK:
            self.acknowledged_at.append(time.monotonic())
        else:
            self.assertEqual(program.code, STORE, program.err)
            self.said.append(program.err)
        return program.code == OK

    def log_in(self, node):
        began = time.monotonic()
        try:
            how = "in" if Session(self.nodes[node].address).say(b"x") == b"receive x" else "cut"
        except wire.ProtocolError as error:
            how = str(error)
        except wire.Alert as alert:
            how = {wire.UNAVAILABLE: "unavailable"}.get(alert.code, f"alert {alert.code}")
        self.logins[node].append((began, time.monotonic(), how))
        time.sleep(0.02)

    def try_who_is_disabled(self, node):
        try:
            Session(self.nodes[node].address, "gone")
            self.load.wrong.append("a disabled user is in")
        except wire.AuthenticationFailed:
            pass  # what it is answered with is not its record
        except wire.Alert as alert:
            if alert.code not in (wire.REFUSED, wire.UNAVAILABLE):
                self.load.wrong.append(f"a disabled user is told {alert.code}")
        time.sleep(0.1)

    def change_state(self, user):
        asked = self.changes.setdefault(user, [])
        verb = "enable" if len(asked) % 2 else "disable"
        asked.append([verb, None])
        asked[-1][1] = self.operate("user", verb, user)

    def change_password(self):
        user = BOBS[self.turn % len(BOBS)]
        self.turn += 1
        asked = self.changes.setdefault(user, [[PASSWORD, True]])
        time.sleep(0.3)
        if len(asked) > REGISTRATIONS:
            return
        known = next(password for password, is_done in reversed(asked) if is_done)
        asked.append([f"password number {len(asked)}", None])
        node = self.nodes[self.turn % 2]
        program = self.run_pake("passwd", f"{user}@{node.address}", "--ksf-floor", "small",
                                env={"PAKE_PASSWORD": known, "PAKE_NEW_PASSWORD": asked[-1][0]})
        self._programs.remove(program)
        if program.code == OK:
            asked[-1][1] = True
            self.acknowledged_at.append(time.monotonic())
            return
        self.said.append(program.err)  # it may have been made all the same: the new one is tried
        while not self.load.is_over.is_set() and asked[-1][1] is None:
            try:
                Session(node.address, user, asked[-1][0])
                asked[-1][1] = True
            except wire.AuthenticationFailed:
                asked[-1][1] = False
            except wire.Alert:
                time.sleep(0.1)

    def test_no_acknowledged_change_is_lost_and_the_servers_come_back(self):
        for name in ("alice", "gone", "user0", "user1", *BOBS):
            self.add_user(name)
        load = self.load
        for node in range(2):
            load.run(lambda node=node: self.log_in(node))
        for user in ("user0", "user1"):
            load.run(lambda user=user: self.change_state(user))
        load.run(self.change_password)
        time.sleep(SECONDS)
        self.assertTrue(self.operate("user", "disable", "gone"))
        time.sleep(5)
        for node in range(2):
            load.run(lambda node=node: self.try_who_is_disabled(node))

        killed = time.monotonic()
        self.primary.kill()
        time.sleep(2)
        self.replica.promote()
        promoted = time.monotonic()
        deadline = promoted + 2 * PATIENCE

        def is_back():
            return (all(any(how == "in" and began > promoted for began, _, how in seen) for seen in self.logins) and
                    any(when > promoted for when in self.acknowledged_at))

        while not is_back() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(SECONDS)
        load.end()
        self.assertEqual(load.wrong, [], self.nodes[0].err[-2000:])

        # Both nodes are back, without a restart.
        pauses = []
        for seen in self.logins:
            self.assertEqual({how for _, _, how in seen} - {"in", "unavailable"}, set())
            before = max(ended for began, ended, how in seen if how == "in" and began < killed)
            pauses.append(min(ended for began, ended, how in seen if how == "in" and began > killed) - max(before, killed))
        first_change = min(when for when in self.acknowledged_at if when > promoted) - killed

        # All that was acknowledged is there, and nothing else than what was asked for.
        acknowledged = lost = 0
        for user, asked in self.changes.items():
            last = max((number for number, (_, is_done) in enumerate(asked) if is_done), default=-1)
            acknowledged += sum(bool(is_done) for _, is_done in asked)
            may_be = [what for what, _ in asked[last:]]
            if user in BOBS:
                is_there = any(self.gets_in(user, password) for password in may_be)
                self.assertFalse(any(self.gets_in(user, password) for password, _ in asked[:last]), "an old password is good")
            else:
                state = json.loads(self.pake("user", "show", user, "--json").out)["state"]
                is_there = state in {"disable": "disabled", "enable": "enabled"}[may_be[0]] or len(may_be) > 1
            lost += not is_there
        self.assertEqual(lost, 0)
        self.assertEqual(json.loads(self.pake("user", "show", "gone", "--json").out)["state"], "disabled")

        # Meanwhile whoever asked was told what to do.
        hints = [text for text in self.said if re.search(r"(?m)^hint: .*(promote a standby|try again|again)", text)]
        self.assertTrue(self.said)
        self.assertEqual(len(hints), len(self.said), [text for text in self.said if text not in hints][:3])
        print(f"\n{acknowledged} changes acknowledged, {lost} lost; {sum(map(len, self.logins))} logins; promoted {promoted - killed:.1f} s after "
              f"the kill; without logins {pauses[0]:.1f} and {pauses[1]:.1f} s, without changes {first_change:.1f} s; "
              f"{len(self.said)} commands failed meanwhile, each with a hint", flush=True)

    def gets_in(self, user, password):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                Session(self.nodes[0].address, user, password)
                return True
            except wire.AuthenticationFailed:
                return False
            except wire.Alert:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
